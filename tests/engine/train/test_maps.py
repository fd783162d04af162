"""Finding and reading skin maps: folders, archives, a data set as it is handed out, bad files."""

import zipfile
from pathlib import Path

import cv2
import numpy as np
import pytest

from engine.protocol.errors import EngineError
from engine.train.maps import list_maps, read_map


def _picture(side: int = 64, seed: int = 0, channels: int = 3) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (side, side, channels), np.uint8)


def _encoded(image: np.ndarray, suffix: str = ".png") -> bytes:
    swap = cv2.COLOR_RGBA2BGRA if image.shape[2] == 4 else cv2.COLOR_RGB2BGR
    return cv2.imencode(suffix, cv2.cvtColor(image, swap))[1].tobytes()


def _write(path: Path, image: np.ndarray) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(_encoded(image, path.suffix))
    return path


@pytest.fixture
def download(tmp_path: Path) -> Path:
    """FFHQ-UV as it comes: the folders of its storage and the archives of its script."""
    maps = tmp_path / "FFHQ-UV" / "dataset" / "ffhq-uv" / "uv-maps"
    for index in range(3):
        _write(maps / f"{index:06d}.png", _picture(seed=index))
    (maps.parent / "meta-info.json").write_text("{}")
    (maps.parent / "face-latents").mkdir()
    (maps.parent / "face-latents" / "000000.npy").write_bytes(b"no picture")
    script = tmp_path / "ffhq-uv-interpolate"
    script.mkdir()
    with zipfile.ZipFile(script / "001.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("001/001000.png", _encoded(_picture(seed=10)))
        archive.writestr("__MACOSX/001/._001000.png", b"companion")
    with zipfile.ZipFile(script / "000.zip", "w") as archive:
        archive.writestr("000001.png", _encoded(_picture(seed=11)))
        archive.writestr("000000.png", _encoded(_picture(seed=12)))
    return tmp_path


def test_a_download_is_read_as_it_comes(download: Path) -> None:
    found = [path.relative_to(download).as_posix() for path in list_maps(download)]
    assert found == [
        "FFHQ-UV/dataset/ffhq-uv/uv-maps/000000.png",
        "FFHQ-UV/dataset/ffhq-uv/uv-maps/000001.png",
        "FFHQ-UV/dataset/ffhq-uv/uv-maps/000002.png",
        "ffhq-uv-interpolate/000.zip/000000.png",
        "ffhq-uv-interpolate/000.zip/000001.png",
        "ffhq-uv-interpolate/001.zip/001/001000.png",
    ]
    seeds = (0, 1, 2, 12, 11, 10)
    for path, seed in zip(list_maps(download), seeds, strict=True):
        np.testing.assert_array_equal(read_map(path, 64).image, _picture(seed=seed))
    archive = download / "ffhq-uv-interpolate" / "000.zip"
    assert list_maps(archive) == (archive / "000000.png", archive / "000001.png")


def test_sizes_are_area_averages(tmp_path: Path) -> None:
    image = _picture(128)
    small = read_map(_write(tmp_path / "a.png", image), 64)
    expected = image.reshape(64, 2, 64, 2, 3).mean(axis=(1, 3))
    assert np.abs(small.image - expected).max() <= 0.5
    assert small.image.dtype == np.uint8 and small.coverage.min() == 1.0
    np.testing.assert_allclose(small.unit(), small.image / 255.0, atol=1e-6)


def test_sixteen_bits_keep_their_depth(tmp_path: Path) -> None:
    deep = np.random.default_rng(0).integers(0, 65536, (64, 64, 3), np.uint16)
    path = tmp_path / "deep.png"
    path.write_bytes(cv2.imencode(".png", deep[..., ::-1])[1].tobytes())
    read = read_map(path, 64)
    np.testing.assert_allclose(read.image, deep / 65535.0, atol=1e-6)
    assert read.bytes().dtype == np.uint8


def test_transparent_parts_do_not_bleed(tmp_path: Path) -> None:
    image = np.zeros((128, 128, 4), np.uint8)
    image[..., :3] = 255
    image[:, ::2, :3] = (10, 20, 30)
    image[:, ::2, 3] = 255
    read = read_map(_write(tmp_path / "a.png", image), 64)
    np.testing.assert_allclose(read.coverage, 0.5, atol=1e-3)
    assert np.all(read.image == (10, 20, 30))


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("flipped.png", "flip", "damaged"),
        ("cut.png", "cut", "damaged"),
        ("cut.jpg", "cut", "damaged"),
        ("empty.png", "empty", "empty"),
        ("text.png", "text", "no picture"),
        ("wide.png", (64, 128, 3), "128 x 64 pixels; a skin map is square"),
        ("odd.png", (100, 100, 3), "odd side of 100"),
        ("small.png", (64, 64, 3), "fewer than the 128 wanted"),
        ("grey.png", (128, 128), "no colour picture"),
    ],
)
def test_bad_files_say_what_is_wrong(tmp_path: Path, name: str, data: object, words: str) -> None:
    path = tmp_path / name
    whole = cv2.imencode(path.suffix, _picture(128))[1].tobytes()
    middle = len(whole) // 2
    made = {
        "flip": whole[:middle] + bytes([whole[middle] ^ 255]) + whole[middle + 1 :],
        "cut": whole[:middle],
        "empty": b"",
        "text": b"not a picture at all",
    }
    if isinstance(data, tuple):
        path.write_bytes(cv2.imencode(".png", np.zeros(data, np.uint8))[1].tobytes())
    else:
        path.write_bytes(made[data])
    with pytest.raises(EngineError, match=words):
        read_map(path, 128)


def test_damaged_archives_are_named_not_skipped(tmp_path: Path) -> None:
    (tmp_path / "000.zip").write_bytes(b"PK no archive")
    _write(tmp_path / "a.png", _picture())
    archive, _ = list_maps(tmp_path)
    assert archive.name == "000.zip"
    with pytest.raises(EngineError, match="no readable zip archive"):
        read_map(archive, 64)


def test_damaged_members_are_refused(tmp_path: Path) -> None:
    data = _encoded(_picture())
    with zipfile.ZipFile(tmp_path / "000.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.png", data)
    raw = bytearray((tmp_path / "000.zip").read_bytes())
    raw[200] ^= 255
    (tmp_path / "000.zip").write_bytes(bytes(raw))
    with pytest.raises(EngineError, match="damaged"):
        read_map(tmp_path / "000.zip" / "a.png", 64)
    with pytest.raises(EngineError, match="holds no file"):
        read_map(tmp_path / "000.zip" / "b.png", 64)


def test_members_cannot_name_files_outside(tmp_path: Path) -> None:
    outside = _write(tmp_path / "secret.png", _picture(seed=1))
    folder = tmp_path / "maps"
    folder.mkdir()
    with zipfile.ZipFile(folder / "000.zip", "w") as archive:
        archive.writestr(outside.as_posix(), _encoded(_picture(seed=2)))
        archive.writestr("../../up.png", _encoded(_picture(seed=3)))
    for path in list_maps(folder):
        assert folder / "000.zip" in path.parents and ".." not in path.parts
        assert not np.array_equal(read_map(path, 64).image, _picture(seed=1))


def test_missing_and_empty_folders_are_refused(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="no folder"):
        list_maps(tmp_path / "absent")
    with pytest.raises(EngineError, match="No skin maps"):
        list_maps(tmp_path)
