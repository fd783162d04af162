"""`build_addon.py lock` and `matrix`: the same wheels, written down or compared.

Run as `python -m engine.packaging.wheels.lock ROOT [--write] [--torch-index URL]` in the
project's environment.
"""

import argparse
import sys
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from engine.packaging.problems import SetupError
from engine.packaging.progress import Progress
from engine.packaging.wheels.collect import (
    Target,
    WheelFile,
    fetch,
    gaps,
    locked,
    needs_cuda,
    pins,
)
from engine.protocol.wheel_lock import (
    LOCK_FILE,
    PLATFORMS,
    PYTHONS,
    WheelLock,
    WheelTarget,
    lock_of,
    lock_text,
    read_lock,
)

REQUIREMENTS = "requirements-engine.txt"
INSTALLER = "pip==26.3"
"""Pure Python; installs the others without a network and without the venv's own pip."""
TORCH = "torch"
PIP = (sys.executable, "-m", "pip")


def wheels_of(
    root: Path, target: Target, cache: Path, index: str
) -> tuple[WheelTarget, dict[str, WheelFile], tuple[str, ...]]:
    """What the index has for a target, those wheels on disk by name, and complaints: pins
    without a wheel, needs without a pin. A torch that asks for CUDA's packages is left out as
    being elsewhere: the pins are those of the build without CUDA."""
    text = (root / "wheels" / REQUIREMENTS).read_text(encoding="utf-8")
    wanted = pins(text, target)
    folder = cache / target.name
    found, missing = fetch(PIP, wanted, target, folder, index)
    elsewhere = []
    if TORCH in found and needs_cuda(found[TORCH], target):
        del found[TORCH]
        elsewhere = [f"{pin.name}{pin.specifier}" for pin in wanted if pin.name == TORCH]
    complaints = [f"no wheel of {pin}" for pin in missing] + list(gaps(found, target))
    names = (canonicalize_name(pin.name) for pin in wanted)
    order = tuple(locked(found[name]) for name in names if name in found)
    made = WheelTarget(target.platform, target.python, order, tuple(elsewhere))
    return made, found, tuple(complaints)


def collect(root: Path, cache: Path, index: str, progress: Progress) -> WheelLock:
    """The lock as the package index has it now; prints one line a target.

    Raises SetupError when a pin has no wheel for one of them.
    """
    targets, complaints = [], []
    for platform in PLATFORMS:
        for python in PYTHONS:
            target = Target(platform, python)
            made, _, wrong = wheels_of(root, target, cache, index)
            complaints += [f"{target.name}: {words}" for words in wrong]
            targets.append(made)
            lacks = [f"{pin} only with --torch-index, not looked for" for pin in made.elsewhere]
            verdict = "; ".join((*wrong, *lacks)) or "complete"
            size = made.size / 2**20
            progress.say(f"{target.name:20} {len(made.wheels):3} wheels {size:6.0f} MB  {verdict}")
    if complaints:
        raise SetupError("Not every pin has a wheel everywhere: " + "; ".join(complaints), "")
    any_target = Target(PLATFORMS[0], PYTHONS[0])
    pip, _ = fetch(PIP, (Requirement(INSTALLER),), any_target, cache / "installer", index)
    return lock_of(locked(pip["pip"]), targets)


def differences(old: WheelLock, new: WheelLock) -> tuple[str, ...]:
    """What the index now has otherwise than the lock, in words."""
    out = []
    for name, target in new.targets.items():
        if target.elsewhere != old.targets[name].elsewhere:
            out.append(f"{name}: torch is on another index than before")
        before = {wheel.file: wheel for wheel in old.targets[name].wheels}
        for wheel in target.wheels:
            if before.get(wheel.file) != wheel:
                out.append(f"{name}: {wheel.file}")
        out += [f"{name}: {file}" for file in before.keys() - {w.file for w in target.wheels}]
    return tuple(out)


def main() -> int:
    """Compare the lock with the index, or write it. Exit code 1: they differ; 3: a wheel lacks."""
    parser = argparse.ArgumentParser()
    parser.add_argument("root", type=Path)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--torch-index", default="")
    chosen = parser.parse_args()
    path = chosen.root / "wheels" / LOCK_FILE
    try:
        found = collect(
            chosen.root, chosen.root / "build" / "wheels", chosen.torch_index, Progress()
        )
    except SetupError as problem:
        print(problem, file=sys.stderr)
        return 3
    if chosen.write:
        path.write_text(lock_text(found), encoding="utf-8")
        print(path)
        return 0
    changed = differences(read_lock(path), found)
    for words in changed:
        print(f"not as locked: {words}", file=sys.stderr)
    return int(bool(changed))


if __name__ == "__main__":
    sys.exit(main())
