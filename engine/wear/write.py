"""What a head wears -> its directory, in one piece."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..beside import beside
from ..protocol.errors import EngineError, ErrorCode
from ..protocol.result import file_sha256
from ..protocol.result_schema import MANIFEST_NAME, PackInfo, ResultManifest
from ..protocol.safetensors import write_safetensors
from ..protocol.strict import to_plain
from ..protocol.version import engine_version
from ..protocol.wear import (
    SHAPES_NAME,
    WEAR_JSON,
    WEAR_SCHEMA,
    WearManifest,
    check_shapes,
    check_wear_manifest,
    read_wear_manifest,
)
from ..result.folder import FolderKind, replaced_folder
from ..result.write import ENCODERS, png_bytes

WORN = FolderKind(WEAR_JSON, lambda folder: read_wear_manifest(folder).files)


@dataclass(frozen=True, eq=False)
class WearContents:
    """mesh: its name. expression (E, V, 3) f32 with names (E,), likeness (V, 3) f32, covered (F,)
    bool; maps: name -> picture in [0, 1]; see `protocol/wear.py` for the rest."""

    mesh: str
    size: int
    names: tuple[str, ...]
    expression: np.ndarray
    likeness: np.ndarray
    covered: np.ndarray
    maps: dict[str, np.ndarray]
    metrics: dict[str, float]
    quality: tuple[str, ...]
    warnings: tuple[str, ...]


def write_wear(
    output: Path, contents: WearContents, result: Path, manifest: ResultManifest
) -> Path:
    """Write the directory and return its absolute path. An older one is replaced; anything else
    there is refused, and on failure nothing is left behind. result: the folder that is worn.

    Raises EngineError BAD_OUTPUT, or INTERNAL for contents that break the schema.
    """
    arrays = {
        "expression": contents.expression.astype(np.float32, copy=False),
        "likeness": contents.likeness.astype(np.float32, copy=False),
        "covered": contents.covered.astype(np.uint8),
    }
    with replaced_folder(Path(output), WORN) as draft:
        (draft / "maps").mkdir()
        with beside(ENCODERS) as start:
            encoded = {
                f"maps/{name}.png": start(png_bytes, image) for name, image in contents.maps.items()
            }
            write_safetensors(draft / SHAPES_NAME, arrays)
            for name, data in encoded.items():
                (draft / name).write_bytes(data.result())
        files = {name: file_sha256(draft / name) for name in sorted([SHAPES_NAME, *encoded])}
        about = _manifest(contents, file_sha256(result / MANIFEST_NAME), manifest.pack, files)
        try:
            check_wear_manifest(about)
            check_shapes(arrays, about)
        except EngineError as error:
            raise EngineError(ErrorCode.INTERNAL, error.message) from error
        text = json.dumps(to_plain(about), indent=1, allow_nan=False) + "\n"
        (draft / WEAR_JSON).write_text(text, encoding="ascii")
    return Path(output).expanduser().resolve()


def _manifest(
    contents: WearContents, result: str, pack: PackInfo, files: dict[str, str]
) -> WearManifest:
    return WearManifest(
        schema=WEAR_SCHEMA,
        engine=engine_version(),
        mesh=contents.mesh,
        result=result,
        pack=pack,
        vertices=len(contents.likeness),
        faces=len(contents.covered),
        size=contents.size,
        expression_names=contents.names,
        metrics=contents.metrics,
        quality=contents.quality,
        warnings=contents.warnings,
        files=files,
    )
