"""Result directories appear whole, replace only results, and leave nothing behind on failure."""

import errno
import json
import os
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

import engine.result.write as writing
from engine.protocol.errors import EngineError, ErrorCode
from engine.protocol.result import read_result
from engine.protocol.result_schema import OTHER_FILES, REQUIRED_FILES
from engine.result.contents import ResultContents
from engine.result.folder import check_output
from engine.result.write import png_bytes, write_result
from tests.fixtures.small_result import small_contents


def refusal(output: Path, contents: ResultContents | None = None) -> EngineError:
    with pytest.raises(EngineError) as caught:
        write_result(output, contents or small_contents())
    assert caught.value.code == ErrorCode.BAD_OUTPUT
    assert caught.value.hint
    return caught.value


def test_round_trip(tmp_path: Path) -> None:
    contents = small_contents()
    folder = write_result(tmp_path / "result", contents)
    assert list(tmp_path.iterdir()) == [folder]
    package = read_result(folder)
    found = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert (
        found == {*package.manifest.files, "result.json"}
        and {*REQUIRED_FILES, *OTHER_FILES} < found
    )
    assert package.manifest == contents.manifest(package.manifest.files)
    assert np.array_equal(package.mesh.neutral, contents.mesh.neutral)
    assert np.array_equal(package.mesh.expression, contents.mesh.expression)
    for name, array in contents.coefficients.items():
        assert np.abs(package.coefficients[name] - array).max() < 1e-6
    assert np.array_equal(package.coefficients["translation"], np.float32([0, 0, 1.2]))
    albedo = np.asarray(Image.open(package.path("maps/albedo.png")))
    assert np.abs(albedo / 255 - contents.maps["albedo"]).max() <= 0.5 / 255 + 1e-6


def test_a_result_for_blender_alone_is_without_the_other_files(tmp_path: Path) -> None:
    contents = replace(small_contents(), render=None, compare=None)
    package = read_result(write_result(tmp_path / "result", contents))
    assert not set(OTHER_FILES) & set(package.manifest.files)
    assert set(REQUIRED_FILES) <= set(package.manifest.files)


def test_depth_and_channels_of_pictures() -> None:
    deep = np.arange(16 * 16 * 3, dtype=np.uint16).reshape(16, 16, 3) * 80
    back = cv2.imdecode(np.frombuffer(png_bytes(deep), np.uint8), cv2.IMREAD_UNCHANGED)
    assert np.array_equal(back[..., ::-1], deep)
    rgba = np.random.default_rng(0).integers(0, 256, (8, 8, 4), np.uint8)
    back = cv2.imdecode(np.frombuffer(png_bytes(rgba), np.uint8), cv2.IMREAD_UNCHANGED)
    assert np.array_equal(back[..., [2, 1, 0, 3]], rgba)


def test_equal_contents_give_equal_files(tmp_path: Path) -> None:
    one = read_result(write_result(tmp_path / "one", small_contents()))
    two = read_result(write_result(tmp_path / "two", small_contents()))
    assert one.manifest.files == two.manifest.files


def test_pictures_encoded_before_give_the_same_files(tmp_path: Path) -> None:
    contents = small_contents()
    early = {"maps/albedo.png": png_bytes(contents.maps["albedo"])}
    one = read_result(write_result(tmp_path / "one", contents))
    two = read_result(write_result(tmp_path / "two", replace(contents, encoded=early)))
    assert one.manifest.files == two.manifest.files


def test_what_a_killed_process_left_comes_back_or_goes(tmp_path: Path) -> None:
    folder = write_result(tmp_path / "result", small_contents())
    hidden = tmp_path / ".result.0123abcd.old"
    folder.rename(hidden)  # killed between the two renames
    draft, fresh = (tmp_path / f".result.{digit * 8}.part" for digit in "12")
    draft.mkdir(), fresh.mkdir()
    os.utime(draft, (0, 0))
    check_output(folder)
    assert read_result(folder).manifest.seed == 7 and not hidden.exists()
    write_result(folder, small_contents())
    assert sorted(tmp_path.iterdir()) == [fresh, folder]


def test_an_older_result_is_replaced(tmp_path: Path) -> None:
    folder = write_result(tmp_path / "result", small_contents())
    (folder / ".DS_Store").touch()
    write_result(folder, replace(small_contents(), seed=8))
    assert read_result(folder).manifest.seed == 8
    assert list(tmp_path.iterdir()) == [folder]


def test_a_result_of_an_earlier_version_is_replaced_but_no_file_beside_it(tmp_path: Path) -> None:
    folder = write_result(tmp_path / "result", small_contents())
    path = folder / "result.json"
    plain = json.loads(path.read_text())
    del plain["stages"]
    (folder / "maps" / "confidence_of_old.png").touch()
    plain["files"]["maps/confidence_of_old.png"] = "0" * 64
    path.write_text(json.dumps(plain | {"schema": 1}))
    (folder / "notes.txt").touch()
    assert "notes.txt" in refusal(folder).message
    (folder / "notes.txt").unlink()
    write_result(folder, small_contents())
    assert not (folder / "maps" / "confidence_of_old.png").exists() and read_result(folder)


