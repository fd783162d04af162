"""How it stands with the engine's environment. Cheap enough for drawing: reads two small files and
looks into one folder."""

from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path

from ...engine.protocol.errors import EngineError
from ...engine.protocol.install import CACHE, REMOVED, EnvironmentMark, read_mark
from ...engine.protocol.wheel_lock import WheelLock, wheels_digest
from ..engine_client.launch import choose_python


class Standing(Enum):
    """MISSING: nothing to run the engine with. HALF: an installation that did not end. LOST: the
    Python that it was made with is gone. OLD: its packages are of another version of the
    extension. READY. OTHER: a Python that the user or a developer chose."""

    MISSING = "missing"
    HALF = "half"
    LOST = "lost"
    OLD = "old"
    READY = "ready"
    OTHER = "other"


@dataclass(frozen=True)
class EngineState:
    """python: what would run the engine, None when nothing can. mark: of our environment.
    fetched: whether an installation that did not end left what it fetched; undeleted: whether
    files are left of an engine that was removed or whose installation was cancelled."""

    standing: Standing
    python: Path | None = None
    mark: EnvironmentMark | None = None
    fetched: bool = False
    undeleted: bool = False

    @property
    def removable(self) -> bool:
        """Whether there is anything to uninstall."""
        ours = self.mark is not None or self.standing is Standing.HALF
        return ours or self.fetched or self.undeleted

    @property
    def usable(self) -> bool:
        """Whether a reconstruction can be started."""
        return self.python is not None


def engine_state(
    preference: str, managed: Path | None, root: Path, lock: WheelLock | None
) -> EngineState:
    """Arguments as for `choose_python`; lock: what this version of the extension wants."""
    state = _standing(preference, managed, root, lock)
    if managed is None:
        return state
    cache = managed.with_name(CACHE)
    fetched = any(cache.glob("*.whl*"))
    left = any(managed.parent.glob(f"*{REMOVED}*")) or (cache.is_dir() and not fetched)
    return replace(state, fetched=fetched, undeleted=left)


def _standing(
    preference: str, managed: Path | None, root: Path, lock: WheelLock | None
) -> EngineState:
    mark = read_mark(managed) if managed is not None else None
    try:
        python = choose_python(preference, managed, root)
    except EngineError:
        python = None
    ours = python is not None and managed is not None and managed in python.parents
    if mark is None and managed is not None and managed.is_dir() and python is None:
        return EngineState(Standing.HALF)
    if mark is not None and python is None:
        return EngineState(Standing.LOST, None, mark)
    if python is None:
        return EngineState(Standing.MISSING)
    if not ours:
        return EngineState(Standing.OTHER, python, mark)
    target = lock.targets.get(mark.target) if lock is not None and mark is not None else None
    old = target is not None and wheels_digest(target) != mark.wheels
    return EngineState(Standing.OLD if old else Standing.READY, python, mark)
