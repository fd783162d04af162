"""A model that has a skin only gets everything else from the default head, in the right places."""

import sys
from types import ModuleType

import numpy as np
import pytest

from engine.fit.loaded import load_pack
from engine.packs.contents import read_contents
from engine.packs.heads import importing
from engine.protocol import head_kinds
from engine.protocol.errors import Cancelled, EngineError, ErrorCode
from engine.protocol.head_kinds import KindInfo
from engine.protocol.headpack import read_pack
from engine.protocol.work import ImportJob
from engine.reporter import NullReporter
from tests.packs.heads.skinned import JAW, skinned_source

SMALLEST = KindInfo("smallest", "Smallest head", "a file", "Terms of a test.")


@pytest.fixture(scope="module")
def template(default_pack):
    return read_pack(default_pack).head


@pytest.fixture(scope="module")
def known(template):
    return skinned_source(template)


@pytest.fixture(scope="module")
def smallest(known):
    """The smallest kind of head: a line in the table and a module with `read`."""
    adapter = ModuleType("engine.packs.heads.smallest")
    adapter.read = lambda paths, reporter: known.source
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, adapter.__name__, adapter)
        patch.setattr(head_kinds, "KINDS", (*head_kinds.KINDS, SMALLEST))
        yield adapter


def job(folder, **changes):
    return ImportJob(**{"kind": "smallest", "paths": ("x",), "output": str(folder)} | changes)


@pytest.fixture(scope="module")
def folder(smallest, tmp_path_factory):
    out = tmp_path_factory.mktemp("packs") / "my-head"
    asked = job(out, accept_licence=True, expressions="both")
    return importing.run_import(asked, NullReporter())


@pytest.fixture(scope="module")
def head(folder):
    return read_pack(folder).head


def of_part(head, name):
    return np.unique(head.quads[head.face_part == head.part_names.index(name)])


def row(head, name):
    return head.expression_names.index(name)


def positions(head, marks, mean):
    return np.einsum("nk,nkc->nc", marks.barycentric, mean[head.triangles[marks.triangles]])


@pytest.fixture(scope="module")
def shift(head, template, known):
    """From the right answer to the pack's coordinates: where the eyes are says the origin."""
    skin = of_part(template, "skin")
    there = known.number[skin]
    return (head.mean[there] - known.person[skin]).mean(axis=0)


def test_the_pack_has_the_default_heads_structure(folder, head, template):
    contents = read_contents(folder)
    assert contents.manifest.id == "my-head" and contents.albedo is None
    assert head.part_names == template.part_names
    assert list(head.groups) == list(template.groups)
    assert list(head.uv_masks) == list(template.uv_masks)
    assert head.expression_names == (*template.expression_names, "chatter")
    assert {"head", "completion"} <= {part.name for part in contents.manifest.parts}
    assert (folder / "textures" / "eye.png").is_file()


def test_the_skin_is_the_models_own(head, template, known, shift):
    skin = of_part(template, "skin")
    there = known.number[skin]
    assert np.abs(head.mean[there] - known.person[skin] - shift).max() < 1e-5
    identity = template.identity[known.rows]
    assert np.abs(head.identity[:, there] - identity[:, skin]).max() < 1e-5
    jaw = JAW * template.expression[row(template, "jawOpen")][skin]
    assert np.abs(head.expression[row(head, "jawOpen")][there] - jaw).max() < 1e-4


@pytest.mark.parametrize(
    ("part", "limit"),
    [("eye_left", 0.0015), ("eye_right", 0.0015), ("lashes_left", 0.001), ("teeth_upper", 0.004),
     ("teeth_lower", 0.005), ("tongue", 0.006)],
)  # fmt: skip
def test_lent_parts_sit_where_that_persons_are(head, template, known, shift, part, limit):
    right = known.person[of_part(template, part)] + shift
    found = head.mean[of_part(head, part)]
    assert np.linalg.norm(found - right, axis=1).mean() < limit


@pytest.mark.parametrize("side", ["left", "right"])
def test_lent_eyes_follow_the_identity(head, template, known, side):
    right = template.identity[known.rows][:, of_part(template, f"eye_{side}")].mean(axis=1)
    found = head.identity[:, of_part(head, f"eye_{side}")].mean(axis=1)
    assert np.linalg.norm(found - right, axis=1).max() < 0.0008


def test_landmarks_lie_on_the_same_points(head, template, known, shift):
    for name in ("landmarks468", "landmarks68"):
        marks, theirs = getattr(head, name), getattr(template, name)
        right = positions(template, theirs, known.person) + shift
        away = np.linalg.norm(positions(head, marks, head.mean) - right, axis=1)
        assert away[theirs.weight > 0].max() < 2e-4
        assert np.array_equal(marks.weight, theirs.weight)
    assert np.array_equal(head.landmarks468.turn, template.landmarks468.turn)


