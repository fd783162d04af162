"""Photos kept between jobs: the same ones for the same question, never older ones."""

from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

import engine.fit.session as sessions
from engine.fit.session import Session
from engine.fit.settings import FitSettings
from engine.reporter import NullReporter

LOADED = SimpleNamespace(nets=None)


def write_photo(path: Path, grey: int, side: int = 240) -> str:
    cv2.imwrite(str(path), np.full((side, side, 3), grey, np.uint8))
    return str(path)


@pytest.fixture
def prepared(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Grey of each first photo that was prepared, in [0, 1]."""
    seen: list[float] = []

    def prepare(photos, *rest) -> tuple[float, ...]:
        seen.append(float(photos[0].pixels.mean()))
        return tuple(seen)

    monkeypatch.setattr(sessions, "prepare_person", prepare)
    return seen


def ask(session: Session, *paths: str, face: int | None = None) -> object:
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
