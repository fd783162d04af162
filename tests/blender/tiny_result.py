"""A small but valid result directory: a ball for a head, with all parts and three expressions."""

import json
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine.protocol.conventions import (
    FRONTAL_ROTATION,
    ambient_light,
    signed_to_unit,
    unit_to_bytes,
    unit_to_shorts,
)
from engine.protocol.detail import DETAIL_SIZE
from engine.protocol.detail_layers import compose_albedo
from engine.protocol.result import file_sha256
from engine.protocol.result_schema import (
    CameraInfo,
    EngineInfo,
    LightInfo,
    MeshInfo,
    PackInfo,
    PhotoInfo,
    ResultManifest,
)
from engine.protocol.safetensors import write_safetensors
from engine.protocol.strict import to_plain
from engine.protocol.version import RESULT_SCHEMA

PARTS = (
    "skin", "eye_left", "eye_right", "teeth_upper", "teeth_lower", "tongue",
    "lashes_left", "lashes_right",
)  # fmt: skip
EXPRESSIONS = ("jawOpen", "eyeBlinkLeft", "eyeLookInLeft")
WEIGHTS = (0.5, 0.25, 0.0)
SIZE = 64
BALLS = {  # centre and radius in metres, model space
    "skin": ((0, -0.03, -0.06), 0.1),
    "eye_left": ((0.032, 0, 0), 0.012),
    "eye_right": ((-0.032, 0, 0), 0.012),
    "teeth_upper": ((0, -0.06, 0), 0.015),
    "teeth_lower": ((0, -0.075, 0), 0.014),
    "tongue": ((0, -0.07, -0.02), 0.014),
    "lashes_left": ((0.032, 0.01, 0.012), 0.006),
    "lashes_right": ((-0.032, 0.01, 0.012), 0.006),
}
MOVES = {
    "jawOpen": {"skin": -0.01, "teeth_lower": -0.02, "tongue": -0.02},
    "eyeBlinkLeft": {"skin": -0.004, "lashes_left": -0.008},
    "eyeLookInLeft": {"eye_left": -0.002},
}


@dataclass(frozen=True)
class TinyCamera:
    """Width, height, fx, fy, cx, cy in pixels; yaw in radians; distance in metres."""

    width: int = 160
    height: int = 120
    focal: tuple[float, float] = (400.0, 400.0)
    centre: tuple[float, float] = (71.0, 66.5)
    yaw: float = 0.3
    distance: float = 0.8


def write_tiny_result(
    folder: Path, photo: Path, camera: TinyCamera = TinyCamera(), light: np.ndarray | None = None
) -> Path:
    """Write photo (when missing) and result directory; returns the directory."""
    if not photo.exists():
        write_png(photo, _gradient(camera.height, camera.width))
    (folder / "maps").mkdir(parents=True)
    mesh, light = tiny_mesh(), ambient_light() if light is None else light
    rotation = FRONTAL_ROTATION @ _turn(camera.yaw)
    translation = np.array([0.01, -0.02, camera.distance])
    coefficients = {
        "identity": np.zeros(4, np.float32),
        "expression": np.array(WEIGHTS, np.float32),
        "rotation": rotation.astype(np.float32),
        "translation": translation.astype(np.float32),
        "light": light.astype(np.float32),
        "albedo": np.zeros((3, 5), np.float32),
        "detail": np.zeros((4, 8, 8), np.float32),
    }
    write_safetensors(folder / "mesh.safetensors", mesh)
    write_safetensors(folder / "coefficients.safetensors", coefficients)
    _write_pictures(folder)
    for name in ("head.obj", "head.mtl", "head.glb", "head_neutral.obj"):
        (folder / name).write_text("placeholder\n", encoding="utf-8")
    files = [path for path in folder.rglob("*") if path.is_file()]
    manifest = ResultManifest(
        schema=RESULT_SCHEMA,
        engine=EngineInfo("0"),
        pack=PackInfo("tiny", "1", "0" * 64),
        seed=0,
        photo=PhotoInfo(str(photo), camera.width, camera.height, 0, 1, file_sha256(photo)),
        stages={"shape": 0.1},
        camera=_camera_info(camera, rotation, translation),
        light=LightInfo(tuple(map(tuple, light.tolist()))),
        metrics={"landmark_error_px": 1.25},
        warnings=("The photo is small.",),
        mesh=MeshInfo(EXPRESSIONS, PARTS),
        coefficients={name: array.shape for name, array in coefficients.items()},
        files={path.relative_to(folder).as_posix(): file_sha256(path) for path in files},
    )
    (folder / "result.json").write_text(json.dumps(to_plain(manifest)), encoding="utf-8")
    return folder


def tiny_mesh() -> dict[str, np.ndarray]:
    """The arrays of mesh.safetensors."""
    vertices, quads, uvs, parts, owner = [], [], [], [], []
    for index, part in enumerate(PARTS):
        centre, radius = BALLS[part]
        ball, faces, uv = _ball(6 if part == "skin" else 2)
        quads.append(faces + sum(map(len, vertices)))
        vertices.append(ball * radius + np.array(centre))
        uvs.append(uv)
        parts.append(np.full(len(faces), index, np.uint8))
        owner += [part] * len(ball)
    deltas = np.zeros((len(EXPRESSIONS), len(owner), 3), np.float16)
    for row, name in enumerate(EXPRESSIONS):
        deltas[row, :, 1] = [MOVES[name].get(part, 0.0) for part in owner]
    return {
        "neutral": np.concatenate(vertices).astype(np.float32),
        "expression": deltas,
        "quads": np.concatenate(quads).astype(np.int32),
        "corner_uv": np.concatenate(uvs).astype(np.float32),
        "face_part": np.concatenate(parts),
    }


