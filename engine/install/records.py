"""Whether the packages of an environment are as their wheels brought them.

Each installed package has a RECORD of its files: path, sha256, size (packaging specification
"Recording installed projects"). What it lists without a hash, compiled Python, may change.
"""

import base64
import csv
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..protocol.wheel_lock import LockedWheel

CHUNK = 2**20


@dataclass(frozen=True)
class Damage:
    """A package that is not as it should be. wrong: its first bad file, "" when it lacks wholly;
    count: of bad files."""

    wheel: LockedWheel
    wrong: str
    count: int

    @property
    def words(self) -> str:
        """For people: "torch: 2 files changed or missing (torch/version.py)"."""
        if not self.wrong:
            return f"{self.wheel.name} {self.wheel.version} is missing"
        files = "1 file" if self.count == 1 else f"{self.count} files"
        return f"{self.wheel.name}: {files} changed or missing ({self.wrong})"


def site_packages(environment: Path) -> Path | None:
    """The folder of an environment's packages; None when it has none."""
    found = [environment / "Lib/site-packages", *environment.glob("lib/python3.*/site-packages")]
    return next((folder for folder in found if folder.is_dir()), None)


def damages(environment: Path, wheels: Sequence[LockedWheel]) -> tuple[Damage, ...]:
    """What is wrong with these packages in an environment; nothing when all is whole."""
    site = site_packages(environment)
    if site is None:
        return tuple(Damage(wheel, "", 0) for wheel in wheels)
    records = {path.parent.name.lower(): path for path in site.glob("*.dist-info/RECORD")}
    found = []
    for wheel in wheels:
        name = "-".join(wheel.file.split("-")[:2]) + ".dist-info"
        record = records.get(name.lower())
        if record is None:
            found.append(Damage(wheel, "", 0))
        elif bad := list(_bad_files(site, record)):
            found.append(Damage(wheel, bad[0], len(bad)))
    return tuple(found)


def _bad_files(site: Path, record: Path) -> Iterator[str]:
    try:
        with record.open(encoding="utf-8", newline="") as stream:
            rows = list(csv.reader(stream))
    except (OSError, ValueError, csv.Error):
        yield record.name
        return
    for row in rows:
        if len(row) != 3:
            yield record.name
        elif row[1] and not _is_as_recorded(site / row[0], row[1], row[2]):
            yield row[0]


def _is_as_recorded(path: Path, wanted: str, size: str) -> bool:
    name, _, value = wanted.partition("=")
    try:
        if size and path.stat().st_size != int(size):
            return False
        digest = hashlib.new(name)
        with path.open("rb") as stream:
            while chunk := stream.read(CHUNK):
                digest.update(chunk)
    except (OSError, ValueError):
        return False
    return base64.urlsafe_b64encode(digest.digest()).decode().rstrip("=") == value
