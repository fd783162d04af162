import numpy as np
import pytest

from engine.nets.bundle import Nets
from engine.protocol.errors import EngineError, ErrorCode
from engine.protocol.headpack import HeadPack
from engine.register import find, marks, pipeline
from engine.register.carry import face_matched
from engine.register.find import find_face, inside_out
from engine.register.lay import lay
from engine.register.mesh import HeadMesh, read_mesh
from engine.register.pipeline import register_head
from engine.register.template import read_template
from engine.reporter import NullReporter

from .heads import load_head, outside_mesh, skin_quads, warped


@pytest.fixture(scope="module")
def loaded(default_pack) -> tuple[HeadPack, Nets]:
    return load_head(default_pack)


def person(head: HeadPack) -> np.ndarray:
    """Somebody whose form the model does not hold exactly."""
    rng = np.random.default_rng(3)
    coefficients = 0.8 * rng.standard_normal(len(head.identity))
    return warped(head.mean + np.tensordot(coefficients, head.identity, 1))


def test_known_points_are_found_again(loaded, monkeypatch):
    """Centimetres, z up, triangles among quads, a form outside the model. Fewer views and rounds
    than people get, for time."""
    head, nets = loaded
    mesh, used = outside_mesh(head, person(head))
    monkeypatch.setattr(marks, "VIEWS", marks.VIEWS[:3])
    monkeypatch.setattr(pipeline, "BEND_ROUNDS", (4,))
    monkeypatch.setattr(pipeline, "lay", lambda *values: lay(*values, rounds=2))
    found = register_head(mesh, head, nets, NullReporter())

    corners = head.mean[head.triangles[found.triangle]]
    places = np.einsum("vk,vkc->vc", found.barycentric, corners)
    error = np.linalg.norm(places - head.mean[used], axis=1)
    outer = np.maximum(head.groups["sockets"], head.groups["mouth"])[used] < 0.5
    assert np.median(error[outer & found.matched]) < 0.0015
    face = outer & (head.groups["face"][used] > 0.5)
    assert found.matched[face].mean() > 0.98
    # Smooth skin says little about where on it one is: 5 mm on foreheads, as with every round.
    assert np.percentile(error[face & found.matched], 95) < 0.007
    for name in ("eyelids_left", "eyelids_right", "ears"):
        there = outer & (head.groups[name][used] > 0.5) & found.matched
        assert np.median(error[there]) < 0.0015, name
    assert found.quality.verdict in ("good", "usable")
    assert found.quality.flipped < 0.01 * len(mesh.faces)
    assert found.to_model.scale == pytest.approx(0.01, rel=0.06)

    truth = head.corner_uv[: len(skin_quads(head))]
    quads = np.flatnonzero(np.arange(len(truth)) % 3 != 0)
    plain = np.arange(len(quads))
    away = np.abs(found.corner_uv[plain] - truth[quads]).max(axis=(1, 2))
    assert np.median(away[face_matched(found, mesh)[plain]]) < 0.005


@pytest.fixture
def one_view(monkeypatch):
    monkeypatch.setattr(find, "AXES", find.AXES[:1])
    monkeypatch.setattr(find, "SLANTED", 0)


def ball(radius: float) -> HeadMesh:
    from scipy.spatial import ConvexHull

    rng = np.random.default_rng(0)
    points = rng.standard_normal((2000, 3))
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    index = ConvexHull(points).simplices
    a, b, c = (points[index[:, k]] for k in range(3))
    inwards = (np.cross(b - a, c - a) * a).sum(axis=1) < 0.0
    index[inwards] = index[inwards][:, ::-1]
    return HeadMesh(radius * points, index[:, [0, 1, 2, 2]].astype(np.int32), None, "ball.obj")


def cube() -> HeadMesh:
    corners = np.array([[x, y, z] for x in (0, 1) for y in (0, 1) for z in (0, 1)], float)
    faces = [[0, 1, 3, 2], [4, 6, 7, 5], [0, 4, 5, 1], [2, 3, 7, 6], [0, 2, 6, 4], [1, 5, 7, 3]]
    return HeadMesh(corners, np.array(faces, np.int32), None, "cube.obj")


@pytest.mark.parametrize("mesh", [ball(0.1), cube()], ids=["ball", "cube"])
def test_what_is_no_head_is_refused(loaded, one_view, mesh):
    head, nets = loaded
    with pytest.raises(EngineError, match=r"No face was found on \w+\.obj") as caught:
        register_head(mesh, head, nets, NullReporter())
    assert caught.value.code is ErrorCode.NO_FACE


def test_headless_body_is_refused(loaded, one_view):
    """The neck and shoulders of a bust without its head."""
    head, nets = loaded
    low = head.mean[:, 1] < -0.1
    quads = skin_quads(head)
    quads = quads[low[quads].all(axis=1)].astype(np.int32)
    mesh = HeadMesh(head.mean.astype(np.float64), quads, None, "neck.obj")
    with pytest.raises(EngineError) as caught:
        register_head(mesh, head, nets, NullReporter())
    assert caught.value.code is ErrorCode.NO_FACE


@pytest.mark.parametrize(
    ("vertices", "faces", "words"),
    [
        (np.zeros((0, 3)), np.zeros((0, 4), np.int32), "1 to 500,000 vertices, found 0"),
        (np.full((3, 3), np.nan), np.array([[0, 1, 2, 2]]), "finite positions"),
        (np.zeros((3, 3)), np.array([[0, 1, 3, 3]]), "faces over vertices 0 to 2"),
        (np.zeros((3, 3)), np.array([[0, 1, 2, 2]]), "a surface"),
        (np.eye(3), np.array([[0, 0, 0, 0]]), "a surface"),
    ],
)
def test_broken_meshes_are_refused_in_words(loaded, vertices, faces, words):
    head, nets = loaded
    with pytest.raises(EngineError, match=words) as caught:
        register_head(HeadMesh(vertices, faces, None, "x"), head, nets, NullReporter())
    assert caught.value.code is ErrorCode.BAD_INPUT


def test_a_head_turned_inside_out_is_told_so(loaded, one_view):
    head, nets = loaded
    quads = skin_quads(head)[:, ::-1].astype(np.int32)
    mesh = HeadMesh(head.mean.astype(np.float64), quads, None, "inside.obj")
    with pytest.raises(EngineError) as caught:
        register_head(mesh, head, nets, NullReporter())
    assert "look inwards" in caught.value.hint
    assert not inside_out(HeadMesh(mesh.vertices, skin_quads(head), None, "outside.obj"))


FILES = ("topology/HIFI3D.obj", "topology/FLAME.obj", "scans/lps_head/head.obj")


@pytest.mark.shared
@pytest.mark.parametrize("file", FILES)
def test_faces_of_real_heads_are_found(loaded, shared, file):
    """Upright, with y up, of three units."""
    head, nets = loaded
    default = read_template(head)
    mesh = read_mesh(shared / "evaldata" / file)
    found = find_face(mesh, default.landmarks, default.weight, nets, NullReporter())
    assert found.deviation < 0.004
    assert np.trace(found.to_model.rotation) > 2.9
    size = found.to_model.scale * np.ptp(mesh.vertices[:, 0])
    assert 0.12 < size < 0.6  # with or without shoulders
