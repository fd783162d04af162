"""The best of several photos, texel by texel, and which photos show the person."""

from types import SimpleNamespace

import numpy as np
import pytest

from engine.fit.settings import SeveralSettings
from engine.fit.several import SeenSkin, best_texels, prepare_person
from engine.nets.bundle import Nets
from engine.photo.load import Photo
from engine.photo.settings import PrepareSettings
from engine.protocol.errors import EngineError, ErrorCode
from engine.reporter import NullReporter

SIZE = 96
SETTINGS = SeveralSettings()


def skin(unlit: np.ndarray, seen: np.ndarray, sharpness: float) -> SeenSkin:
    return SeenSkin(
        unlit.astype(np.float32), seen.astype(np.float32), np.full_like(seen, sharpness)
    )


@pytest.fixture
def grain() -> np.ndarray:
    noise = np.random.default_rng(0).normal(0.0, 0.05, (SIZE, SIZE, 1))
    return np.repeat(noise, 3, axis=-1)


def test_one_photo_is_taken_as_it_is(grain) -> None:
    only = skin(0.5 + grain, np.ones((SIZE, SIZE)), 1.0)
    unlit, seen = best_texels([only], np.full((SIZE, SIZE, 3), 0.5), SETTINGS)
    assert unlit is only.unlit and seen is only.seen


def test_fine_structure_comes_from_the_sharper_photo(grain) -> None:
    below, whole = np.full((SIZE, SIZE, 3), 0.5), np.ones((SIZE, SIZE))
    sharp, blurred = skin(0.5 + grain, whole, 2.0), skin(0.5 - grain, whole, 0.5)
    unlit, _ = best_texels([blurred, sharp], below, SETTINGS)
    np.testing.assert_allclose(unlit, 0.5 + grain, atol=0.03)


def test_missed_light_is_averaged_away() -> None:
    below, whole = np.full((SIZE, SIZE, 3), 0.5), np.ones((SIZE, SIZE))
    brighter, darker = skin(below + 0.06, whole, 1.0), skin(below - 0.06, whole, 1.0)
    unlit, _ = best_texels([brighter, darker], below, SETTINGS)
    np.testing.assert_allclose(unlit[20:-20, 20:-20], 0.5, atol=0.005)


def test_each_half_comes_from_the_photo_that_saw_it(grain) -> None:
    below, left = np.full((SIZE, SIZE, 3), 0.5), np.zeros((SIZE, SIZE))
    left[:, : SIZE // 2] = 1.0
    one, two = skin(0.5 + grain, left, 1.0), skin(0.5 - grain, 1.0 - left, 1.0)
    unlit, seen = best_texels([one, two], below, SETTINGS)
    assert (seen == 1.0).all()
    np.testing.assert_allclose(unlit[:, :30], (0.5 + grain)[:, :30], atol=0.02)
    np.testing.assert_allclose(unlit[:, -30:], (0.5 - grain)[:, -30:], atol=0.02)


def photo(name: str) -> Photo:
    return Photo(np.zeros((200, 200, 3), np.float32), 200, 200, None, name, name)


class PretendNets:
    """Faces of a photo by its name: each an embedding's first number."""

    FACES = {
        "a.jpg": [0.0],
        "b.jpg": [0.1],
        "two.jpg": [0.9, 0.2],
        "other.jpg": [0.9],
        "none.jpg": [],
    }

    def detect_faces(self, pixels: np.ndarray) -> list[float]:
        return self.FACES.get(self._names[id(pixels)], [])

    def know(self, photos: list[Photo]) -> None:
        self._names = {id(one.pixels): one.name for one in photos}

    def face_mesh(self, pixels: np.ndarray, face: float) -> SimpleNamespace:
        points = np.random.default_rng(1).uniform(50, 150, (468, 3)).astype(np.float32)
        points[0] = face
        return SimpleNamespace(points=points, presence=1.0)

    def aligned(self, pixels: np.ndarray, mesh: SimpleNamespace) -> SimpleNamespace:
        return mesh

    def embed(self, pixels: np.ndarray, points: np.ndarray) -> np.ndarray:
        return np.eye(128)[0] * points[0, 0]

    def person_mask(self, pixels: np.ndarray) -> np.ndarray:
        return np.ones(pixels.shape[:2], np.float32)


def prepare(names: list[str]):
    photos, nets = [photo(name) for name in names], PretendNets()
    nets.know(photos)
    assert set(dir(PretendNets)) >= {"detect_faces", "face_mesh", "embed"} <= set(dir(Nets))
    return prepare_person(photos, nets, None, PrepareSettings(), SETTINGS, NullReporter())


def test_somebody_else_is_noticed_and_named() -> None:
    person = prepare(["a.jpg", "other.jpg", "b.jpg"])
    assert person.indices == (0, 2) and len(person.photos) == 2
    (warning,) = person.warnings
    assert "other.jpg" in warning and "somebody else than a.jpg" in warning and "0.90" in warning


def test_the_person_is_found_among_several_faces() -> None:
    person = prepare(["a.jpg", "two.jpg"])
    assert [one.face for one in person.photos] == [0, 1] and not person.warnings


def test_a_photo_without_a_face_is_left_out_but_the_first_must_have_one() -> None:
    person = prepare(["a.jpg", "none.jpg"])
    assert person.indices == (0,) and "none.jpg was left out" in person.warnings[0]
    with pytest.raises(EngineError) as caught:
        prepare(["none.jpg", "a.jpg"])
    assert caught.value.code is ErrorCode.NO_FACE