def _ball(n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A cube of n x n quads a side, blown up to a unit ball, with a UV island a side."""
    grid = np.stack(np.meshgrid(*[np.arange(n + 1)] * 2, indexing="ij"), -1).reshape(-1, 2)
    cell = (np.arange(n)[:, None] * (n + 1) + np.arange(n)).reshape(-1)
    quads = np.stack([cell, cell + n + 1, cell + n + 2, cell + 1], -1)
    points, faces, uvs = [], [], []
    for side in range(6):
        axis, sign = side % 3, 1 if side < 3 else -1
        a, b = (grid / n * 2 - 1).T
        columns = {axis: np.full(len(grid), sign), (axis + 1) % 3: a, (axis + 2) % 3: b}
        points.append(np.stack([columns[i] for i in range(3)], -1))
        turned = quads if sign > 0 else quads[:, ::-1]
        faces.append(turned + side * len(grid))
        uvs.append((grid[turned] / n + np.array([side % 3, side // 3])) / np.array([3, 2]))
    points = np.concatenate(points)
    unique, inverse = np.unique(np.rint(points * n).astype(int), axis=0, return_inverse=True)
    ball = unique / np.linalg.norm(unique, axis=1, keepdims=True)
    return ball, inverse.reshape(-1)[np.concatenate(faces)], np.concatenate(uvs)


def _camera_info(camera: TinyCamera, rotation: np.ndarray, translation: np.ndarray) -> CameraInfo:
    (fx, fy), (cx, cy) = camera.focal, camera.centre
    return CameraInfo(
        K=((fx, 0.0, cx), (0.0, fy, cy), (0.0, 0.0, 1.0)),
        R=tuple(map(tuple, rotation.tolist())),
        t=tuple(translation.tolist()),
        width=camera.width,
        height=camera.height,
    )


def _turn(yaw: float) -> np.ndarray:
    c, s = np.cos(yaw), np.sin(yaw)
    return np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]])


def _gradient(height: int, width: int) -> np.ndarray:
    """Red grows to the right, green downwards, so that any flip shows."""
    x = np.broadcast_to(np.linspace(0, 1, width), (height, width))
    y = np.broadcast_to(np.linspace(0, 1, height)[:, None], (height, width))
    return np.stack([x, y, 0.25 + 0 * x], -1)


def _write_pictures(folder: Path) -> None:
    coarse, albedo = np.full((SIZE, SIZE, 3), 0.5), _gradient(SIZE, SIZE)
    write_png(folder / "maps/albedo_coarse.png", coarse)
    write_png(folder / "maps/albedo.png", albedo)
    write_grey16(folder / "maps/albedo_detail.png", signed_to_unit(tiny_detail()))
    below = compose_albedo(coarse, tiny_detail(), coarse, 0.0)
    write_png(folder / "maps/photo_layer.png", signed_to_unit(albedo - below))
    write_png(folder / "maps/normal.png", signed_to_unit(_tilted(SIZE)))
    write_png(folder / "maps/roughness.png", 0.3 + 0.4 * albedo[..., :1] + 0.0 * albedo)
    write_png(folder / "maps/origin.png", np.ones((SIZE, SIZE, 3)))
    write_png(folder / "maps/confidence.png", np.ones((SIZE, SIZE, 3)))
    write_png(folder / "maps/baked_light.png", np.zeros((SIZE, SIZE, 3)))
    write_png(folder / "maps/eye.png", _gradient(SIZE, SIZE))
    alpha = np.broadcast_to(np.linspace(0, 1, SIZE)[:, None], (SIZE, SIZE))
    write_png(folder / "maps/lash.png", np.dstack([np.zeros((SIZE, SIZE, 3)), alpha]))
    for name in ("render.png", "compare.png", "residual.png"):
        write_png(folder / name, coarse)


def tiny_detail() -> np.ndarray:
    """(512, 512) signed: waves of a few millimetres, and grain."""
    y, x = np.mgrid[0:DETAIL_SIZE, 0:DETAIL_SIZE]
    grain = np.random.default_rng(0).normal(0, 0.03, y.shape)
    return (0.1 * np.sin(x / 9.0) * np.sin(y / 7.0) + grain).astype(np.float32)


def _tilted(size: int) -> np.ndarray:
    """Unit normals that lean to +x and, on the upper half, to +y."""
    normal = np.tile(np.array([0.2, 0.0, 1.0]), (size, size, 1))
    normal[: size // 2, :, 1] = 0.3
    return normal / np.linalg.norm(normal, axis=-1, keepdims=True)


def write_png(path: Path, image: np.ndarray) -> None:
    """(H, W, 3 or 4) floats in [0, 1] as 8-bit PNG (PNG specification 1.2), no library needed."""
    pixels = unit_to_bytes(image)
    _write_rows(path, pixels, 8, {3: 2, 4: 6}[pixels.shape[2]])


def write_grey16(path: Path, image: np.ndarray) -> None:
    """(H, W) floats in [0, 1] as 16-bit grey PNG."""
    _write_rows(path, unit_to_shorts(image).astype(">u2"), 16, 0)


def _write_rows(path: Path, pixels: np.ndarray, depth: int, kind: int) -> None:
    height, width = pixels.shape[:2]
    rows = b"".join(b"\0" + row.tobytes() for row in pixels)
    header = struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, 0)

    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    data = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + data)
