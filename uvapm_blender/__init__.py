"""The add-on. bpy is imported inside `register`, so that the engine client runs without it."""


def register() -> None:
    """Called by Blender when the extension is enabled. Errors propagate."""
    from . import registration

    registration.register()


def unregister() -> None:
    """Called by Blender when the extension is disabled: ends the engine, leaves nothing behind."""
    from . import registration

    registration.unregister()
