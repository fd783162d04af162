"""Shapes carried to another head: where the right answer is known, and that lids and lips close."""

import numpy as np
import pytest

from engine.head.numerics import align_similarity
from engine.reporter import NullReporter
from engine.wear.lids import eyes_of
from engine.wear.pieces import followers
from engine.wear.shapes import carried_likeness, carried_shapes
from engine.wear.worn import WornMesh, worn_mesh

from .conftest import NECK, SHAPES, STRETCH, TURN, UNIT, OwnHead


@pytest.fixture(scope="module")
def worn(own_head: OwnHead) -> WornMesh:
    found, mesh = own_head.found, own_head.mesh
    return worn_mesh(found.mesh_vertices, mesh.faces, mesh.welded, found.matched, found.corner_uv)


@pytest.fixture(scope="module")
def carried(own_head: OwnHead, worn: WornMesh) -> dict[str, np.ndarray]:
    """name -> (V, 3) metres in model space."""
    head = own_head.head
    shapes = carried_shapes(worn, own_head.found, head, head.expression, NullReporter())
    assert shapes.dtype == np.float32 and shapes.shape == (4, len(head.mean), 3)
    return dict(zip(SHAPES, shapes.astype(np.float64) @ TURN / UNIT, strict=True))


def part(own_head: OwnHead, name: str) -> np.ndarray:
    head = own_head.head
    return np.unique(head.quads[head.face_part == head.part_names.index(name)])


@pytest.mark.parametrize("name", ["jawOpen", "mouthSmileLeft"])
def test_a_stretched_head_moves_as_much_more(
    own_head: OwnHead, carried: dict[str, np.ndarray], name: str
) -> None:
    """The map between the heads is linear, so displacements go through it as they are."""
    head, matched = own_head.head, own_head.found.matched
    wanted = head.expression[head.expression_names.index(name)].astype(np.float64) @ STRETCH
    outer = matched & (head.groups["mouth"] < 0.5) & (head.groups["sockets"] < 0.5)
    miss = np.linalg.norm(carried[name] - wanted, axis=1)
    assert np.percentile(miss[outer], 99) < 0.0012
    assert miss[outer].max() < 0.15 * np.linalg.norm(wanted, axis=1).max()


def test_the_body_stays(own_head: OwnHead, carried: dict[str, np.ndarray]) -> None:
    below = own_head.found.mesh_vertices[:, 1] < NECK - 0.03
    for name in ("eyeBlinkLeft", "mouthSmileLeft"):
        assert np.abs(carried[name][below]).max() < 3e-4


def test_a_blink_closes_over_the_eye(
    own_head: OwnHead, worn: WornMesh, carried: dict[str, np.ndarray]
) -> None:
    head, rest = own_head.head, own_head.found.mesh_vertices
    lids = (head.groups["eyelids_left"] > 0.5) & (head.groups["sockets"] < 0.5)
    eyes = eyes_of(followers(worn, head, rest), worn)
    eye = max(eyes, key=lambda each: each.middle[0])
    moving = lids & (np.linalg.norm(carried["eyeBlinkLeft"], axis=1) > 0.002)
    assert moving.sum() > 100
    clear = np.minimum(eye.height(rest[moving]), 0.0)
    for weight in (0.5, 1.0):
        there = rest[moving] + weight * carried["eyeBlinkLeft"][moving]
        assert (eye.height(there) > clear - 3e-4).all()
    theirs = head.expression[head.expression_names.index("eyeBlinkLeft")] @ STRETCH
    drop = carried["eyeBlinkLeft"][lids, 1].min() / theirs[lids, 1].min()
    assert 0.9 < drop < 1.1


def test_eyes_teeth_and_tongue_follow(own_head: OwnHead, carried: dict[str, np.ndarray]) -> None:
    head = own_head.head
    jaw, look = carried["jawOpen"], carried["eyeLookInLeft"]
    assert np.abs(jaw[part(own_head, "teeth_upper")]).max() < 1e-6
    for name in ("teeth_lower", "tongue"):
        rows = part(own_head, name)
        wanted = head.expression[head.expression_names.index("jawOpen")][rows] @ STRETCH
        assert np.abs(jaw[rows] - wanted).max() < 0.0025
    eye = part(own_head, "eye_left")
    moved = own_head.found.mesh_vertices[eye] + look[eye]
    before = np.linalg.norm(np.diff(own_head.found.mesh_vertices[eye], axis=0), axis=1)
    assert np.abs(np.linalg.norm(np.diff(moved, axis=0), axis=1) - before).max() < 1e-5
    assert np.abs(look[eye]).max() > 0.001 and np.abs(look[part(own_head, "eye_right")]).max() == 0


def test_likeness_takes_the_person_and_leaves_the_body(own_head: OwnHead, worn: WornMesh) -> None:
    head, found = own_head.head, own_head.found
    person = head.mean + 1.5 * head.identity[0] - head.identity[1]
    delta = carried_likeness(worn, found, head, person).astype(np.float64) @ TURN / UNIT
    there = found.mesh_vertices + delta
    face = head.groups["face"] > 0.5
    weight = head.groups["face"].astype(np.float64)
    scale, turn, way = align_similarity(person.astype(np.float64), found.mesh_vertices, weight)
    wanted = scale * person @ turn.T + way
    before = np.linalg.norm(found.mesh_vertices - wanted, axis=1)[face]
    after = np.linalg.norm(there - wanted, axis=1)[face]
    assert np.median(after) < 0.0005 and np.median(after) < 0.2 * np.median(before)
    assert np.abs(delta[found.mesh_vertices[:, 1] < NECK - 0.01][:, 1]).max() < 0.002
