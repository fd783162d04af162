"""`THIRD_PARTY.md`: the licence of everything that is shipped, from the files that know it."""

import json
from pathlib import Path

from engine.packaging.problems import SetupError
from engine.protocol.wheel_lock import LOCK_FILE, LockedWheel, WheelLock, read_lock

LICENCE_FILE = "THIRD_PARTY.md"
TEXTS = "LICENSES"
OWN = "as this project"
_TEXT_OF = {"Apache-2.0": "Apache-2.0.txt", "CC0-1.0": "CC0-1.0.txt", "MIT": "MIT.txt"}
_HEAD = """# What is shipped, and under which licence

Made by `python build_addon.py licences`; no zip is made while it is not current.

The code of the extension is GPL-3.0-or-later: see LICENSE. Head models that you import yourself
(HiFi3D++, FLAME and others) are not shipped; each pack names its own terms, also in Blender.
"""


def licence_text(root: Path) -> str:
    """The file's text from packs/default/pack.json and the lock. Raises SetupError for a licence
    whose text is not in `LICENSES/`."""
    listing = json.loads((root / "packs" / "default" / "pack.json").read_text(encoding="utf-8"))
    lock = read_lock(root / "wheels" / LOCK_FILE)
    rows = [_part_row(root, part) for part in listing["parts"]]
    lines = [_HEAD, "## In the extension: the default head pack", ""]
    lines += ["| part | what | licence | origin |", "|---|---|---|---|", *rows, ""]
    lines += ["## In the offline bundle, or fetched by *Install engine*: Python packages", ""]
    lines += ["Each wheel carries its licence text.", ""]
    lines += ["| package | version | licence, as its wheel says |", "|---|---|---|"]
    lines += [f"| {w.name} | {_public(w)} | {w.licence} |" for w in _packages(lock)]
    return "\n".join(lines) + "\n"


def _part_row(root: Path, part: dict[str, str]) -> str:
    licence = part["licence"]
    if licence == OWN:
        shown = "GPL-3.0-or-later"
    else:
        file = _TEXT_OF.get(licence, "")
        if not file or not (root / TEXTS / file).is_file():
            raise SetupError(
                f"The pack's part {part['name']!r} is under {licence}, whose text is not shipped.",
                f"Add it to {TEXTS}/ and to engine/packaging/licences.py.",
            )
        shown = f"[{licence}]({TEXTS}/{file})"
    return f"| {part['name']} | {part['what']} | {shown} | {part['origin']} |"


def _packages(lock: WheelLock) -> list[LockedWheel]:
    """One row a package and public version; a build for a platform (2.13.0+cpu) is the same."""
    found = {}
    for target in lock.targets.values():
        for wheel in (lock.installer, *target.wheels):
            found.setdefault((wheel.name, _public(wheel)), wheel)
    return [found[key] for key in sorted(found)]


def _public(wheel: LockedWheel) -> str:
    return wheel.version.partition("+")[0]


def check_licences(root: Path) -> None:
    """Raises SetupError unless THIRD_PARTY.md is what `licence_text` says now."""
    path = root / LICENCE_FILE
    if not path.is_file() or path.read_text(encoding="utf-8") != licence_text(root):
        raise SetupError(f"{LICENCE_FILE} is not current.", "Run: python build_addon.py licences")
