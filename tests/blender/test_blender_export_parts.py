"""Steps of the export by themselves: levels of detail, joining, resizing pictures."""

import importlib

import numpy as np
import pytest

from engine.protocol.conventions import linear_to_srgb, signed_to_unit, srgb_to_linear

pytestmark = pytest.mark.blender

SIDE = 9


@pytest.fixture
def load(bpy):
    """load(name) -> a module of the export."""
    return lambda name: importlib.import_module(f"uvapm.uvapm_blender.export.{name}")


def grid(load, side=SIDE, kind="skin", first_corner=True):
    """A bent sheet of quads, as one subdivision of every second vertex, with a UV seam across.

    Two keys are linear in the place, so any mixture of vertices must move by the same formula.
    """
    x, y = np.meshgrid(np.linspace(0, 1, side), np.linspace(0, 1, side), indexing="ij")
    points = np.stack([x, y, 0.2 * x * x + 0.1 * y * y], -1).reshape(-1, 3).astype(np.float32)
    quads, uv = [], []
    for i in range(side - 1):
        for j in range(side - 1):
            ring = [(i, j), (i + 1, j), (i + 1, j + 1), (i, j + 1)]
            start = next(k for k, (a, b) in enumerate(ring) if a % 2 == b % 2 == 0)
            ring = ring[start:] + ring[:start]
            quads.append([a * side + b for a, b in ring])
            island = 2.0 if i >= (side - 1) // 2 else 0.0
            uv.append([(x[a, b] + island, y[a, b]) for a, b in ring])
    corners = np.array(quads if first_corner else np.roll(quads, 1, axis=1))
    count = len(corners)
    return load("geometry").PartGeometry(
        label=kind,
        origin=np.array([0.1, 0.2, 0.3], np.float32),
        points=points,
        corners=corners.reshape(-1),
        sizes=np.full(count, 4),
        uv=np.array(uv, np.float32).reshape(-1, 2),
        slots=np.zeros(count, np.int32),
        kinds=(kind,),
        keys={"up": points[:, [2, 0, 1]] * 0.5, "along": points * np.float32([1, 0, 0])},
        weights={"up": 0.25, "along": 0.0},
        bones=np.ones(len(points), np.int32),
    )


def test_a_subdivided_mesh_goes_back_to_the_mesh_it_was(load):
    fine = grid(load)
    coarse = load("simplify").unsubdivide(fine)
    half = (SIDE + 1) // 2
    assert len(coarse.points) == half * half
    # sheets: the outer quads lie around face points of their own
    assert (coarse.sizes == 4).all() and len(coarse.sizes) == (half - 1) ** 2
    np.testing.assert_array_equal(coarse.keys["along"], coarse.points * np.float32([1, 0, 0]))
    old, new = (area(each) for each in (fine, coarse))
    assert new == pytest.approx(old, rel=0.02) and new > 0
    # corners on the seam keep the UV of their own side
    places = coarse.points[coarse.corners]
    np.testing.assert_allclose(coarse.uv % 2.0, places[:, :2] % 2.0, atol=1e-6)
    assert set(np.unique(coarse.uv[:, 0] >= 2.0)) == {False, True}


