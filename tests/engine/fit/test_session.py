"""Photos kept between jobs: the same ones for the same question, never older ones."""

from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

import engine.fit.session as sessions
from engine.fit.pictures import LARGEST_RENDER
from engine.fit.session import Session
from engine.fit.settings import FitSettings
from engine.fit.several import PreparedPerson
from engine.photo.load import Photo
from engine.photo.prepare import PreparedPhoto, WorkingCrop
from engine.reporter import NullReporter

LOADED = SimpleNamespace(nets=None)


def write_photo(path: Path, grey: int, side: int = 240) -> str:
    cv2.imwrite(str(path), np.full((side, side, 3), grey, np.uint8))
    return str(path)


@pytest.fixture
def prepared(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Grey of each first photo that was prepared, in [0, 1]."""
    seen: list[float] = []

    def prepare(photos: list[Photo], *rest: object) -> PreparedPerson:
        seen.append(float(photos[0].pixels.mean()))
        none = np.zeros((468, 3))
        crop = WorkingCrop(photos[0].pixels, none, 0.0, 0.0, 1.0)
        made = tuple(PreparedPhoto(photo, none, 1.0, crop, None, 0, 1) for photo in photos)
        return PreparedPerson(made, tuple(range(len(photos))), ())

    monkeypatch.setattr(sessions, "prepare_person", prepare)
    return seen


def ask(session: Session, *paths: str, face: int | None = None) -> PreparedPerson:
    return session.person(paths, LOADED, face, FitSettings(), NullReporter())


def test_the_same_photos_are_prepared_once(tmp_path: Path, prepared: list[float]) -> None:
    session, path = Session(), write_photo(tmp_path / "a.png", 80)
    assert ask(session, path) is ask(session, path)
    assert len(prepared) == 1


def test_a_changed_file_another_face_or_photo_is_prepared(
    tmp_path: Path, prepared: list[float]
) -> None:
    session, path = Session(), write_photo(tmp_path / "a.png", 80)
    ask(session, path)
    ask(session, path, face=1)
    write_photo(tmp_path / "a.png", 160)
    ask(session, path, face=1)
    ask(session, path, write_photo(tmp_path / "b.png", 20), face=1)
    assert prepared == pytest.approx([80 / 255, 80 / 255, 160 / 255, 160 / 255], abs=1e-3)


def test_very_large_photos_are_not_kept(
    tmp_path: Path, prepared: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "MOST_KEPT", 240 * 240 - 1)
    session, path = Session(), write_photo(tmp_path / "a.png", 80)
    ask(session, path)
    ask(session, path)
    assert len(prepared) == 2


def test_a_large_photo_is_kept_as_small_as_it_is_shown(
    tmp_path: Path, prepared: list[float]
) -> None:
    path = write_photo(tmp_path / "a.png", 80, 2 * LARGEST_RENDER)
    photo = ask(Session(), path).photos[0].photo
    assert photo.pixels.shape == (LARGEST_RENDER, LARGEST_RENDER, 3)
    assert photo.width == photo.height == 2 * LARGEST_RENDER
