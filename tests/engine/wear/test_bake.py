"""Baking to a mesh's own UVs: what was there is there, turned and moved as the layout is."""

import numpy as np
import pytest

from engine.protocol.conventions import signed_to_unit, unit_to_signed
from engine.protocol.errors import Cancelled
from engine.reporter import NullReporter
from engine.wear.bake import bake
from engine.wear.worn import worn_mesh

from .worn_sheet import WIDTH, bumps, sheet, turned, worn_sheet

SIZE = 96
INNER = slice(8, -8)


def _bake(mesh, uv, sources, size=SIZE):  # type: ignore[no-untyped-def]
    return bake(mesh, uv, sources, size, NullReporter())


def test_a_turned_layout_turns_the_colours() -> None:
    _, _, uv = sheet()
    source = bumps(SIZE)
    same = _bake(worn_sheet(), uv, {"albedo": source})
    assert np.abs(same.maps["albedo"] - source).max() < 2e-3
    moved = _bake(worn_sheet(), turned(uv), {"albedo": source})
    assert np.abs(moved.maps["albedo"] - np.rot90(source)).max() < 2e-3
    assert same.covered.all() and same.overlap < 0.02 and same.beside == 0.0
    assert same.maps["coverage"].min() > 0.999


@pytest.mark.parametrize("mirrored", [False, True])
def test_normals_are_turned_into_the_new_frame(mirrored: bool) -> None:
    """A slope that leans along +u of the source leans along +v after a quarter turn, and along
    -u in a mirrored layout."""
    _, _, uv = sheet(bend=0.0)
    lean = np.array([0.3, 0.1, 0.0])
    lean[2] = np.sqrt(1.0 - (lean**2).sum())
    source = np.broadcast_to(signed_to_unit(lean), (SIZE, SIZE, 3)).astype(np.float32)
    own = uv * [-1.0, 1.0] + [1.0, 0.0] if mirrored else turned(uv)
    wanted = [-0.3, 0.1, lean[2]] if mirrored else [-0.1, 0.3, lean[2]]
    baked = _bake(worn_sheet(), own, {"normal": source}).maps["normal"]
    assert np.abs(unit_to_signed(baked)[INNER, INNER] - wanted).max() < 0.03


def test_where_the_head_ends_maps_fade_into_a_continued_tone() -> None:
    vertices, _, uv = sheet()
    known = vertices[:, 0] < WIDTH * 0.6
    mesh = worn_sheet(known)
    red = np.zeros((SIZE, SIZE, 3), np.float32)
    red[:, :, 0] = 0.6
    red[::4] = 0.2  # fine stripes are the person's, not the neck's
    baked = _bake(mesh, uv, {"albedo": red, "normal": np.full_like(red, 0.7)})
    coverage, albedo = baked.maps["coverage"], baked.maps["albedo"]
    middle = SIZE // 2
    assert coverage[middle, 5] > 0.999 and coverage[middle, -5] == 0.0
    assert (np.diff(coverage[middle]) <= 1e-6).all()
    assert np.ptp(albedo[INNER, 5, 0]) > 0.3 and np.ptp(albedo[INNER, -5, 0]) < 0.1
    assert abs(albedo[INNER, -5, 0].mean() - red[..., 0].mean()) < 0.05
    flat = unit_to_signed(baked.maps["normal"][middle, -5])
    assert np.abs(flat - [0, 0, 1]).max() < 1e-3
    assert baked.covered.any() and not baked.covered.all()


def test_a_hole_as_small_as_an_eye_does_not_eat_its_rim() -> None:
    vertices, _, uv = sheet()
    away = np.linalg.norm(vertices[:, :2] - WIDTH / 2, axis=1)
    baked = _bake(worn_sheet(away > 0.018), uv, {"albedo": bumps(SIZE)})
    coverage = baked.maps["coverage"]
    assert coverage[SIZE // 2, SIZE // 2] == 0.0
    assert coverage[SIZE // 2, SIZE // 2 + SIZE // 4] > 0.999


def test_the_tile_with_the_face_is_baked_and_the_rest_reported() -> None:
    _, faces, uv = sheet()
    far = np.arange(len(faces)) < len(faces) // 4
    udim = np.where(far[:, None, None], uv + [5.0, 0.0], uv + [2.0, 0.0])
    baked = _bake(worn_sheet(), udim, {"albedo": bumps(SIZE)})
    assert abs(baked.beside - far.mean()) < 1e-6
    assert np.array_equal(baked.covered, ~far)
    stacked = np.where(far[:, None, None], uv[::-1], uv)
    assert _bake(worn_sheet(), stacked, {"albedo": bumps(SIZE)}).overlap > 0.1


def test_a_large_source_is_reduced_without_aliasing() -> None:
    _, _, uv = sheet()
    board = np.indices((512, 512)).sum(axis=0) % 2
    source = np.repeat(board[..., None], 3, axis=2).astype(np.float32)
    baked = _bake(worn_sheet(), uv, {"albedo": source}, 64).maps["albedo"]
    assert np.abs(baked - 0.5).max() < 0.02


def test_cuts_at_seams_do_not_part_the_surface() -> None:
    """A mesh whose vertices are doubled along a UV seam is shaded and continued as one."""
    vertices, faces, uv = sheet()
    whole = worn_sheet()
    cut_faces, doubled = faces.copy(), vertices.copy()
    half = len(faces) // 2
    first = np.unique(faces[half:])
    number = np.full(len(vertices), -1)
    number[first] = len(vertices) + np.arange(len(first))
    cut_faces[half:] = number[faces[half:]]
    doubled = np.concatenate([vertices, vertices[first]])
    welded = np.concatenate([np.arange(len(vertices)), first])
    cut = worn_mesh(doubled, cut_faces, welded, np.ones(len(doubled), dtype=bool), uv)
    assert np.allclose(cut.normals, whole.normals) and len(cut.edges) == len(whole.edges)
    assert (cut.piece == 0).all()


def test_a_cancel_is_heard_while_baking() -> None:
    _, _, uv = sheet()
    report = NullReporter()
    report.token.cancel()
    with pytest.raises(Cancelled):
        bake(worn_sheet(), uv, {"albedo": bumps(SIZE)}, SIZE, report)


def test_colours_bleed_over_seams() -> None:
    _, _, uv = sheet()
    baked = _bake(worn_sheet(), 0.25 + 0.5 * uv, {"albedo": bumps(SIZE)}, 128).maps["albedo"]
    rows = slice(36, 92)
    assert np.abs(baked[rows, 31] - baked[rows, 32]).max() < 0.02
    assert np.allclose(baked[0, 0], baked[2, 100], atol=1e-6)