@pytest.mark.parametrize("name", ["mouthSmileLeft", "eyeBlinkRight", "jawForward", "cheekPuff"])
def test_expressions_that_it_lacks_are_carried_over(head, template, known, name):
    skin = of_part(template, "skin")
    right = template.expression[row(template, name)][skin]
    found = head.expression[row(head, name)][known.number[skin]]
    # The default head moves all persons alike; here a shape is fitted to the person's own lids.
    assert np.abs(found - right).max() < 0.25 * np.abs(right).max()
    assert np.linalg.norm(found - right) < 0.12 * np.linalg.norm(right)


def test_the_lent_jaw_goes_as_far_as_its_own_chin(head, template):
    lower, upper = of_part(template, "teeth_lower"), of_part(head, "teeth_upper")
    for name, share in (("jawOpen", JAW), ("chatter", 0.5)):
        right = share * template.expression[row(template, "jawOpen")][lower].mean(axis=0)
        moved = head.expression[row(head, name)]
        assert moved[of_part(head, "teeth_lower")].mean(axis=0) == pytest.approx(right, abs=0.004)
        assert np.abs(moved[upper]).max() < 0.001


def test_groups_and_masks_are_the_same_regions(head, template, known):
    skin = of_part(template, "skin")
    for name in ("lips", "eyelids_left", "ears", "brows", "mouth", "sockets"):
        found = head.groups[name][known.number[skin]]
        assert np.abs(found - template.groups[name][skin]).mean() < 0.01, name
    for name, mask in template.uv_masks.items():
        assert np.abs(head.uv_masks[name] - mask).mean() < 0.01, name


def test_mirror_pairs_of_a_symmetric_head(template):
    from engine.packs.heads.regions import mirror_pairs

    found = mirror_pairs(template.mean, template.quads, template.face_part, template.part_names)
    assert (found == template.mirror).mean() > 0.99


def test_a_fit_borrows_the_models_and_names_them(folder):
    loaded = load_pack(folder)
    assert loaded.albedo_pack.id == loaded.detail_pack.id == "default"
    assert loaded.nets is not None


def test_the_terms_must_be_accepted(smallest, tmp_path):
    with pytest.raises(EngineError, match="Terms of a test") as caught:
        importing.run_import(job(tmp_path / "a"), NullReporter())
    assert caught.value.code is ErrorCode.BAD_SETTINGS
    with pytest.raises(EngineError, match="smallest"):
        importing.run_import(job(tmp_path / "a", kind="largest"), NullReporter())
    with pytest.raises(EngineError, match="called"):
        importing.run_import(job(tmp_path / "My Head", accept_licence=True), NullReporter())
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("dear")
    with pytest.raises(EngineError, match="not a pack"):
        importing.run_import(job(tmp_path / "mine", accept_licence=True), NullReporter())


class CancelledAt(NullReporter):
    """Cancels when a stage begins."""

    def __init__(self, stage):
        super().__init__()
        self.wanted = stage

    def stage(self, name, index, total):
        if name == self.wanted:
            self.token.cancel()
        super().stage(name, index, total)


@pytest.mark.parametrize("stage", [importing.STAGES[0], importing.STAGES[2], importing.STAGES[3]])
def test_a_cancelled_import_leaves_nothing(smallest, tmp_path, stage, monkeypatch):
    monkeypatch.setattr(importing, "complete_head", lambda *_: None)  # seconds
    with pytest.raises(Cancelled):
        importing.run_import(job(tmp_path / "a", accept_licence=True), CancelledAt(stage))
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_no_model_leaves_the_older_pack(smallest, tiny, tmp_path, monkeypatch):
    older = tiny.write_tiny_pack(tmp_path / "a")
    before = {path.name: path.read_bytes() for path in older.iterdir() if path.is_file()}

    def refuse(paths, reporter):
        raise EngineError(ErrorCode.PACK_INVALID, "No head")

    monkeypatch.setattr(smallest, "read", refuse)
    with pytest.raises(EngineError, match="No head"):
        importing.run_import(job(older, accept_licence=True), NullReporter())
    assert {p.name: p.read_bytes() for p in older.iterdir() if p.is_file()} == before
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


@pytest.mark.parametrize("side", ["left", "right"])
def test_closed_lids_stay_outside_the_eyeballs(head, template, known, side):
    points = head.mean[of_part(head, f"eye_{side}")]
    centre = 0.5 * (points.min(axis=0) + points.max(axis=0))
    radius = np.linalg.norm(points - centre, axis=1).mean()
    rest = np.linalg.norm(head.mean - centre, axis=1)
    lids = (head.groups[f"eyelids_{side}"] > 0.2) & (head.groups["sockets"] < 0.5)
    moved = head.expression[row(head, f"eyeBlink{side.capitalize()}")]
    closed = np.linalg.norm(head.mean + moved - centre, axis=1)
    lids &= (rest > radius) & (np.abs(moved).max(axis=1) > 0.001)
    assert lids.sum() > 50
    assert closed[lids].min() > radius - 1e-4
