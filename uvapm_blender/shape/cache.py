"""Head models that the sliders use, for the session. No reference to Blender data is kept."""

from collections import OrderedDict
from dataclasses import dataclass, field

import bpy

from ...engine.protocol.errors import EngineError
from .. import locations
from ..declarations import PROPERTY
from .basis import IdentityBasis, load_basis
from .values import heads

Key = tuple[str, str, str]
"""Id of the pack, sha256 of its pack.json, sha256 of its head file."""

LOOK_AFTER = 0.3
"""Seconds until the models of new heads are loaded: the new head is drawn first."""

MOST_MODELS = 2
"""Head models that stay loaded: 10 MB each, and 0.24 MB for each component that was moved."""


@dataclass
class ShapeCache:
    """problems: why the shape sliders of heads of a pack cannot work; meshes: why those of one
    head cannot, by session_uid of the root."""

    problems: dict[Key, EngineError] = field(default_factory=dict)
    meshes: dict[int, EngineError] = field(default_factory=dict)
    _models: "OrderedDict[Key, IdentityBasis]" = field(default_factory=OrderedDict)

    def clear(self) -> None:
        """Forget everything: packs are looked for again."""
        self.__init__()

    def basis(self, root: bpy.types.Object) -> IdentityBasis:
        """The head model of a head, loaded at first use. Raises EngineError."""
        key = key_of(root)
        if key in self.problems:
            raise self.problems[key]
        if key not in self._models:
            try:
                self._models[key] = load_basis(locations.pack_folder(key[0]), key[1], key[2])
            except EngineError as error:
                self.problems[key] = error
                raise
        self._models.move_to_end(key)
        while len(self._models) > MOST_MODELS:
            self._models.popitem(last=False)
        return self._models[key]

    def look(self, root: bpy.types.Object) -> None:
        """Load the model of a head that has sliders; `problem` says why that failed."""
        try:
            if getattr(root, PROPERTY).shape.components:
                self.basis(root)
        except EngineError:
            pass  # kept in `problems`

    def refuse(self, root: bpy.types.Object, error: EngineError) -> None:
        """Remember why a head's sliders do nothing."""
        if self.problems.get(key_of(root)) is not error:
            self.meshes[root.session_uid] = error

    def problem(self, root: bpy.types.Object) -> EngineError | None:
        """Why the shape sliders of a head cannot work, as far as it is known."""
        return self.problems.get(key_of(root)) or self.meshes.get(root.session_uid)


def key_of(root: bpy.types.Object) -> Key:
    """What a head's model is found by."""
    shape = getattr(root, PROPERTY).shape
    return shape.pack, shape.pack_sha256, shape.model_sha256


CACHE = ShapeCache()


def look_soon() -> None:
    """Load the models of all heads in a moment: what is missing is known, and what is there is
    ready, before a slider is touched."""
    if not bpy.app.timers.is_registered(_look):
        bpy.app.timers.register(_look, first_interval=LOOK_AFTER)


def stop_looking() -> None:
    """When the extension is disabled."""
    if bpy.app.timers.is_registered(_look):
        bpy.app.timers.unregister(_look)


def _look() -> None:
    for root in heads():
        CACHE.look(root)
