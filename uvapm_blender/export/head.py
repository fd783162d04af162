"""One head as files for other programs: its own meshes, expressions and textures, nothing else.

Scene -> plain arrays (read.py, surface.py) -> levels of detail (simplify.py) -> copies
(stage.py) -> Blender's exporters (write.py). The scene's own objects are only read.
"""

import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import bpy

from ...engine.protocol.errors import EngineError, ErrorCode
from ..detail import live
from ..scene.heads import parts_of
from .geometry import PartGeometry, join, without_small_moves
from .pictures import save_pictures
from .read import read_parts
from .settings import PACKED, WITH_KEYS, ExportSettings, Format
from .simplify import levels_of
from .stage import Stage, staged
from .surface import read_surfaces
from .write import is_available, textures_folder, write_file

Progress = Callable[[float], None]
"""Called with the share that is done, [0, 1]."""

AS_IT_IS = ExportSettings()

BESIDE = (".mtl", ".bin")
"""What OBJ and glTF write beside a model."""


def export_head(
    root: bpy.types.Object,
    path: Path,
    context: bpy.types.Context,
    settings: ExportSettings = AS_IT_IS,
    progress: Progress = lambda share: None,
) -> tuple[Path, ...]:
    """Write the head of `root`; the extension of `path` chooses the format.

    FBX holds all levels of detail; the other formats get a file a level, NAME_LOD1 and so on.
    The head stands at the origin of the file. The textures are as the sliders show them. The
    scene is the same afterwards, also on an error, and then no new file is left. Returns the
    written model files. Raises EngineError(BAD_OUTPUT).
    """
    kind = _format_of(path)
    if kind not in WITH_KEYS:
        settings = replace(settings, keys="NONE")
    if kind == Format.OBJ:
        settings = replace(settings, skeleton=False)
    name = _file_safe(path.stem)
    with _complaints(path), _nothing_on_error(path):
        live.flush()
        levels = _levels(root, settings, name)
        progress(0.2)
        surfaces = read_surfaces(parts_of(root), settings)
        progress(0.4)
        with _pictures_folder(path, kind, settings) as folder:
            gltf = kind in (Format.GLB, Format.GLTF)
            saved = save_pictures(name, surfaces, folder, settings.jpeg, gltf)
            progress(0.5)
            with staged(name, levels, surfaces, saved, kind, settings) as stage:
                return _write(stage, path, kind, settings, context, progress)


def _format_of(path: Path) -> Format:
    try:
        kind = Format(path.suffix.lower())
    except ValueError as error:
        known = ", ".join(each.value for each in Format)
        raise EngineError(
            ErrorCode.BAD_OUTPUT,
            f"Expected a file name that ends with one of {known}, got {path.name}.",
        ) from error
    if not is_available(kind):
        raise EngineError(
            ErrorCode.BAD_OUTPUT, "This Blender was built without USD.", "Choose another format."
        )
    return kind


def _file_safe(name: str) -> str:
    """Letters, digits, minus and underscore: engines and old readers stumble over the rest."""
    return re.sub(r"[^\w-]+", "_", name).strip("_") or "head"


def _levels(
    root: bpy.types.Object, settings: ExportSettings, name: str
) -> list[tuple[PartGeometry, ...]]:
    parts = read_parts(root, settings)
    if settings.still > 0.0:
        parts = tuple(without_small_moves(part, settings.still) for part in parts)
    by_part = [levels_of(part, settings.lods) for part in parts]
    levels = [tuple(each) for each in zip(*by_part, strict=True)]
    return [(join(level, ""),) for level in levels] if settings.joined else levels


def _write(
    stage: Stage,
    path: Path,
    kind: Format,
    settings: ExportSettings,
    context: bpy.types.Context,
    progress: Progress,
) -> tuple[Path, ...]:
    if kind == Format.FBX:
        write_file(path, stage.everything, settings, context)
        return (path,)
    paths = [path] + [path.with_stem(f"{path.stem}_LOD{i}") for i in range(1, len(stage.levels))]
    for done, (each, level) in enumerate(zip(paths, stage.levels, strict=True)):
        progress(0.5 + 0.5 * done / len(paths))
        write_file(each, (*stage.frame, *level), settings, context)
    return tuple(paths)


@contextmanager
def _pictures_folder(path: Path, kind: Format, settings: ExportSettings) -> Iterator[Path]:
    """Where the pictures are written: beside the file when they stay, else for the moment.

    glTF gets copies of its own from its exporter.
    """
    inside = kind in PACKED or kind == Format.GLTF
    if not inside and not (kind == Format.FBX and settings.textures_inside):
        yield textures_folder(path)
        return
    with tempfile.TemporaryDirectory(prefix="uvapm-export-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


@contextmanager
def _nothing_on_error(path: Path) -> Iterator[None]:
    """When the inside fails: what it began goes, and an earlier export comes back as it was."""
    if not path.parent.is_dir():
        raise FileNotFoundError(f"No such folder: {path.parent}")
    before = set(path.parent.iterdir())
    earlier = [each for each in before if _is_of(each, path)]
    with tempfile.TemporaryDirectory(prefix="uvapm-export-", ignore_cleanup_errors=True) as folder:
        for each in earlier:
            copy = shutil.copytree if each.is_dir() else shutil.copy2
            copy(each, Path(folder, each.name))
        try:
            yield
        except BaseException:
            new = set(path.parent.iterdir()) - before
            for each in (*earlier, *(each for each in new if each.name.startswith(path.stem))):
                _remove(each)
            shutil.copytree(folder, path.parent, dirs_exist_ok=True)
            raise


def _is_of(each: Path, path: Path) -> bool:
    """True for what an export to `path` may write over: models of all levels with what belongs
    to them, and the folder of textures."""
    model = each.stem == path.stem or each.stem.startswith(f"{path.stem}_LOD")
    return (model and each.suffix in (path.suffix, *BESIDE)) or each == textures_folder(path)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


@contextmanager
def _complaints(path: Path) -> Iterator[None]:
    """What Blender and the disk complain about, in our words."""
    try:
        yield
    except (RuntimeError, OSError) as error:
        raise EngineError(
            ErrorCode.BAD_OUTPUT,
            f"{path.name} could not be written: {_last_line(error)}",
            "Choose a folder that can be written to.",
        ) from error


def _last_line(error: Exception) -> str:
    """The cause: Blender puts a whole Python trace into the text of an operator's error."""
    lines = [line.strip() for line in str(error).splitlines()]
    return next((line for line in reversed(lines) if line and "Location:" not in line), "unknown")
