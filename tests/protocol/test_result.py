"""Reading result directories: whole ones are read, tampered ones are refused in plain words."""

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine.protocol.errors import EngineError, ErrorCode
from engine.protocol.result import file_sha256, read_manifest, read_result
from engine.protocol.result_schema import PackInfo
from engine.protocol.safetensors import read_safetensors, write_safetensors
from engine.result.write import write_result
from tests.fixtures.small_result import small_contents


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_result(tmp_path_factory.mktemp("whole") / "result", small_contents())


@pytest.fixture
def folder(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(whole, tmp_path / "result"))


def refusal(folder: Path) -> str:
    with pytest.raises(EngineError) as caught:
        read_result(folder)
    assert caught.value.code == ErrorCode.BAD_INPUT
    assert "\n" not in caught.value.message
    return caught.value.message


def edit(folder: Path, change: Callable[[dict], object]) -> None:
    """Change result.json."""
    path = folder / "result.json"
    manifest = json.loads(path.read_text())
    change(manifest)
    path.write_text(json.dumps(manifest))


def edit_arrays(folder: Path, name: str, **changes: np.ndarray | None) -> None:
    """Replace arrays (None removes one) and make the manifest agree with the new file."""
    arrays = {**read_safetensors(folder / name), **changes}
    arrays = {key: array for key, array in arrays.items() if array is not None}
    write_safetensors(folder / name, arrays)
    edit(folder, lambda manifest: manifest["files"].update({name: file_sha256(folder / name)}))
    if name.startswith("coefficients"):
        shapes = {key: list(array.shape) for key, array in arrays.items()}
        edit(folder, lambda manifest: manifest.update(coefficients=shapes))


def test_a_whole_result_is_read(whole: Path) -> None:
    package = read_result(whole)
    assert package.manifest.photo.path == "/photos/übung \udcff.png"
    assert package.path("maps/albedo.png").is_file()
    with pytest.raises(EngineError):
        package.path("../result.json")
    posed = package.mesh.posed(np.array([1.0, 0, 0]))
    assert np.abs(posed - package.mesh.neutral)[:5, 1] == pytest.approx(0.03, abs=1e-4)


def test_packs_of_other_models_are_named(tmp_path: Path) -> None:
    albedo, detail = PackInfo("skin512", "1.0.0", "ab" * 32), PackInfo("fine", "2.0.0", "cd" * 32)
    contents = replace(small_contents(), albedo_pack=albedo, detail_pack=detail)
    manifest = read_result(write_result(tmp_path / "result", contents)).manifest
    assert (manifest.albedo_pack, manifest.detail_pack) == (albedo, detail)


def test_a_result_without_a_detail_model_is_read(tmp_path: Path) -> None:
    good = small_contents()
    rest = {name: array for name, array in good.coefficients.items() if name != "detail"}
    package = read_result(write_result(tmp_path / "result", replace(good, coefficients=rest)))
    assert "detail" not in package.coefficients and package.manifest.detail_pack is None


def test_files_that_changed_vanished_or_lie_elsewhere(folder: Path) -> None:
    target = folder / "maps" / "albedo.png"
    data = bytearray(target.read_bytes())
    data[-20] ^= 1
    target.write_bytes(data)
    assert "maps/albedo.png was changed" in refusal(folder)
    target.unlink()
    assert "maps/albedo.png cannot be read" in refusal(folder)
    target.mkdir()
    assert "not a file" in refusal(folder)
    target.rmdir()
    if os.name != "nt":
        outside = folder.parent / "outside.png"
        outside.write_bytes(b"x")
        target.symlink_to(outside)
        assert "outside" in refusal(folder)


