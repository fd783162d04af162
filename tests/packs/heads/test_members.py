"""Outside files that ask for too much: refused before it is taken."""

import io
import tarfile
import zipfile
import zlib
from pathlib import Path

import pytest

from engine.packs.heads.files.members import read_members
from engine.packs.heads.files.npz import parse_npz
from engine.packs.heads.files.obj import parse_obj
from engine.protocol.errors import EngineError

HEADER = 12
"""Where the first block of an .xz file begins (the .xz file format, 2.1.1)."""


def archive(dictionary: int | None) -> bytes:
    """A .tar.xz with one file; dictionary: exponent that its header claims (format, 5.3.1)."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:xz") as tar:
        info = tarfile.TarInfo("folder/one.obj")
        info.size = 3
        tar.addfile(info, io.BytesIO(b"abc"))
    data = bytearray(file.getvalue())
    if dictionary is not None:
        end = HEADER + (data[HEADER] + 1) * 4 - 4
        data[data.index(b"\x21\x01", HEADER) + 2] = dictionary
        data[end : end + 4] = zlib.crc32(data[HEADER:end]).to_bytes(4, "little")
    return bytes(data)


def test_an_archive_that_asks_for_gigabytes_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.tar.xz"
    path.write_bytes(archive(None))
    assert list(read_members(path, {"one.obj"})) == [("one.obj", b"abc")]
    path.write_bytes(archive(40))  # 4 GB - 1
    with pytest.raises(EngineError, match="cannot be read"):
        list(read_members(path, {"one.obj"}))


@pytest.mark.parametrize("index", ["2147483648", "18446744073709551616", "-18446744073709551616"])
def test_corners_that_no_mesh_has_are_refused(index: str) -> None:
    with pytest.raises(EngineError, match="line 4"):
        parse_obj(f"v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 {index}\n", "x.obj")


@pytest.mark.parametrize("header", ["{'descr': '<f4', 'fortran_order'", "-" * 9000 + "1", "\n x"])
def test_an_array_without_a_header_is_refused(header: str) -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        text = header.encode()
        archive.writestr("base.npy", b"\x93NUMPY\1\0" + len(text).to_bytes(2, "little") + text)
    with pytest.raises(EngineError, match="damaged entry"):
        parse_npz(file.getvalue(), "x.npz", ("base",))
    assert parse_npz(file.getvalue(), "x.npz", (), ("base",)) == {}