def test_other_meshes_are_not_taken_for_subdivided_ones(load):
    simplify = load("simplify")
    assert simplify.unsubdivide(grid(load, first_corner=False)) is None
    part = grid(load)
    sizes = np.concatenate([np.full(len(part.corners) // 4 - 3, 4), np.full(4, 3)])
    mixed = type(part)(**{**vars(part), "sizes": sizes})
    assert simplify.unsubdivide(mixed) is None


def area(part):
    starts = np.cumsum(part.sizes) - part.sizes
    total = 0.0
    for start, size in zip(starts, part.sizes, strict=True):
        ring = part.points[part.corners[start : start + size]]
        total += np.cross(ring[1:-1] - ring[0], ring[2:] - ring[0])[:, 2].sum() / 2
    return total


def test_collapsing_keeps_expressions_seams_and_the_border(load):
    fine = grid(load, side=33)
    fine = type(fine)(**{**vars(fine), "normals": load("geometry").smooth_normals(fine)})
    coarse = load("simplify").collapse(fine, 200)
    assert 20 < coarse.triangles <= 200
    # moves rode along: still a linear function of the place, near enough
    np.testing.assert_allclose(coarse.keys["along"][:, 0], coarse.points[:, 0], atol=1e-2)
    np.testing.assert_allclose(coarse.keys["up"], coarse.points[:, [2, 0, 1]] * 0.5, atol=1e-2)
    assert np.abs(np.linalg.norm(coarse.normals, axis=1) - 1).max() < 1e-5
    assert area(coarse) == pytest.approx(area(fine), rel=0.01)
    assert np.ptp(coarse.points[:, 0]) == pytest.approx(1.0, abs=1e-3)
    places = coarse.points[coarse.corners]
    side = coarse.uv[:, 0] >= 1.999
    straight = coarse.uv - np.where(side, 2.0, 0.0)[:, None] * [1, 0]
    assert np.abs(straight - places[:, :2]).max() < 0.06  # no face crosses the seam
    count = np.add.reduceat(side.astype(int), np.cumsum(coarse.sizes) - coarse.sizes)
    assert ((count == 0) | (count == coarse.sizes)).all()


def test_levels_become_fewer_and_the_first_is_untouched(load):
    fine = grid(load, side=33)
    levels = load("simplify").levels_of(fine, 3)
    assert levels[0] is fine
    counts = [each.triangles for each in levels]
    assert counts[1] == counts[0] // 4 and counts[2] <= 0.08 * counts[0]
    assert all(list(each.keys) == ["up", "along"] for each in levels)
    assert levels[2].weights == fine.weights


def test_joining_puts_every_part_in_its_place(load):
    geometry = load("geometry")
    skin, eye = grid(load), grid(load, side=3, kind="eye")
    eye = type(eye)(**{**vars(eye), "keys": {"look": eye.points}, "weights": {"look": 0.5}})
    joined = geometry.join([skin, eye], "")
    count = len(skin.points)
    np.testing.assert_allclose(joined.points[count:], eye.points + eye.origin)
    assert list(joined.keys) == ["up", "along", "look"]
    assert not joined.keys["look"][:count].any() and not joined.keys["up"][count:].any()
    assert joined.kinds == ("skin", "eye") and set(joined.slots[-4:]) == {1}
    assert joined.corners.max() == len(joined.points) - 1
    assert joined.weights == {"up": 0.25, "along": 0.0, "look": 0.5}


def test_small_moves_are_dropped_and_the_skin_keeps_its_list(load):
    geometry = load("geometry")
    part = grid(load)
    tiny = {"up": part.keys["up"] * 1e-6, "along": part.keys["along"]}
    skin = geometry.without_small_moves(type(part)(**{**vars(part), "keys": tiny}), 1e-5)
    assert not skin.keys["up"].any() and skin.keys["along"].any()
    eye = type(part)(**{**vars(part), "keys": tiny, "kinds": ("eye",)})
    assert list(geometry.without_small_moves(eye, 1e-5).keys) == ["along"]


@pytest.mark.parametrize("size", [4, 8, 12, 16, 40])
def test_resizing_keeps_ramps_and_means(load, size):
    resized = load("resample").resized
    ramp = np.broadcast_to((np.arange(16) + 0.5) / 16, (16, 16))[..., None].astype(np.float32)
    made = resized(ramp, size, size)
    expected = (np.arange(size) + 0.5) / size
    inside = slice(size // 16 + 1, size - size // 16 - 1)
    exact = 16 % size == 0 or size > 16  # else texels that are cut count by their share
    np.testing.assert_allclose(
        made[0, inside, 0], expected[inside], atol=1e-5 if exact else 0.5 / 16 / 4
    )
    noise = np.random.default_rng(0).random((16, 16, 3)).astype(np.float32)
    if size <= 16:
        assert resized(noise, size, size).mean() == pytest.approx(noise.mean(), abs=1e-5)


def test_colours_are_averaged_as_light_and_by_cover(load):
    resample = load("resample")
    image = np.zeros((2, 2, 4), np.float32)
    image[0], image[1] = (1, 1, 1, 1), (0, 0, 0, 1)
    grey = resample.resized_colour(image, 1, 1)[0, 0]
    assert srgb_to_linear(grey[0]) == pytest.approx(0.5, abs=1e-5) and grey[3] == 1
    image[1, :, 3] = 0.0  # what cannot be seen has no colour
    seen = resample.resized_colour(image, 1, 1)[0, 0]
    np.testing.assert_allclose(seen, [1, 1, 1, 0.5], atol=1e-5)
    assert linear_to_srgb(np.float64(0.5)) == pytest.approx(grey[0], abs=1e-5)


def test_normals_stay_normals(load):
    resample = load("resample")
    tilted = np.array([[[0.6, 0.0, 0.8], [-0.6, 0.0, 0.8]], [[0.0, 0.6, 0.8], [0.0, 0.6, 0.8]]])
    stored = signed_to_unit(tilted.astype(np.float32))
    small = resample.resized_normals(stored, 1, 1) * 2 - 1
    mean = tilted.reshape(-1, 3).mean(0)
    np.testing.assert_allclose(small[0, 0], mean / np.linalg.norm(mean), atol=1e-5)
    np.testing.assert_allclose(resample.with_relief(stored, 0.0) * 2 - 1, [[[0, 0, 1]] * 2] * 2)
    assert resample.with_relief(stored, 1.0) is stored
    flipped = resample.turned_green(stored)
    np.testing.assert_allclose(flipped[..., 1], 1 - stored[..., 1], atol=1e-6)
    np.testing.assert_allclose(resample.turned_green(flipped), stored, atol=1e-6)


def test_settings_refuse_nonsense(load):
    settings = load("settings").ExportSettings
    for wrong in ({"texture_size": 300}, {"lods": 4}, {"keys": "SOME"}):
        with pytest.raises(Exception, match="must be"):
            settings(**wrong)