@pytest.mark.parametrize(
    "name",
    [
        "../x.png",
        "/etc/passwd",
        "maps/../../x",
        "C:\\x",
        "maps\\x.png",
        "",
        ".",
        "a//b",
        "a\0b",
        "~/x",
    ],
)
def test_names_that_leave_the_folder(folder: Path, name: str) -> None:
    edit(folder, lambda manifest: manifest["files"].update({name: "0" * 64}))
    assert "not a plain relative file name" in refusal(folder)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda m: m.update(schema=5), "schema is 5, this version reads 4"),
        (lambda m: m.update(schema=3), "schema is 3, this version reads 4"),
        (lambda m: m.update(schema="1"), "schema"),
        (lambda m: m.pop("schema"), "schema"),
        (lambda m: m.update(extra=1), "unknown key 'extra'"),
        (lambda m: m["camera"].pop("K"), "lacks 'K'"),
        (lambda m: m["camera"]["K"].pop(), "camera.K"),
        (lambda m: m["camera"]["K"][2].__setitem__(0, 1), "last row"),
        (lambda m: m["camera"]["R"][0].__setitem__(0, 1e300), "not a rotation"),
        (lambda m: m["camera"]["R"][0].__setitem__(0, -1), "not a rotation"),
        (lambda m: m["camera"].update(width=0), "camera"),
        (lambda m: m["camera"].update(t=[1, 2]), "camera.t"),
        (lambda m: m["light"]["sh"].pop(), "light.sh"),
        (lambda m: m["photo"].update(face=2), "photo.face"),
        (lambda m: m["mesh"]["part_names"].append("skin"), "repeated"),
        (lambda m: m["files"].pop("head.glb"), "head.glb"),
        (lambda m: m["files"].pop("maps/photo_layer.png"), "photo_layer.png"),
        (lambda m: m["files"].pop("maps/normal.png"), "normal.png"),
        (lambda m: m["files"].pop("maps/confidence.png"), "confidence.png"),
        (lambda m: m["files"].pop("maps/baked_light.png"), "baked_light.png"),
        (lambda m: m["files"].pop("residual.png"), "residual.png"),
        (lambda m: m["files"].pop("maps/roughness.png"), "roughness.png"),
        (lambda m: m["files"].update({"head.glb": "xyz"}), "malformed"),
        (lambda m: m["metrics"].update(a="good"), "metrics.a"),
        (lambda m: m.update(albedo_pack={"id": "skin"}), "albedo_pack lacks"),
        (lambda m: m.update(detail_pack={"id": "fine"}), "detail_pack lacks"),
        (lambda m: m["coefficients"].update(identity=[5]), "disagree"),
        (lambda m: m["mesh"]["expression_names"].pop(), "expression"),
        (lambda m: m["mesh"]["part_names"].pop(), "face_part"),
    ],
)
def test_a_manifest_that_is_wrong(folder: Path, change: Callable, words: str) -> None:
    edit(folder, change)
    assert words in refusal(folder)


@pytest.mark.parametrize("text", ["", "[]", "null", "{", "\xff", '{"schema": NaN}', "[" * 99_999])
def test_a_manifest_that_is_not_one(folder: Path, text: str) -> None:
    (folder / "result.json").write_text(text, encoding="latin-1")
    refusal(folder)


def test_no_manifest_and_a_huge_one(folder: Path) -> None:
    (folder / "result.json").write_text(" " * (4 * 2**20 + 1))
    assert "larger" in refusal(folder)
    (folder / "result.json").unlink()
    assert "result.json" in refusal(folder)
    assert "not a folder" in refusal(folder / "absent")
    with pytest.raises(EngineError):
        read_manifest(folder)


@pytest.mark.parametrize(
    ("file", "change", "words"),
    [
        ("mesh", {"quads": None}, "lacks quads"),
        ("mesh", {"quads": np.full((19, 4), 99, np.int32)}, "point outside"),
        ("mesh", {"quads": np.full((19, 4), -1, np.int32)}, "point outside"),
        ("mesh", {"quads": np.zeros((19, 3), np.int32)}, "quads"),
        ("mesh", {"quads": np.zeros((0, 4), np.int32)}, "shape"),
        ("mesh", {"quads": np.zeros((19, 4), np.float32)}, "quads"),
        ("mesh", {"neutral": np.full((37, 3), np.inf, np.float32)}, "not finite"),
        ("mesh", {"neutral": np.float32(1)}, "neutral"),
        ("mesh", {"face_part": np.full(19, 4, np.uint8)}, "face_part"),
        ("mesh", {"corner_uv": np.zeros((19, 4), np.float32)}, "corner_uv"),
        ("mesh", {"expression": np.zeros((3, 36, 3), np.float16)}, "expression"),
        ("coefficients", {"identity": np.zeros((2, 2), np.float32)}, "identity"),
        ("coefficients", {"expression": np.zeros(2, np.float32)}, "expression"),
        ("coefficients", {"expression": None}, "expression"),
        ("coefficients", {"albedo": np.zeros((2, 6), np.float32)}, "albedo"),
        ("coefficients", {"albedo": np.zeros(3, np.float32)}, "albedo"),
        ("coefficients", {"detail": np.zeros((4, 32), np.float32)}, "detail"),
        ("coefficients", {"detail": np.zeros((4, 0, 32), np.float32)}, "detail"),
        ("coefficients", {"light": np.zeros((3, 9), np.float32)}, "light"),
        ("coefficients", {"rotation": np.ones((3, 3), np.float32)}, "not a rotation"),
        ("coefficients", {"translation": np.full(3, np.nan, np.float32)}, "not finite"),
    ],
)
def test_arrays_that_are_wrong(folder: Path, file: str, change: dict, words: str) -> None:
    edit_arrays(folder, f"{file}.safetensors", **change)
    assert words in refusal(folder)


def test_arrays_that_are_not_arrays(folder: Path) -> None:
    path = folder / "mesh.safetensors"
    path.write_bytes(b"\xff" * 100)
    edit(folder, lambda manifest: manifest["files"].update({path.name: file_sha256(path)}))
    assert "not a valid safetensors" in refusal(folder)


def test_a_detail_pack_without_its_coefficients(folder: Path) -> None:
    pack = {"id": "fine", "version": "1", "sha256": "0" * 64}
    edit(folder, lambda manifest: manifest.update(detail_pack=pack))
    assert read_result(folder).manifest.detail_pack is not None
    edit_arrays(folder, "coefficients.safetensors", detail=None)
    assert "no coefficient detail" in refusal(folder)
