"""ICT-FaceKit: what its files become, and what is said of files that are not whole."""

import sys
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from engine.packs.heads import ict
from engine.packs.heads.source import HeadSource
from engine.protocol.errors import Cancelled, EngineError, ErrorCode
from engine.protocol.gaze import LOOKS
from engine.reporter import CancelToken, NullReporter

sys.path.insert(0, str(Path(__file__).parent))
from tiny_ict import ict_mesh, tiny_layout, write_ict


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_ict(tmp_path_factory.mktemp("ict"))


@pytest.fixture(scope="module")
def source(folder: Path) -> HeadSource:
    return _read(folder)


def _read(path: Path) -> HeadSource:
    return ict.read_layout([path], NullReporter(), tiny_layout())


def _vertices(source: HeadSource, part: str) -> np.ndarray:
    chosen = source.face_part == source.part_names.index(part)
    return np.unique(source.faces[chosen])


def test_metres_modes_and_arkit_names(source: HeadSource) -> None:
    mesh = ict_mesh()
    face = mesh.slices["face"]
    rest = np.array(mesh.vertices)[face]
    assert np.allclose(source.mean[face], rest * 0.01, atol=1e-6)
    assert np.allclose(source.identity[0, face, 0], rest[:, 0] * 0.001, atol=1e-6)
    assert np.allclose(source.identity[1, face], [0.0, 0.01, 0.0], atol=1e-6)
    names = source.expression_names
    assert len(names) == 53 and "tongueOut" not in names and "mouthSmileLeft" in names
    inner_up = source.expression[names.index("browInnerUp")]
    assert np.allclose(inner_up[7], [0.0, 0.0, 0.02], atol=1e-6), "the left and the right file"


def test_parts_sides_and_faces(source: HeadSource) -> None:
    assert source.mean[_vertices(source, "eye_left"), 0].mean() > 0.0
    assert source.mean[_vertices(source, "lashes_left"), 0].mean() > 0.0
    upper, lower = (_vertices(source, f"teeth_{name}") for name in ("upper", "lower"))
    assert source.mean[upper, 1].min() > source.mean[lower, 1].max()
    assert len(source.mean) == 36 + 16 * 7 + 2 * 81, "irises and films are left out"
    triangles = source.faces[:, 2] == source.faces[:, 3]
    assert triangles.sum() == 1
    assert source.inner is not None and source.inner.sum() == 9, "the mouth bag"
    skin = _vertices(source, "skin")
    assert source.landmarks68 is not None and np.isin(source.landmarks68, skin).all()
    assert source.corner_uv is None and source.part_uv is not None
    assert source.part_uv.min() >= 0.0 and source.part_uv.max() <= 1.0
    assert source.parts[0].licence == "MIT" and len(source.parts[0].sha256) == 64


def test_eyes_look_ahead_and_turn_with_the_look_shapes(source: HeadSource) -> None:
    for side, x in (("Left", 0.03), ("Right", -0.03)):
        eye = _vertices(source, f"eye_{side.lower()}")
        ball = source.mean[eye].astype(np.float64) - [x, 0.03, 0.08]
        radius = np.linalg.norm(ball, axis=1)
        front = ball[radius > 0.016].mean(axis=0)
        assert abs(front[0] / front[2]) < 0.03, "the bulge lay 0.1 outwards"
        for name, (left, up) in LOOKS.items():
            delta = source.expression[source.expression_names.index(name), eye]
            if not name.endswith(side):
                assert np.abs(delta).max() < 1e-9
                continue
            ahead = np.linalg.lstsq(ball, ball + delta, rcond=None)[0].T @ [0, 0, 1]
            wanted = [np.sin(left) * np.cos(up), np.sin(up), np.cos(left) * np.cos(up)]
            assert ahead == pytest.approx(wanted, abs=0.03)


def test_eye_and_lash_uv_fit_our_textures(source: HeadSource) -> None:
    assert source.part_uv is not None
    eye = source.face_part == 1
    corners, uv = source.faces[eye].ravel(), source.part_uv[eye].reshape(-1, 2)
    ball = source.mean[_vertices(source, "eye_left")]
    front = source.mean[corners, 2] > ball[:, 2].mean() + 0.0148
    assert np.abs(uv[front] - 0.5).max() < 0.1, "the iris is in the middle"
    lashes = source.face_part == source.part_names.index("lashes_left")
    roots, uv = source.mean[source.faces[lashes], 1], source.part_uv[lashes]
    low = roots == roots.min()
    assert np.allclose(uv[low, 1], 0.5) and uv[~low, 1].max() == pytest.approx(1.0)


def test_folder_round_it_and_archives_read_alike(
    folder: Path, source: HeadSource, tmp_path: Path
) -> None:
    tar, packed = tmp_path / "ict.tar.xz", tmp_path / "ict.zip"
    with tarfile.open(tar, "w:xz") as archive:
        archive.add(folder, "kit/FaceXModel")
    with zipfile.ZipFile(packed, "w") as archive:
        for file in folder.iterdir():
            archive.write(file, f"FaceXModel/{file.name}")
    for path in (folder.parent, tar, packed):
        other = _read(path)
        assert np.array_equal(other.mean, source.mean)
        assert np.array_equal(other.expression, source.expression)


