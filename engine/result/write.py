"""Reconstruction -> result directory, in one piece."""

import json
from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np

from ..beside import beside
from ..head.transfer import picture_to_bytes
from ..protocol.errors import EngineError, ErrorCode
from ..protocol.result import check_coefficients, checked_mesh, file_sha256
from ..protocol.result_schema import (
    COEFFICIENTS_NAME,
    MANIFEST_NAME,
    MESH_NAME,
    REQUIRED_FILES,
    check_manifest,
)
from ..protocol.safetensors import write_safetensors
from ..protocol.strict import to_plain
from .contents import ResultContents
from .folder import replaced_folder
from .glb import glb_bytes
from .obj import MTL_NAME, mtl_text, obj_bytes, obj_faces

PNG_COMPRESSION = 1
"""Of 9, with run lengths alone. Ours: photographic maps shrink hardly further and take several
times as long; a search for longer repeats finds a tenth less there."""

ENCODERS = 2
"""Threads that compress pictures. Ours: the product runs on two cores and more."""

_TO_OPENCV = {3: cv2.COLOR_RGB2BGR, 4: cv2.COLOR_RGBA2BGRA}


def write_result(output: Path, contents: ResultContents) -> Path:
    """Write a result directory and return its absolute path.

    An older result at `output` is replaced; anything else there is refused. On failure nothing
    is left behind. Raises EngineError BAD_OUTPUT, or INTERNAL for contents that break the schema.
    """
    _check(contents)
    with replaced_folder(Path(output)) as draft:
        (draft / "maps").mkdir()
        with beside(ENCODERS) as start:
            encoding = {name: start(png_bytes, each) for name, each in _pictures(contents).items()}
            write_safetensors(draft / COEFFICIENTS_NAME, contents.all_coefficients())
            write_safetensors(draft / MESH_NAME, _mesh_arrays(contents))
            texts = _texts(contents) if contents.complete else {}
        made = {name: waiting.result() for name, waiting in encoding.items()}
        pictures = {**contents.encoded, **made}
        scene = {"head.glb": _glb(contents, pictures)} if contents.complete else {}
        for name, data in {**pictures, **texts, **scene}.items():
            (draft / name).write_bytes(data)
        files = {
            path.relative_to(draft).as_posix(): file_sha256(path)
            for path in sorted(draft.rglob("*"))
            if path.is_file()
        }
        manifest = to_plain(contents.manifest(files))
        text = json.dumps(manifest, indent=1, allow_nan=False) + "\n"
        (draft / MANIFEST_NAME).write_text(text, encoding="ascii")
    return Path(output).expanduser().resolve()


def _check(contents: ResultContents) -> None:
    """Refuse what the reader would refuse: it would be a defect of the fit."""
    try:
        manifest = contents.manifest({})
        check_manifest(manifest)
        check_coefficients(contents.all_coefficients(), manifest)
        checked_mesh(_mesh_arrays(contents), contents.mesh_info)
    except EngineError as error:
        raise _defect(error.message) from error
    numbers = {
        **contents.all_coefficients(),
        **_mesh_arrays(contents),
        **{f"map {name}": image for name, image in contents.maps.items()},
        "stages": np.array(list(contents.stages.values())),
        "metrics": np.array(list(contents.metrics.values())),
        **contents.pictures,
    }
    for name, array in numbers.items():
        if not np.isfinite(array).all():
            raise _defect(f"{name} has values that are not finite.")
    required = {name[5:-4] for name in REQUIRED_FILES if name.startswith("maps/")}
    missing = sorted(required - set(contents.maps))
    if missing:
        raise _defect(f"The map {missing[0]} is missing.")


def _defect(why: str) -> EngineError:
    return EngineError(
        ErrorCode.INTERNAL,
        f"The fit gave a result that cannot be written: {why}",
        "Try another photo, and report this one.",
    )


def _mesh_arrays(contents: ResultContents) -> dict[str, np.ndarray]:
    mesh = contents.mesh
    return {
        "neutral": mesh.neutral.astype(np.float32, copy=False),
        "expression": mesh.expression.astype(np.float16, copy=False),
        "quads": mesh.quads.astype(np.int32, copy=False),
        "corner_uv": mesh.corner_uv.astype(np.float32, copy=False),
        "face_part": mesh.face_part.astype(np.uint8, copy=False),
    }


def _pictures(contents: ResultContents) -> dict[str, np.ndarray]:
    """Those that are not encoded yet, largest first, so that no thread waits long for another at
    the end."""
    images = {f"maps/{name}.png": image for name, image in contents.maps.items()}
    images |= contents.pictures
    images = {name: image for name, image in images.items() if name not in contents.encoded}
    return dict(sorted(images.items(), key=lambda item: -item[1].size))


def _texts(contents: ResultContents) -> dict[str, bytes]:
    mesh, info = contents.mesh, contents.mesh_info
    faces = obj_faces(mesh, info.part_names)
    posed = mesh.posed(np.asarray(contents.coefficients["expression"]))
    return {
        "head.obj": obj_bytes(posed, faces),
        "head_neutral.obj": obj_bytes(mesh.neutral, faces),
        MTL_NAME: mtl_text(info.part_names, contents.maps).encode(),
    }


def _glb(contents: ResultContents, pictures: Mapping[str, bytes]) -> bytes:
    info = contents.mesh_info
    weights = np.asarray(contents.coefficients["expression"])
    textures = {name: pictures[f"maps/{name}.png"] for name in contents.maps}
    return glb_bytes(contents.mesh, weights, info.expression_names, info.part_names, textures)


def png_bytes(image: np.ndarray) -> bytes:
    """PNG of (H, W) or (H, W, 3 or 4) RGB(A): float [0, 1] and uint8 as 8 bits, uint16 as 16."""
    if image.dtype.kind == "f":
        image = picture_to_bytes(image)
    if image.ndim == 3:
        image = cv2.cvtColor(image, _TO_OPENCV[image.shape[2]])
    options = [cv2.IMWRITE_PNG_COMPRESSION, PNG_COMPRESSION]
    options += [cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_RLE]
    return cv2.imencode(".png", image, options)[1].tobytes()
