"""The kinds of head model that can be imported. A new kind is one file and one line here."""

from ...protocol.errors import EngineError, ErrorCode
from .kind import HeadKind

KINDS: tuple[HeadKind, ...] = ()
"""One line a kind: the KIND of its adapter."""


def head_kind(name: str) -> HeadKind:
    """The kind of this name. Raises EngineError(BAD_SETTINGS) with the names there are."""
    for kind in KINDS:
        if kind.name == name:
            return kind
    raise EngineError(
        ErrorCode.BAD_SETTINGS,
        f"There is no kind of head model named {name!r}.",
        f"Kinds: {', '.join(kind.name for kind in KINDS)}.",
    )
