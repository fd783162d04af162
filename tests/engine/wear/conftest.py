"""The default head as somebody's own mesh, and a result on it, without a fit or a registration."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from engine.protocol.headpack import HeadPack, Pack, read_pack
from engine.protocol.result import ResultMesh
from engine.protocol.result_schema import MeshInfo, PackInfo
from engine.register.correspondence import Correspondence, MeshLandmarks, Quality
from engine.register.mesh import HeadMesh
from engine.register.registration import Similarity
from engine.result.write import write_result
from tests.fixtures.small_result import small_contents

STRETCH = np.diag([1.05, 1.15, 0.95])
"""The artist's head is the default one, stretched."""
TURN = np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]])
"""Its own axes have z up."""
UNIT = 100.0
"""Its own unit is the centimetre."""
SHAPES = ("eyeBlinkLeft", "eyeLookInLeft", "jawOpen", "mouthSmileLeft")
"""The expressions that the head has here, for time."""
NECK = -0.12
"""Metres: the mesh below is a body, which the template is not laid on."""


@dataclass(frozen=True, eq=False)
class OwnHead:
    pack: Pack
    head: HeadPack
    mesh: HeadMesh
    found: Correspondence


@pytest.fixture(scope="session")
def own_head(default_pack: Path) -> OwnHead:
    pack = read_pack(default_pack)
    whole = pack.head
    rows = [whole.expression_names.index(name) for name in SHAPES]
    head = replace(whole, expression_names=SHAPES, expression=whole.expression[rows])
    there = head.mean.astype(np.float64) @ STRETCH
    mesh = HeadMesh(UNIT * there @ TURN.T, head.quads, head.corner_uv[..., ::-1], "own")
    triangle = np.zeros(len(there), np.int32)
    weights = np.zeros((len(there), 3))
    for corner in range(3):
        triangle[head.triangles[:, corner]] = np.arange(len(head.triangles))
    weights[head.triangles[triangle] == np.arange(len(there))[:, None]] = 1.0
    faces = head.face_part == 0
    skin = np.zeros(len(there), dtype=bool)
    skin[np.unique(head.quads[faces])] = True
    marks = MeshLandmarks(np.zeros(0, np.int32), np.zeros((0, 3)), np.zeros(0))
    found = Correspondence(
        to_model=Similarity(1.0 / UNIT, TURN.T, np.zeros(3)),
        mesh_vertices=there,
        template_vertices=there,
        triangle=triangle,
        barycentric=weights,
        matched=skin & (there[:, 1] > NECK),
        filled=np.zeros(len(there), dtype=bool),
        skin=faces,
        coefficients=np.zeros(len(head.identity) + len(head.expression)),
        landmarks468=marks,
        landmarks68=marks,
        quality=Quality(468, 0.001, 0.0001, 0.0005, 0, 0, 1.0, "good", "It lies well."),
        corner_uv=head.corner_uv,
    )
    return OwnHead(replace(pack, head=head), head, mesh, found)


@pytest.fixture(scope="session")
def person(own_head: OwnHead, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A result directory on the default head, with small maps."""
    head = own_head.head
    neutral = head.mean + 1.5 * head.identity[0] - head.identity[1]
    mesh = ResultMesh(
        neutral.astype(np.float32),
        head.expression.astype(np.float16),
        head.quads,
        head.corner_uv,
        head.face_part,
    )
    contents = small_contents()
    contents = replace(
        contents,
        pack=PackInfo(head.id, head.version, head.sha),
        mesh=mesh,
        mesh_info=MeshInfo(head.expression_names, head.part_names),
        coefficients={**contents.coefficients, "expression": np.zeros(len(head.expression))},
        render=None,
        compare=None,
    )
    return write_result(tmp_path_factory.mktemp("person") / "result", contents)
