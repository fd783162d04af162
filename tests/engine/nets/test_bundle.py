"""The pair of files that holds the networks of a pack."""

import io
import tarfile
import zipfile

import pytest

from engine.nets.bundle import build_nets, load_nets
from engine.nets.sources import MEMBERS, read_members
from engine.protocol.errors import EngineError, ErrorCode
from engine.protocol.safetensors import write_safetensors


def packages(folder, leave_out=""):
    """A wheel and a source archive with one byte per member: its number."""
    paths = {"mediapipe": folder / "m.whl", "face_recognition_models": folder / "f.tar.gz"}
    with (
        zipfile.ZipFile(paths["mediapipe"], "w") as wheel,
        tarfile.open(paths["face_recognition_models"], "w:gz") as archive,
    ):
        for number, (name, (package, inside)) in enumerate(MEMBERS.items()):
            if name == leave_out:
                continue
            if package == "mediapipe":
                wheel.writestr(f"{inside}/{name}", bytes([number]))
            else:
                entry = tarfile.TarInfo(f"{inside}/{name}")
                entry.size = 1
                archive.addfile(entry, io.BytesIO(bytes([number])))
    return paths


def test_members_are_read_from_both_kinds_of_archive(tmp_path):
    members = read_members(packages(tmp_path))
    assert members == {name: bytes([number]) for number, name in enumerate(MEMBERS)}


@pytest.mark.parametrize("name", MEMBERS)
def test_a_missing_member_is_named(tmp_path, name):
    with pytest.raises(EngineError, match=name):
        read_members(packages(tmp_path, leave_out=name))


def test_a_broken_archive_is_an_engine_error(tmp_path):
    paths = packages(tmp_path)
    data = paths["face_recognition_models"].read_bytes()
    paths["face_recognition_models"].write_bytes(data[: len(data) // 2])
    with pytest.raises(EngineError):
        read_members(paths)


def test_building_without_a_file_is_refused():
    with pytest.raises(EngineError, match="missing"):
        build_nets({})


@pytest.mark.parametrize("graphs", [None, "", "[]", '{"schema": 1, "graphs": {}}', '{"schema": 2}'])
def test_unreadable_graphs_are_refused(tmp_path, graphs):
    write_safetensors(tmp_path / "nets.safetensors", {})
    if graphs is not None:
        (tmp_path / "nets.json").write_text(graphs, encoding="utf-8")
    with pytest.raises(EngineError) as caught:
        load_nets(tmp_path)
    assert caught.value.code is ErrorCode.PACK_INVALID
