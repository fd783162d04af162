"""Which photos of a folder become which result directories, and which of them are done."""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ..packs.registry import find_pack
from ..protocol.errors import EngineError, ErrorCode
from ..protocol.job import FitJob
from ..protocol.pack_manifest import PACK_JSON
from ..protocol.result import file_sha256, read_manifest
from ..protocol.strict import parse_json, to_plain
from ..protocol.version import RESULT_SCHEMA, engine_version

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff")
JOURNAL = "fit-many.jsonl"
"""In the output folder, a line for each photo that was done: its result and its key."""
SUMMARY = "summary.csv"
SHEET = "sheet_{:03d}.png"


@dataclass(frozen=True)
class PlannedFit:
    """One photo. name: of its result directory in the output folder. key: hash of all that the
    result depends on; None when the photo cannot be read."""

    name: str
    job: FitJob
    key: str | None


def plan_fits(
    folder: Path, out: Path, options: FitJob, on_photo: Callable[[], None]
) -> list[PlannedFit]:
    """The photos of a folder by name, sub-folders left out.

    options: the settings; its photos and output are not looked at. on_photo: called before each
    photo is read; what it raises ends the planning. Raises EngineError: BAD_INPUT
    for a folder without photos, BAD_OUTPUT when results would lie among the photos, PACK_MISSING.
    """
    folder, out = folder.absolute(), out.absolute()
    if not folder.is_dir():
        raise EngineError(
            ErrorCode.BAD_INPUT, f"There is no folder {folder}.", "Name a folder of photos."
        )
    photos = sorted(
        path
        for path in folder.iterdir()
        if path.suffix.lower() in SUFFIXES and not path.name.startswith(".") and path.is_file()
    )
    if not photos:
        kinds = ", ".join(suffix[1:] for suffix in SUFFIXES)
        raise EngineError(
            ErrorCode.BAD_INPUT, f"{folder} holds no photos ({kinds}).", "Name another folder."
        )
    if out.exists() and (not out.is_dir() or out.samefile(folder)):
        raise EngineError(
            ErrorCode.BAD_OUTPUT,
            f"{out} holds the photos or is a file; results need a folder of their own.",
            "Name another folder with --out.",
        )
    settings = _settings_hash(options)
    plan = []
    for photo, name in zip(photos, result_names([each.name for each in photos]), strict=True):
        on_photo()
        job = replace(options, photos=(str(photo),), output=str(out / name))
        plan.append(PlannedFit(name, job, _key(photo, settings)))
    return plan


def result_names(files: Sequence[str]) -> list[str]:
    """A folder name for each photo: the file's without its suffix, the whole one where two photos
    would share it, or where it is taken."""
    stems = [_plain(Path(file).stem) for file in files]
    taken = Counter(stem.casefold() for stem in stems)
    taken.update((JOURNAL, SUMMARY))
    return [
        stem if taken[stem.casefold()] == 1 else file
        for stem, file in zip(stems, files, strict=True)
    ]


def _plain(stem: str) -> str:
    """Without the ends that Windows cannot keep in a folder's name."""
    return stem.rstrip(" .") or "photo"


def _settings_hash(options: FitJob) -> str:
    """Of everything but the photo: options, packs, engine."""
    plain = {k: v for k, v in to_plain(options).items() if k not in ("photos", "output")}
    named = [options.pack, options.albedo, options.detail]
    packs = [file_sha256(find_pack(id) / PACK_JSON) for id in named if id is not None]
    parts = [plain, packs, engine_version(), RESULT_SCHEMA]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _key(photo: Path, settings: str) -> str | None:
    try:
        return hashlib.sha256(f"{file_sha256(photo)} {settings}".encode()).hexdigest()
    except OSError:
        return None  # the fit will say why


def read_journal(out: Path) -> dict[str, str]:
    """Keys by name of what was done; a line cut by a crash is passed over."""
    path = out / JOURNAL
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    return dict(_lines(text))


def _lines(text: str) -> Iterator[tuple[str, str]]:
    for line in text.splitlines():
        try:
            entry = parse_json(line, ValueError)
        except ValueError:
            continue
        if isinstance(entry, dict) and isinstance(entry.get("result"), str):
            yield entry["result"], str(entry.get("key"))


def add_to_journal(out: Path, fit: PlannedFit) -> None:
    """Note that a photo is done. Raises OSError."""
    with open(out / JOURNAL, "a", encoding="utf-8") as file:
        file.write("\n" + json.dumps({"result": fit.name, "key": fit.key}))


def is_done(fit: PlannedFit, journal: Mapping[str, str]) -> bool:
    """Whether the result lies there, whole, from this photo with these settings and this engine."""
    if fit.key is None or journal.get(fit.name) != fit.key:
        return False
    folder = Path(fit.job.output)
    try:
        return all((folder / name).is_file() for name in read_manifest(folder).files)
    except EngineError:
        return False
