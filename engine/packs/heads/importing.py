"""A released model made a pack: read by its adapter, registered, completed, written at once."""

import re
from collections.abc import Callable
from pathlib import Path

from ...protocol.errors import EngineError, ErrorCode
from ...protocol.head_kinds import HEAD, KindInfo, head_kind
from ...protocol.headpack import Pack, read_pack
from ...protocol.pack_manifest import (
    HEAD_FILE,
    PACK_SCHEMA,
    UV_LAYOUT,
    PackManifest,
    PackPart,
)
from ...protocol.work import EXPRESSION_SETS, ImportJob
from ...reporter import Reporter
from ..registry import build_folder, find_pack
from ..store import check_replaceable, write_pack
from .complete import CompleteHead, complete_head
from .kinds import head_reader
from .layout import lay_out
from .source import HeadSource

STAGES = (
    "Reading the model",
    "Finding the face on it",
    "Completing the head",
    "Writing the pack",
)
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
"""What a pack may be called (`protocol/pack_manifest.py`): its folder's name is its id."""

Importer = Callable[[tuple[Path, ...], Path, Reporter], Path]


def _uvapm_albedo(paths: tuple[Path, ...], folder: Path, reporter: Reporter) -> Path:
    from ..uvapm.albedo import SKINS, import_uvapm

    return import_uvapm(paths[0], folder, True, SKINS, reporter)


def _uvapm_detail(paths: tuple[Path, ...], folder: Path, reporter: Reporter) -> Path:
    from ..uvapm.detail import CODES, import_uvapm_detail

    return import_uvapm_detail(paths[0], folder, CODES, reporter)


def _hifi3dpp_albedo(paths: tuple[Path, ...], folder: Path, reporter: Reporter) -> Path:
    from .hifi3dpp_albedo import import_hifi3dpp_albedo

    return import_hifi3dpp_albedo(paths, folder, reporter)


IMPORTERS: dict[str, Importer] = {
    "hifi3dpp-albedo": _hifi3dpp_albedo,
    "uvapm-albedo": _uvapm_albedo,
    "uvapm-detail": _uvapm_detail,
}
"""Kinds that are not heads: (paths, the pack's folder, reporter) -> that folder."""


def run_import(job: ImportJob, reporter: Reporter) -> Path:
    """Do the job; returns the pack's folder. A pack that is there already is replaced, in one step;
    a job that fails or is cancelled leaves nothing behind.

    Raises EngineError: BAD_SETTINGS for an unknown kind or terms that are not accepted, BAD_INPUT,
    PACK_INVALID for the user's files, NO_FACE where no face is found on the head, PACK_MISSING
    without the default pack, BAD_OUTPUT; and Cancelled.
    """
    kind, folder = head_kind(job.kind), Path(job.output)
    if not job.accept_licence:
        raise EngineError(
            ErrorCode.BAD_SETTINGS,
            f"{kind.title} comes with terms of its own: {kind.licence_note}",
            "If you may use it so, accept the terms (--accept-licence).",
        )
    if not _NAME.fullmatch(folder.name):
        raise EngineError(
            ErrorCode.BAD_OUTPUT,
            f"A pack cannot be called {folder.name!r}.",
            "Use lower-case letters, digits, - and _ for the name of the pack's folder.",
        )
    check_replaceable(folder)
    paths = tuple(Path(path) for path in job.paths)
    if kind.makes != HEAD:
        return IMPORTERS[kind.name](paths, folder, reporter)
    return import_head(kind, paths, folder, job.expressions == EXPRESSION_SETS[1], reporter)


def default_output(kind: str, folder: Path | None) -> Path:
    """Where the pack of a kind goes: a folder of the kind's name among the packs, or `folder`."""
    return build_folder() / kind if folder is None else folder


def import_head(
    kind: KindInfo, paths: tuple[Path, ...], folder: Path, both: bool, reporter: Reporter
) -> Path:
    """Read, complete and write a head. both: the model's own expressions too. See `run_import`."""
    template_folder = find_pack()
    reporter.stage(STAGES[0], 0, len(STAGES))
    source = head_reader(kind.name)(paths, reporter)
    template = read_pack(template_folder)
    reporter.stage(STAGES[1], 1, len(STAGES))
    corner_uv = source.corner_uv
    if corner_uv is None:
        corner_uv = lay_out(source, template, reporter)
    reporter.stage(STAGES[2], 2, len(STAGES))
    head = complete_head(source, corner_uv, template.head, _pictures(template), both, reporter)
    reporter.stage(STAGES[3], 3, len(STAGES))
    return write_head(folder, kind, source, head, template)


def write_head(
    folder: Path, kind: KindInfo, source: HeadSource, head: CompleteHead, template: Pack
) -> Path:
    """Write a completed head as a pack. Raises EngineError(BAD_OUTPUT)."""
    recipe = f"{kind.title} imported, completed from {template.manifest.id} {template.head.version}"
    manifest = PackManifest(
        schema=PACK_SCHEMA,
        id=folder.name,
        version=source.version,
        uv_layout=UV_LAYOUT,
        parts=(*source.parts, _lent_part(head, template)),
        files={},
        head=head.names,
        recipe=recipe,
        fit=dict(source.fit),
    )
    return write_pack(folder, manifest, {HEAD_FILE: head.tensors}, head.textures)


def _lent_part(head: CompleteHead, template: Pack) -> PackPart:
    """What came from the template, under the terms of its own parts."""
    terms = dict.fromkeys(part.licence for part in template.manifest.parts)
    lent = ", ".join((*head.lent, "expressions that the model lacks", "regions", "landmarks"))
    origin = f"head pack {template.manifest.id} {template.manifest.version}"
    return PackPart("completion", lent, "; ".join(terms), origin, "")


def _pictures(template: Pack) -> dict[str, bytes]:
    """The template's textures by file name."""
    names = (name for name in template.manifest.files if name.endswith(".png"))
    return {name: (template.folder / name).read_bytes() for name in names}