def _lose(folder: Path) -> None:
    (folder / "identity001.obj").unlink()


def _shorten(folder: Path) -> None:
    _edit(folder / "jawOpen.obj", lambda text: text[text.index("\n") + 1 :])


def _rename_material(folder: Path) -> None:
    _edit(folder / "generic_neutral_mesh.obj", lambda text: text.replace("M_GumsTongue", "Gums"))


def _garble(folder: Path) -> None:
    _edit(folder / "identity000.obj", lambda text: text.replace("v ", "v x", 1))


def _undefined(folder: Path) -> None:
    _edit(folder / "eyeBlink_L.obj", lambda text: "v nan 0 0\n" + text[text.index("\n") + 1 :])


def _pentagon(folder: Path) -> None:
    _edit(folder / "generic_neutral_mesh.obj", lambda text: text + "f 1 2 3 4 5\n")


def _beyond(folder: Path) -> None:
    _edit(folder / "generic_neutral_mesh.obj", lambda text: text + "f 1 2 99999\n")


def _twice(folder: Path) -> None:
    (folder / "more").mkdir()
    (folder / "more" / "jawOpen.obj").write_text("v 0 0 0\n", encoding="utf-8")


def _metres(folder: Path) -> None:
    for file in folder.glob("*.obj"):
        _edit(file, _hundredth)


def _hundredth(text: str) -> str:
    lines = text.splitlines()
    for number, line in enumerate(lines):
        if line.startswith("v "):
            lines[number] = "v " + " ".join(str(float(word) / 100) for word in line.split()[1:])
    return "\n".join(lines) + "\n"


def _edit(path: Path, change: Callable[[str], str]) -> None:
    path.write_text(change(path.read_text(encoding="utf-8")), encoding="utf-8")


@pytest.mark.parametrize(
    ("breaking", "words"),
    [
        (_lose, ["identity001.obj", "this file", "1 are missing"]),
        (_shorten, ["jawOpen.obj", "v", "vertices"]),
        (_rename_material, ["usemtl", "M_GumsTongue", "Gums"]),
        (_garble, ["identity000.obj", "three numbers a vertex"]),
        (_undefined, ["eyeBlink_L.obj", "finite numbers"]),
        (_pentagon, ["generic_neutral_mesh.obj", "triangles and quads", "5 corners"]),
        (_beyond, ["generic_neutral_mesh.obj", "99999"]),
        (_twice, ["jawOpen.obj", "one file of this name", "two"]),
        (_metres, ["mean", "metres"]),
    ],
)
def test_broken_files_are_named(
    breaking: Callable[[Path], None], words: list[str], tmp_path: Path
) -> None:
    folder = write_ict(tmp_path)
    breaking(folder)
    with pytest.raises(EngineError) as raised:
        _read(folder)
    assert raised.value.code is ErrorCode.PACK_INVALID
    for word in words:
        assert word in raised.value.message


def test_another_topology_is_refused(folder: Path) -> None:
    with pytest.raises(EngineError, match="26719 vertices"):
        ict.read_layout([folder], NullReporter(), ict.IctLayout(modes=2))


def test_no_model_damaged_archive_and_too_many_paths(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(EngineError, match=r"generic_neutral_mesh\.obj"):
        _read(tmp_path)
    with pytest.raises(EngineError, match="expected a folder"):
        _read(tmp_path / "nowhere")
    whole = tmp_path / "ict.tar.xz"
    with tarfile.open(whole, "w:xz") as archive:
        archive.add(folder, "FaceXModel")
    whole.write_bytes(whole.read_bytes()[:-400])
    with pytest.raises(EngineError, match="expected a whole"):
        _read(whole)
    with pytest.raises(EngineError, match="one folder or archive"):
        ict.read([folder, folder], NullReporter())


def test_reading_can_be_cancelled(folder: Path) -> None:
    token = CancelToken()
    token.cancel()
    with pytest.raises(Cancelled):
        ict.read_layout([folder], NullReporter(token), tiny_layout())


@pytest.mark.shared
def test_the_archive_as_distributed(shared: Path) -> None:
    archive = shared / "evaldata/heads/ict_facekit.tar.xz"
    source = ict.read_layout([archive], NullReporter(), ict.IctLayout(modes=2))
    counts = np.bincount(source.face_part).tolist()
    assert counts == [14034, 800, 800, 2244, 2246, 2972, 540, 540]
    assert source.inner is not None and source.inner.sum() == 2890
    assert source.landmarks68 is not None
    marks = source.mean[source.landmarks68]
    assert np.linalg.norm(marks[36] - marks[45]) == pytest.approx(0.0892, abs=2e-4)
    assert marks[45, 0] > 0.0 > marks[36, 0], "the subject's left is +x"
    blink = source.expression[source.expression_names.index("eyeBlinkLeft")]
    lids = (source.mean + blink)[source.landmarks68[[43, 44, 47, 46]], 1]
    assert (lids[:2] < lids[2:] + 1e-4).all(), "a blink closes the eye"
    lips = source.mean[source.landmarks68[[62, 66]], 1]
    assert lips[1] > lips[0] - 2e-4, "the lips meet"
