"""A wear job from files to its directory, with the registration stood in for."""

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

import engine.wear.run as run_module
from engine.protocol.errors import Cancelled, EngineError, ErrorCode
from engine.protocol.result import read_manifest
from engine.protocol.safetensors import read_safetensors, write_safetensors
from engine.protocol.wear import MAP_NAMES, read_wear
from engine.protocol.work import WearJob
from engine.reporter import NullReporter
from engine.result.write import write_result
from engine.wear.inputs import read_any_mesh
from engine.wear.run import WearSession, run_wear
from engine.wear.write import WearContents, write_wear
from tests.fixtures.small_result import small_contents

from .conftest import OwnHead

SIZE = 256


@pytest.fixture
def registered(own_head: OwnHead, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Calls of the registration, which answers what is known."""
    calls: list[str] = []

    def register(mesh, template, nets, report, hints):  # type: ignore[no-untyped-def]
        calls.append(mesh.name)
        report.stage("Finding the face", 0, 1)
        report.warning("The ears are hidden.")
        return own_head.found

    monkeypatch.setattr(run_module, "register_head", register)
    monkeypatch.setattr(run_module, "load_nets", lambda folder: None)
    monkeypatch.setattr(run_module, "read_pack", lambda folder: own_head.pack)
    return calls


@pytest.fixture
def mesh_file(own_head: OwnHead, tmp_path: Path) -> Path:
    mesh = own_head.mesh
    arrays = {
        "vertices": mesh.vertices.astype(np.float32),
        "faces": mesh.faces.astype(np.int32),
        "corner_uv": mesh.corner_uv.astype(np.float32),
    }
    path = tmp_path / "mesh.safetensors"
    write_safetensors(path, arrays)
    return path


def change_mesh(path: Path, **changes: np.ndarray | None) -> Path:
    arrays = {**read_safetensors(path), **changes}
    write_safetensors(path, {name: array for name, array in arrays.items() if array is not None})
    return path


def test_a_head_wears_a_result_twice(
    registered: list[str], mesh_file: Path, person: Path, own_head: OwnHead, tmp_path: Path
) -> None:
    """The second time with other textures and without shapes; the mesh is registered once."""
    job = WearJob(str(person), str(mesh_file), str(tmp_path / "out"), SIZE, maps=True)
    session, report = WearSession(), NullReporter()
    worn = read_wear(run_wear(job, report, session))
    head = own_head.head
    assert worn.manifest.expression_names == head.expression_names
    assert worn.expression.shape == (len(head.expression), len(head.mean), 3)
    assert np.abs(worn.likeness).max() > 0.1 and worn.covered[head.face_part == 0].any()
    assert not worn.covered[head.face_part != 0].any()
    assert worn.manifest.warnings == ("The ears are hidden.",) and report.warnings
    assert set(worn.manifest.files) == {"shapes.safetensors", *(f"maps/{n}.png" for n in MAP_NAMES)}
    with pytest.raises(EngineError):
        worn.path("maps/eye.png")

    textures = tmp_path / "now"
    textures.mkdir()
    cv2.imwrite(str(textures / "albedo.png"), np.full((32, 32, 3), (0, 0, 200), np.uint8))
    again = replace(job, textures=str(textures), shapes=False)
    worn = read_wear(run_wear(again, NullReporter(), session))
    assert registered == ["mesh"] and worn.manifest.expression_names == ()
    assert not worn.likeness.any()
    albedo = cv2.imread(str(worn.path("maps/albedo.png")))
    assert np.abs(albedo.astype(int) - (0, 0, 200)).max() <= 1


def test_without_uvs_there_are_shapes_and_a_word(
    registered: list[str], mesh_file: Path, person: Path, tmp_path: Path
) -> None:
    change_mesh(mesh_file, corner_uv=None)
    job = WearJob(str(person), str(mesh_file), str(tmp_path / "out"), SIZE, shapes=False)
    worn = read_wear(run_wear(job, NullReporter(), WearSession()))
    assert list(worn.manifest.files) == ["shapes.safetensors"]
    assert "UV" in worn.manifest.warnings[-1]


def test_a_cancelled_job_leaves_nothing(
    registered: list[str], mesh_file: Path, person: Path, tmp_path: Path
) -> None:
    class StopsAtMaps(NullReporter):
        def stage(self, name: str, index: int, total: int) -> None:
            if name == "maps":
                self.token.cancel()
            super().stage(name, index, total)

    before = sorted(tmp_path.iterdir())
    job = WearJob(str(person), str(mesh_file), str(tmp_path / "out"), SIZE)
    with pytest.raises(Cancelled):
        run_wear(job, StopsAtMaps(), WearSession())
    assert sorted(tmp_path.iterdir()) == before


def test_somebody_elses_folder_is_refused_first(
    registered: list[str], mesh_file: Path, person: Path, tmp_path: Path
) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.txt").write_text("mine")
    job = WearJob(str(person), str(mesh_file), str(tmp_path / "out"), SIZE)
    with pytest.raises(EngineError) as caught:
        run_wear(job, NullReporter(), WearSession())
    assert caught.value.code == ErrorCode.BAD_OUTPUT and not registered


def test_another_version_of_the_head_is_refused(
    registered: list[str],
    mesh_file: Path,
    person: Path,
    own_head: OwnHead,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    other = replace(own_head.head, quads=own_head.head.quads[:-1])
    pack = replace(own_head.pack, head=other)
    monkeypatch.setattr(run_module, "read_pack", lambda folder: pack)
    job = WearJob(str(person), str(mesh_file), str(tmp_path / "out"), SIZE)
    with pytest.raises(EngineError) as caught:
        run_wear(job, NullReporter(), WearSession())
    assert caught.value.code == ErrorCode.PACK_INVALID and not registered


FACES = np.array([[0, 1, 2, 3]], np.int32)
POINTS = np.eye(4, 3, dtype=np.float32)


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"vertices": None}, "vertices"),
        ({"faces": None}, "faces"),
        ({"vertices": POINTS.astype(np.float64)}, "vertices"),
        ({"vertices": POINTS[:, :2]}, "vertices"),
        ({"vertices": POINTS * np.float32(np.nan)}, "finite"),
        ({"faces": FACES[:, :3]}, "faces"),
        ({"faces": FACES + 1}, "0 to 3"),
        ({"corner_uv": np.zeros((1, 3, 2), np.float32)}, "corner_uv"),
        ({"corner_uv": np.zeros((2, 4, 2), np.float32)}, "UV"),
    ],
)
def test_broken_meshes_are_refused_by_name(
    tmp_path: Path, change: dict[str, np.ndarray | None], word: str
) -> None:
    path = tmp_path / "mesh.safetensors"
    write_safetensors(path, {"vertices": POINTS, "faces": FACES})
    with pytest.raises(EngineError) as caught:
        read_any_mesh(change_mesh(path, **change))
    assert caught.value.code == ErrorCode.BAD_INPUT and word in caught.value.message


@pytest.mark.parametrize(
    ("edit", "word"),
    [
        (lambda plain: plain.update(schema=99), "schema"),
        (lambda plain: plain.update(more=1), "more"),
        (lambda plain: plain["files"].update({"../x.png": "0" * 64}), "not one of its files"),
        (lambda plain: plain["files"].update({"shapes.safetensors": "0" * 64}), "changed"),
        (lambda plain: plain["files"].pop("shapes.safetensors"), "lists no"),
        (lambda plain: plain.update(vertices=3), "shape"),
        (lambda plain: plain.update(expression_names=["a", "a"]), "name"),
    ],
)
def test_broken_directories_are_refused(tmp_path: Path, edit, word: str) -> None:
    none = np.zeros((0, 4, 3), np.float32)
    contents = WearContents(
        "own", SIZE, (), none, np.zeros((4, 3)), np.ones(1, dtype=bool), {}, {}, (), ()
    )
    result = write_result(tmp_path / "result", small_contents())
    folder = write_wear(tmp_path / "out", contents, result, read_manifest(result))
    plain = json.loads((folder / "wear.json").read_text())
    edit(plain)
    (folder / "wear.json").write_text(json.dumps(plain))
    with pytest.raises(EngineError) as caught:
        read_wear(folder)
    assert caught.value.code == ErrorCode.BAD_INPUT and word in caught.value.message
