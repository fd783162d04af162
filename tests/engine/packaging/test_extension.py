import hashlib
import json
import shutil
import sys
import zipfile

import pytest

from engine.packaging import extension
from engine.packaging.licences import check_licences, licence_text
from engine.packaging.problems import SetupError

BIG = ("albedo_256.safetensors", "detail_512.safetensors")
"""Models that the pack holds, and the zip not beside it."""


@pytest.fixture
def product(root, tmp_path):
    """A copy of what ships, with a tiny stand-in pack: the checks do not look into its files."""
    copy = tmp_path / "product"
    skip = shutil.ignore_patterns("__pycache__", "*.whl", *BIG)
    for folder in ("uvapm_blender", "engine", "wheels", "LICENSES"):
        shutil.copytree(root / folder, copy / folder, ignore=skip)
    for name in ("__init__.py", "blender_manifest.toml", "LICENSE", "CHANGELOG.md"):
        shutil.copyfile(root / name, copy / name)
    pack = copy / "packs" / "default"
    pack.mkdir(parents=True)
    (pack / "head.safetensors").write_bytes(b"head")
    digest = hashlib.sha256(b"head").hexdigest()
    (pack / "pack.json").write_text(
        json.dumps({"files": {"head.safetensors": digest}, "parts": []})
    )
    (copy / "THIRD_PARTY.md").write_text(licence_text(copy), encoding="utf-8")
    return copy


@pytest.fixture
def no_validator(monkeypatch):
    monkeypatch.setattr(extension, "validate", lambda target, python: None)


def test_zip_is_the_same_bytes_every_time(product, tmp_path, no_validator):
    first = extension.build_zip(product, tmp_path / "one", sys.executable)
    for path in product.rglob("*"):
        path.touch()
    second = extension.build_zip(product, tmp_path / "two", sys.executable)
    assert first.path.read_bytes() == second.path.read_bytes()
    assert first.sha256 == hashlib.sha256(first.path.read_bytes()).hexdigest()


def test_zip_holds_the_product_and_nothing_else(product, tmp_path, no_validator):
    (product / "engine" / "__pycache__").mkdir()
    (product / "engine" / "__pycache__" / "x.cpython-311.pyc").write_bytes(b"")
    (product / "engine" / ".secret").write_text("")
    for name in BIG:
        (product / "engine" / "packs" / "data" / name).write_bytes(b"model")
    built = extension.build_zip(product, tmp_path / "out", sys.executable)
    with zipfile.ZipFile(built.path) as archive:
        names = set(archive.namelist())
    assert {"__init__.py", "LICENSE", "blender_manifest.toml", "packs/default/pack.json"} <= names
    assert {"engine/__main__.py", "uvapm_blender/__init__.py"} <= names
    assert "wheels/requirements-engine.txt" in names
    inner = ("tests/", "engine/packaging/", "CHANGELOG", "pyproject")
    assert not [name for name in names if name.startswith(inner) or "__pycache__" in name]
    assert "engine/.secret" not in names
    data = {name for name in names if name.startswith("engine/packs/data/")}
    assert "engine/packs/data/landmarks.safetensors" in data
    assert not data & {f"engine/packs/data/{name}" for name in BIG}


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('name = "UVAPM"', 'name = "UVAPM for Blender"', "word Blender"),
        ("SPDX:GPL", "GPL", "SPDX"),
        ("[permissions]", 'wheels = ["./wheels/x.whl"]\n[permissions]', "wheels"),
        ('version = "0.1.0"', 'version = "9.9.9"', "CHANGELOG"),
    ],
)
def test_manifest_slips_stop_the_zip(product, tmp_path, no_validator, old, new, words):
    manifest = product / "blender_manifest.toml"
    text = manifest.read_text(encoding="utf-8")
    assert old in text
    manifest.write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(SetupError, match=words):
        extension.build_zip(product, tmp_path / "out", sys.executable)
    assert not list(tmp_path.glob("out/*"))


def test_changed_pack_stops_the_zip(product, tmp_path, no_validator):
    (product / "packs" / "default" / "head.safetensors").write_bytes(b"tampered")
    with pytest.raises(SetupError, match="changed"):
        extension.build_zip(product, tmp_path / "out", sys.executable)


def test_library_in_the_zip_is_refused(product, tmp_path, no_validator):
    (product / "engine" / "fast.so").write_bytes(b"")
    with pytest.raises(SetupError, match=r"engine/fast\.so"):
        extension.build_zip(product, tmp_path / "out", sys.executable)


@pytest.mark.blender
def test_blenders_validator_has_the_last_word(product, tmp_path, bpy):
    built = extension.build_zip(product, tmp_path / "out", sys.executable)
    assert built.path.name == "uvapm-0.1.0.zip"
    manifest = product / "blender_manifest.toml"
    text = manifest.read_text(encoding="utf-8")
    manifest.write_text(text.replace("tags = [", 'tags = ["Nonsense", '), encoding="utf-8")
    with pytest.raises(SetupError, match="Nonsense"):
        extension.build_zip(product, tmp_path / "other", sys.executable)


def test_zip_needs_a_current_list_of_licences(product, tmp_path, no_validator):
    (product / "THIRD_PARTY.md").write_text("nothing to see")
    with pytest.raises(SetupError, match=r"THIRD_PARTY\.md is not current.*licences"):
        extension.build_zip(product, tmp_path / "out", sys.executable)


def test_every_licence_text_is_shipped(product):
    part = {"name": "eyes", "what": "x", "licence": "Foo-1.0", "origin": "y", "sha256": ""}
    listing = product / "packs" / "default" / "pack.json"
    listing.write_text(json.dumps({"files": {}, "parts": [part]}))
    with pytest.raises(SetupError, match=r"'eyes' is under Foo-1\.0, whose text is not shipped"):
        licence_text(product)
    part["licence"] = "Apache-2.0"
    listing.write_text(json.dumps({"files": {}, "parts": [part]}))
    assert "| eyes | x | [Apache-2.0](LICENSES/Apache-2.0.txt) | y |" in licence_text(product)


def test_list_of_licences_is_current(root, default_pack):
    check_licences(root)
