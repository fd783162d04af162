"""Reading photos: every kind that is read, and every way a file can be unusable."""

import os
import random
from io import BytesIO
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image, ImageCms, PngImagePlugin

from engine.config import PhotoLimits
from engine.photo.load import BACKDROP, load_photo
from engine.protocol.conventions import bytes_to_unit
from engine.protocol.errors import EngineError, ErrorCode

HEIGHT, WIDTH = 210, 260
ORIENTATION, EXIF_IFD, FOCAL_35MM = 0x0112, 0x8769, 0xA405


@pytest.fixture
def picture() -> np.ndarray:
    """(210, 260, 3) uint8: smooth colours, different in every corner."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    return np.stack([x * 255 / WIDTH, y * 255 / HEIGHT, (x + y) * 100 / WIDTH], -1).astype(np.uint8)


def unit(image: np.ndarray) -> np.ndarray:
    return image / np.iinfo(image.dtype).max


def refusal(path: Path, limits: PhotoLimits | None = None) -> EngineError:
    with pytest.raises(EngineError) as caught:
        load_photo(path, limits)
    assert caught.value.code == ErrorCode.BAD_INPUT
    assert "\n" not in str(caught.value) and caught.value.hint
    return caught.value


@pytest.mark.parametrize(
    ("name", "options", "tolerance"),
    [
        ("a.png", {}, 1e-6),
        ("a.jpg", {"quality": 95}, 0.03),
        ("a.webp", {"quality": 95}, 0.05),
        ("a.webp", {"lossless": True}, 1e-6),
        ("a.tiff", {}, 1e-6),
        ("Bild übung 写真.png", {}, 1e-6),
    ],
)
def test_common_formats(
    tmp_path: Path, picture: np.ndarray, name: str, options: dict, tolerance: float
) -> None:
    Image.fromarray(picture).save(tmp_path / name, **options)
    photo = load_photo(tmp_path / name)
    assert photo.pixels.dtype == np.float32 and photo.pixels.flags.c_contiguous
    assert (photo.width, photo.height) == (WIDTH, HEIGHT) and len(photo.sha256) == 64
    assert np.abs(photo.pixels - unit(picture)).max() < tolerance


@pytest.mark.parametrize("mode", ["L", "1", "P", "CMYK", "YCbCr"])
def test_other_colour_modes(tmp_path: Path, picture: np.ndarray, mode: str) -> None:
    image = Image.fromarray(picture).convert(mode)
    path = tmp_path / "a.tiff"
    image.save(path)
    expected = unit(np.asarray(image.convert("RGB")))
    assert np.abs(load_photo(path).pixels - expected).max() < 0.01


def test_a_cmyk_jpeg_is_not_inverted(tmp_path: Path, picture: np.ndarray) -> None:
    path = tmp_path / "a.jpg"
    Image.fromarray(picture).convert("CMYK").save(path, quality=95)
    assert np.abs(load_photo(path).pixels - unit(picture)).mean() < 0.02


@pytest.mark.parametrize("suffix", [".png", ".tiff"])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_sixteen_bits_are_kept(tmp_path: Path, suffix: str, channels: int) -> None:
    ramp = np.linspace(20_000, 24_000, HEIGHT * WIDTH).astype(np.uint16).reshape(HEIGHT, WIDTH)
    deep = np.stack([ramp, ramp[::-1], ramp[:, ::-1]], -1)
    stored = {
        1: ramp,
        3: deep[..., ::-1],
        4: np.dstack([deep[..., ::-1], np.full_like(ramp, 65535)]),
    }
    path = tmp_path / ("a" + suffix)
    cv2.imwrite(str(path), stored[channels])
    expected = unit(deep if channels > 1 else np.repeat(ramp[..., None], 3, -1))
    assert np.abs(load_photo(path).pixels - expected).max() < 1e-6


@pytest.mark.parametrize("deep", [False, True])
def test_transparent_pixels_become_the_backdrop(
    tmp_path: Path, picture: np.ndarray, deep: bool
) -> None:
    alpha = np.full((HEIGHT, WIDTH), 255, np.uint8)
    alpha[:100], alpha[100:120] = 0, 51
    rgba = np.dstack([picture, alpha])
    path = tmp_path / "a.png"
    if deep:
        cv2.imwrite(str(path), cv2.cvtColor(rgba.astype(np.uint16) * 257, cv2.COLOR_RGBA2BGRA))
    else:
        Image.fromarray(rgba).save(path)
    pixels = load_photo(path).pixels
    assert np.abs(pixels[:100] - BACKDROP).max() < 1e-6
    assert np.abs(pixels[100:120] - (0.2 * unit(picture)[100:120] + 0.8 * BACKDROP)).max() < 1e-5
    assert np.abs(pixels[120:] - unit(picture)[120:]).max() < 1e-6


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.webp", "a.tiff"])
def test_orientation_is_applied_once(
    tmp_path: Path, picture: np.ndarray, orientation: int, name: str
) -> None:
    # Where the first stored row and column lie in the upright picture (Exif 2.3, table 6).
    stored = {
        1: picture,
        2: picture[:, ::-1],
        3: picture[::-1, ::-1],
        4: picture[::-1],
        5: picture.transpose(1, 0, 2),
        6: np.rot90(picture),
        7: picture[::-1, ::-1].transpose(1, 0, 2),
        8: np.rot90(picture, -1),
    }[orientation]
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    options = {"lossless": True} if name.endswith("webp") else {"quality": 98}
    Image.fromarray(np.ascontiguousarray(stored)).save(tmp_path / name, exif=exif, **options)
    photo = load_photo(tmp_path / name)
    assert (photo.width, photo.height) == (WIDTH, HEIGHT)
    assert np.abs(photo.pixels - unit(picture)).max() < 0.05


def test_focal_length_from_exif(tmp_path: Path, picture: np.ndarray) -> None:
    exif = Image.Exif()
    exif.get_ifd(EXIF_IFD)[FOCAL_35MM] = 85
    Image.fromarray(picture).save(tmp_path / "a.jpg", exif=exif)
    assert load_photo(tmp_path / "a.jpg").focal_35mm == 85.0
    Image.fromarray(picture).save(tmp_path / "b.jpg")
    assert load_photo(tmp_path / "b.jpg").focal_35mm is None


@pytest.mark.parametrize("value", [0, -1, 9, 65535])
def test_nonsense_in_exif_counts_as_absent(tmp_path: Path, picture: np.ndarray, value: int) -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = value & 0xFFFF
    Image.fromarray(picture).save(tmp_path / "a.jpg", exif=exif)
    data = (tmp_path / "a.jpg").read_bytes()
    (tmp_path / "b.jpg").write_bytes(
        data.replace(b"Exif\0\0II*\0\x08\0\0\0", b"Exif\0\0II*\0\xff\xff\xff\0")
    )
    for name in ("a.jpg", "b.jpg"):
        assert load_photo(tmp_path / name).width == WIDTH


def wide_gamut_profile() -> bytes:
    """An RGB profile whose red and green are swapped: its effect cannot be missed."""
    raw = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    raw = raw.replace(b"rXYZ", b"tmpX").replace(b"gXYZ", b"rXYZ").replace(b"tmpX", b"gXYZ")
    return bytes(raw.replace("sRGB".encode("utf-16-be"), "Swap".encode("utf-16-be")))


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.webp", "a.tiff"])
def test_an_embedded_profile_is_converted(tmp_path: Path, picture: np.ndarray, name: str) -> None:
    options = {"lossless": True} if name.endswith("webp") else {"quality": 98}
    Image.fromarray(picture).save(tmp_path / name, icc_profile=wide_gamut_profile(), **options)
    pixels = load_photo(tmp_path / name).pixels
    assert np.abs(pixels - unit(picture)[..., [1, 0, 2]]).mean() < 0.02


def test_a_damaged_profile_counts_as_srgb(tmp_path: Path, picture: np.ndarray) -> None:
    Image.fromarray(picture).save(tmp_path / "a.png", icc_profile=b"not a profile")
    assert np.abs(load_photo(tmp_path / "a.png").pixels - unit(picture)).max() < 1e-6


def test_a_profile_of_another_colour_space_is_ignored(tmp_path: Path, picture: np.ndarray) -> None:
    grey = Image.fromarray(picture).convert("L")
    grey.save(tmp_path / "a.png", icc_profile=wide_gamut_profile())
    assert (
        np.abs(load_photo(tmp_path / "a.png").pixels[..., 0] - unit(np.asarray(grey))).max() < 1e-6
    )


def test_sizes_out_of_range(tmp_path: Path) -> None:
    for size in ((199, 400), (400, 199), (1, 1)):
        Image.new("RGB", size).save(tmp_path / "small.png")
        assert f"{size[0]} x {size[1]}" in refusal(tmp_path / "small.png").message
    Image.new("1", (10_001, 5_000)).save(tmp_path / "large.png")
    assert "50 million" in refusal(tmp_path / "large.png").message
    Image.new("RGB", (300, 300)).save(tmp_path / "a.bmp", format="PNG")
    assert "MB" in refusal(tmp_path / "a.bmp", PhotoLimits(most_bytes=50)).message


def test_a_long_panorama_below_the_limit_is_read(tmp_path: Path) -> None:
    Image.new("L", (12_000, 2_000)).save(tmp_path / "a.png")
    assert load_photo(tmp_path / "a.png").width == 12_000


@pytest.mark.parametrize("side", [10_000, 60_000])
def test_a_decompression_bomb_is_refused_by_its_header(tmp_path: Path, side: int) -> None:
    data = BytesIO()
    Image.new("1", (300, 300)).save(data, "PNG")
    raw = bytearray(data.getvalue())
    raw[16:24] = side.to_bytes(4, "big") * 2
    raw[29:33] = (__import__("zlib").crc32(raw[12:29])).to_bytes(4, "big")
    (tmp_path / "a.png").write_bytes(raw)
    assert "50 million" in refusal(tmp_path / "a.png").message


def test_a_text_chunk_bomb_is_refused(tmp_path: Path) -> None:
    info = PngImagePlugin.PngInfo()
    info.add_text("a", "x" * 80 * 2**20, zip=True)
    Image.new("L", (300, 300)).save(tmp_path / "a.png", pnginfo=info)
    assert "damaged" in refusal(tmp_path / "a.png").message


def test_not_a_file_at_all(tmp_path: Path) -> None:
    assert "no file" in refusal(tmp_path / "absent.png").message
    assert "folder" in refusal(tmp_path).message
    (tmp_path / "empty.png").touch()
    assert "empty" in refusal(tmp_path / "empty.png").message
    (tmp_path / "text.jpg").write_text("Dear Sir or Madam, " * 100)
    assert "not a picture" in refusal(tmp_path / "text.jpg").message
    Image.new("RGB", (300, 300)).save(tmp_path / "a.gif")
    assert "not a picture" in refusal(tmp_path / "a.gif").message


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may read everything")
def test_no_permission(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"x")
    (tmp_path / "a.png").chmod(0)
    assert "permission" in refusal(tmp_path / "a.png").hint


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.webp", "a.tiff", "deep.png", "deep.tiff"])
def test_damaged_files_are_refused_or_read_but_never_crash(
    tmp_path: Path, picture: np.ndarray, name: str
) -> None:
    path = tmp_path / name
    noise = np.random.default_rng(0).integers(0, 50, picture.shape)
    if name.startswith("deep"):
        cv2.imwrite(str(path), (picture + noise).astype(np.uint16) * 200)
    else:
        Image.fromarray((picture // 2 + noise).astype(np.uint8)).save(path)
    whole = path.read_bytes()
    for part in (0.3, 0.7, 0.95):
        path.write_bytes(whole[: int(len(whole) * part)])
        assert "damaged" in refusal(path).message or "not a picture" in refusal(path).message
    dice = random.Random(name)
    for _ in range(60):
        broken = bytearray(whole)
        for _ in range(dice.choice((1, 3, 30))):
            broken[dice.randrange(dice.choice((60, 1000, len(whole))))] = dice.randrange(256)
        path.write_bytes(broken)
        try:
            pixels = load_photo(path).pixels
        except EngineError as error:
            assert error.code == ErrorCode.BAD_INPUT
        else:
            assert np.isfinite(pixels).all() and 0 <= pixels.min() and pixels.max() <= 1


def test_pixels_are_exactly_the_files_bytes(tmp_path: Path) -> None:
    """The slow twin divides."""
    stored = np.arange(256 * 240 * 3).reshape(240, 256, 3).astype(np.uint8)
    Image.fromarray(stored).save(tmp_path / "ramp.png")
    pixels = load_photo(tmp_path / "ramp.png").pixels
    assert pixels.dtype == np.float32 and pixels.flags.c_contiguous and pixels.flags.writeable
    np.testing.assert_array_equal(pixels, bytes_to_unit(stored))
