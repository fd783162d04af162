"""What a `WearJob` names, read and checked: the mesh, the result, its head, its maps."""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from ..protocol.conventions import bytes_to_unit
from ..protocol.errors import EngineError, ErrorCode
from ..protocol.headpack import HeadPack
from ..protocol.result import ResultPackage, read_result
from ..protocol.work import WearJob
from ..register.handed_mesh import read_any_mesh
from ..register.mesh import HeadMesh

MAPS = ("albedo", "albedo_coarse", "normal", "roughness")
REPLACED = ("albedo", "normal", "roughness")


@dataclass(frozen=True, eq=False)
class WearInputs:
    """mesh: the artist's. result: what it shall wear. maps: name -> (S, S) or (S, S, 3) float32
    in [0, 1], in the FFHQ-UV layout; those of `MAPS`."""

    mesh: HeadMesh
    result: ResultPackage
    maps: dict[str, np.ndarray]


def read_inputs(job: WearJob) -> WearInputs:
    """Raises EngineError(BAD_INPUT) and, for an OBJ, PACK_INVALID."""
    result = read_result(Path(job.result))
    mesh = read_any_mesh(Path(job.mesh))
    maps = {name: _read_map(result.path(f"maps/{name}.png")) for name in MAPS}
    if job.textures is not None:
        for name in REPLACED:
            path = Path(job.textures) / f"{name}.png"
            if path.is_file():
                maps[name] = _read_map(path)
    return WearInputs(mesh, result, maps)


def check_same_head(result: ResultPackage, head: HeadPack) -> None:
    """Raise EngineError(PACK_INVALID) unless the result's mesh is the pack's."""
    same = result.mesh.quads.shape == head.quads.shape and np.array_equal(
        result.mesh.quads, head.quads
    )
    if not same or result.manifest.mesh.expression_names != head.expression_names:
        raise EngineError(
            ErrorCode.PACK_INVALID,
            f"The result was made with another version of the head {head.id!r}.",
            "Reconstruct the photo again.",
        )


def _read_map(path: Path) -> np.ndarray:
    try:
        data = np.frombuffer(path.read_bytes(), np.uint8)
    except OSError as error:
        raise _bad_map(path, error.strerror or "it cannot be read") from error
    image = cv2.imdecode(data, cv2.IMREAD_UNCHANGED) if len(data) else None
    if image is None or image.dtype not in (np.uint8, np.uint16):
        raise _bad_map(path, "it is not a PNG of 8 or 16 bits")
    if image.ndim == 3:
        image = image[..., [2, 1, 0]]
    if image.shape[0] != image.shape[1]:
        raise _bad_map(path, f"it is {image.shape[1]} x {image.shape[0]}, a square is needed")
    grey = path.stem == "roughness"
    if grey and image.ndim == 3:
        image = image[..., 0]
    if not grey and image.ndim != 3:
        raise _bad_map(path, "it has one channel, three are needed")
    return np.ascontiguousarray(bytes_to_unit(image))


def _bad_map(path: Path, why: str) -> EngineError:
    return EngineError(ErrorCode.BAD_INPUT, f"The picture {path.name} cannot be used: {why}.")