@pytest.mark.parametrize("change", [{"schema": 99}, {"schema": 0}, {"files": ["a"]}])
def test_what_only_resembles_a_result_is_refused(tmp_path: Path, change: dict[str, object]) -> None:
    folder = write_result(tmp_path / "result", small_contents())
    path = folder / "result.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    assert "unreadable result.json" in refusal(folder).message


def test_missing_parents_are_made_and_an_empty_folder_is_used(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert read_result(write_result(tmp_path / "empty", small_contents()))
    assert read_result(write_result(tmp_path / "a" / "b" / "ünï", small_contents()))


def test_other_folders_and_files_are_refused(tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "thesis.txt").write_text("irreplaceable")
    assert "thesis.txt" in refusal(mine).message
    (tmp_path / "folders" / "in" / "folders").mkdir(parents=True)
    assert "in" in refusal(tmp_path / "folders").message
    (mine / "result.json").write_text("{}")
    assert "result.json" in refusal(mine).message
    assert "is a file" in refusal(mine / "thesis.txt").message
    refusal(mine / "thesis.txt" / "below")
    assert (mine / "thesis.txt").read_text() == "irreplaceable"


def test_a_result_with_somebodys_files_in_it_is_refused(tmp_path: Path) -> None:
    folder = write_result(tmp_path / "result", small_contents())
    (folder / "maps" / "head.blend").write_text("hours of work")
    assert "maps/head.blend" in refusal(folder).message
    assert (folder / "maps" / "head.blend").exists() and read_result(folder)


@pytest.mark.skipif(os.name == "nt", reason="symbolic links need a right on Windows")
def test_a_linked_folder_is_refused_or_followed_but_never_emptied(tmp_path: Path) -> None:
    folder = write_result(tmp_path / "result", small_contents())
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "file").touch()
    (folder / "link").symlink_to(tmp_path / "precious")
    refusal(folder)
    (tmp_path / "alias").symlink_to(tmp_path / "precious")
    refusal(tmp_path / "alias")
    assert (tmp_path / "precious" / "file").exists()


@pytest.mark.parametrize("where", ["write_safetensors", "glb_bytes", "file_sha256"])
@pytest.mark.parametrize(
    ("error", "code"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), ErrorCode.BAD_OUTPUT),
        (OSError(errno.EROFS, "Read-only file system"), ErrorCode.BAD_OUTPUT),
        (KeyboardInterrupt(), None),
    ],
)
def test_a_failure_anywhere_leaves_everything_as_it_was(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    where: str,
    error: BaseException,
    code: ErrorCode | None,
) -> None:
    old = write_result(tmp_path / "old", small_contents())

    def fail(*arguments: object) -> None:
        raise error

    monkeypatch.setattr(writing, where, fail)
    for output in (old, tmp_path / "new", tmp_path / "a" / "b"):
        with pytest.raises(KeyboardInterrupt if code is None else EngineError) as caught:
            write_result(output, small_contents())
        assert code is None or caught.value.code == code
    assert list(tmp_path.iterdir()) == [old] and read_result(old)


def test_a_failed_swap_brings_the_old_result_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, rename = write_result(tmp_path / "result", small_contents()), os.rename

    def fail_for_draft(source: Path, target: Path) -> None:
        if Path(source).suffix == ".part":
            raise PermissionError(errno.EACCES, "in use")
        rename(source, target)

    monkeypatch.setattr(os, "rename", fail_for_draft)
    assert "in use" in refusal(folder).message
    assert list(tmp_path.iterdir()) == [folder] and read_result(folder)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 KB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)]
    if os.name == "nt" or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("a small file system needs the right to mount")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_full_disk(small_disk: Path) -> None:
    noise = np.random.default_rng(0).random((200, 200, 3))  # does not compress: 120 KB
    error = refusal(small_disk / "result", replace(small_contents(), compare=noise))
    assert "disk is full" in error.message
    assert list(small_disk.iterdir()) == []


def test_read_only_disk(small_disk: Path) -> None:
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    refusal(small_disk / "result")
    refusal(small_disk / "a" / "b")
    with pytest.raises(EngineError):
        check_output(small_disk / "result")


def test_results_that_break_the_schema_are_not_written(tmp_path: Path) -> None:
    good = small_contents()
    nan = np.where(np.arange(16)[:, None, None] == 3, np.nan, good.maps["albedo"])
    mesh = good.mesh
    for bad in (
        replace(good, coefficients={**good.coefficients, "identity": np.full(4, np.nan)}),
        replace(good, coefficients={**good.coefficients, "expression": np.zeros(2)}),
        replace(good, maps={**good.maps, "albedo": nan}),
        replace(good, maps={"albedo": good.maps["albedo"]}),
        replace(good, metrics={"error": float("inf")}),
        replace(good, mesh=replace(mesh, quads=mesh.quads + 1)),
        replace(good, camera=replace(good.camera, R=((1, 0, 0), (0, 1, 0), (0, 0, -1)))),
    ):
        with pytest.raises(EngineError) as caught:
            write_result(tmp_path / "result", bad)
        assert caught.value.code == ErrorCode.INTERNAL
    assert list(tmp_path.iterdir()) == []
