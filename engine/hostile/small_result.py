"""A result with tens of vertices that passes every check; tests spoil one thing at a time."""

import numpy as np

from ..protocol.result import ResultMesh
from ..protocol.result_schema import (
    CameraInfo,
    LightInfo,
    MeshInfo,
    PackInfo,
    PhotoInfo,
)
from ..result.contents import ResultContents

EXPRESSIONS = ("jawOpen", "smile", "still")
PARTS = ("skin", "eye_left", "tongue", "lashes_left")
SIDE = 5


def small_mesh() -> ResultMesh:
    """A 5 x 5 sheet of skin with a UV seam down its middle, and one quad for each other part."""
    y, x = np.mgrid[0:SIDE, 0:SIDE] / (SIDE - 1)
    sheet = np.stack([x, y, 0.1 * np.sin(3 * x)], -1).reshape(-1, 3)
    extras = [
        np.array([[0, 0, z], [0.1, 0, z], [0.1, 0.1, z], [0, 0.1, z]]) for z in (0.2, 0.3, 0.4)
    ]
    neutral = np.concatenate([sheet, *extras]).astype(np.float32) * 0.2
    index = np.arange(SIDE * SIDE).reshape(SIDE, SIDE)
    corners = [index[:-1, :-1], index[:-1, 1:], index[1:, 1:], index[1:, :-1]]
    skin = np.stack(corners, -1).reshape(-1, 4)
    others = SIDE * SIDE + np.arange(12).reshape(3, 4)
    quads = np.concatenate([skin, others]).astype(np.int32)
    uv = np.concatenate([sheet[skin][..., :2] * 0.4, np.zeros((3, 4, 2))])
    uv[: len(skin)][sheet[skin][..., 0].mean(1) > 0.5, :, 0] += 0.5  # the seam
    uv[-1] = [[0, 0], [1, 0], [1, 1], [0, 1]]
    expression = np.zeros((len(EXPRESSIONS), len(neutral), 3), np.float16)
    expression[0, :SIDE, 1] = -0.03
    expression[1, 7] = (0.01, 0.02, 0.0)
    part = np.array([0] * len(skin) + [1, 2, 3], np.uint8)
    return ResultMesh(neutral, expression, quads, uv.astype(np.float32), part)


def small_contents() -> ResultContents:
    """Values for `write_result`."""
    y, x = np.mgrid[0:16, 0:16] / 16
    albedo = np.stack([0.5 + 0.3 * x, 0.4 + 0 * x, 0.3 * y], -1).astype(np.float32)
    return ResultContents(
        pack=PackInfo("default", "1.0.0", "0" * 64),
        seed=7,
        photo=PhotoInfo("/photos/übung \udcff.png", 40, 30, 0, 2, "1" * 64),
        camera=CameraInfo.from_arrays(
            np.array([[50.0, 0, 20], [0, 50, 15], [0, 0, 1]]),
            np.diag([1.0, -1, -1]),
            np.array([0, 0, 1.2]),
            40,
            30,
        ),
        light=LightInfo.from_array(np.eye(9, 3)),
        mesh=small_mesh(),
        mesh_info=MeshInfo(EXPRESSIONS, PARTS),
        coefficients={
            "identity": np.linspace(-1, 1, 4),
            "expression": np.array([0.5, 0.25, 0.0]),
            "albedo": np.zeros((3, 6)),
            "detail": np.zeros((4, 2, 2)),
        },
        maps={
            "albedo": albedo,
            "albedo_coarse": albedo,
            "albedo_detail": np.full((16, 16), 32768, np.uint16),
            "photo_layer": np.full((16, 16, 3), 0.5),
            "normal": np.tile(np.array([0.5, 0.5, 1.0]), (16, 16, 1)),
            "roughness": np.full((16, 16), 0.4),
            "origin": np.full((16, 16), 85, np.uint8),
            "confidence": np.full((16, 16), 0.5),
            "baked_light": np.full((16, 16), 0.25),
            "lash": np.dstack([albedo, x]),
        },
        render=albedo,
        compare=albedo,
        residual=albedo,
        stages={"shape": 0.5},
        metrics={"landmark_error": 1.5},
        warnings=("The photo is dark.",),
    )
