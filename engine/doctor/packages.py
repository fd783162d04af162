"""Python and the packages against the list of this version of the extension."""

import sys
from importlib import metadata
from pathlib import Path

from ..install.records import damages
from ..install.run import this_python
from ..protocol.doctor import DoctorRow, Fix, Health
from ..protocol.install import MARK, read_mark
from ..protocol.wheel_lock import (
    LOCK_FILE,
    PYTHONS,
    WheelLock,
    WheelTarget,
    read_lock,
    target_name,
    this_platform,
    wheels_digest,
)

LOCK = Path(__file__).resolve().parents[2] / "wheels" / LOCK_FILE


def the_lock() -> WheelLock:
    """The list of packages beside the engine. Raises EngineError."""
    return read_lock(LOCK)


def check_python(lock: WheelLock) -> DoctorRow:
    """The version that the packages are pinned for."""
    version, where = this_python(), f"{sys.executable} (Python {sys.version.split()[0]})"
    if _target(lock) is not None or version in PYTHONS:
        return DoctorRow("Python", Health.OK, where)
    wanted = " or ".join(PYTHONS)
    return DoctorRow(
        "Python",
        Health.NOTE,
        f"{where}; the engine is tested with {wanted} and may not run with others.",
        Fix.INSTALL,
    )


def check_packages(lock: WheelLock) -> DoctorRow:
    """What is installed, by version. Of a build ("2.13.0+cpu") only the version counts."""
    target = _target(lock) or next(iter(lock.targets.values()))
    missing, other = [], []
    pins = [(wheel.name, wheel.version) for wheel in target.wheels]
    pins += [(pin.partition("==")[0], pin.partition("==")[2]) for pin in target.elsewhere]
    for name, version in pins:
        try:
            found = metadata.version(name)
        except metadata.PackageNotFoundError:
            missing.append(name)
            continue
        if found.split("+")[0] != version.split("+")[0]:
            other.append(f"{name} {found} instead of {version}")
    fix = Fix.REPAIR if read_mark(Path(sys.prefix)) is not None else Fix.INSTALL
    if missing:
        text = f"Missing: {', '.join(missing)}."
        return DoctorRow("Packages", Health.PROBLEM, text, fix)
    if other:
        text = f"Not as tested: {', '.join(other)}."
        return DoctorRow("Packages", Health.NOTE, text, fix)
    return DoctorRow("Packages", Health.OK, f"{len(pins)} packages, as tested")


def check_files(lock: WheelLock, environment: Path) -> DoctorRow:
    """Every file of the packages, in an environment that Install Engine made."""
    name = "Package files"
    found = read_mark(environment)
    if found is None:
        half = (environment / MARK).exists()
        text = "The mark of the installation is damaged." if half else "Installed by other means"
        health = Health.PROBLEM if half else Health.OK
        return DoctorRow(name, health, text, Fix.REPAIR if half else Fix.NONE)
    target = _target(lock)
    if target is None or wheels_digest(target) != found.wheels:
        text = "The engine was installed by another version of the extension."
        return DoctorRow(name, Health.NOTE, text, Fix.REPAIR)
    damaged = damages(environment, target.wheels)
    if damaged:
        text = f"{'; '.join(damage.words for damage in damaged)}."
        return DoctorRow(name, Health.PROBLEM, text, Fix.REPAIR)
    return DoctorRow(name, Health.OK, "Every file is as its package brought it")


def _target(lock: WheelLock) -> WheelTarget | None:
    return lock.targets.get(target_name(this_platform(), this_python()))
