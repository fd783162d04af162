"""Which photos are fitted, under which names, and which are left as they are."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.many import plan
from engine.many.plan import add_to_journal, plan_fits, read_journal, result_names
from engine.protocol.errors import EngineError, ErrorCode
from engine.protocol.job import FitJob

OPTIONS = FitJob(("photo",), "out")


def planned(folder, out, options):
    return plan_fits(folder, out, options, lambda: None)


@pytest.fixture(autouse=True)
def packs(tmp_path, monkeypatch):
    """A folder `default` that is found as a pack."""
    pack = tmp_path / "packs" / "default"
    pack.mkdir(parents=True)
    (pack / "pack.json").write_text("{}")
    monkeypatch.setattr(plan, "find_pack", lambda id: tmp_path / "packs" / id)
    return pack


@pytest.fixture
def photos(tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    for name in ("b.JPG", "a.png", ".hidden.png", "notes.txt"):
        (folder / name).write_bytes(name.encode())
    (folder / "deep.png").mkdir()
    return folder


def test_the_photos_of_a_folder_by_name(photos, tmp_path):
    fits = planned(photos, tmp_path / "out", OPTIONS)
    assert [fit.name for fit in fits] == ["a", "b"]
    assert fits[1].job.photos == (str(photos / "b.JPG"),)
    assert fits[1].job.output == str(tmp_path / "out" / "b")


names = st.lists(
    st.builds(
        "{}.{}".format,
        st.text("aA. b", min_size=1, max_size=4),
        st.sampled_from(["jpg", "JPG", "png"]),
    ),
    unique_by=str.casefold,
    max_size=8,
)


@given(names)
def test_names_are_unique_and_keep_on_any_disk(files):
    found = result_names(files)
    assert len({name.casefold() for name in found}) == len(files)
    assert all(name and name[-1] not in " ." for name in found)


def test_our_own_files_are_nobodys_name():
    assert result_names(["summary.csv.jpg"]) == ["summary.csv.jpg"]


@pytest.mark.parametrize(
    "change",
    [
        lambda folder, pack: (folder / "a.png").write_bytes(b"another photo"),
        lambda folder, pack: (pack / "pack.json").write_text("{} "),
    ],
)
def test_the_key_follows_photo_and_pack(photos, packs, tmp_path, change):
    before = [fit.key for fit in planned(photos, tmp_path / "out", OPTIONS)]
    assert [fit.key for fit in planned(photos, tmp_path / "other", OPTIONS)] == before
    change(photos, packs)
    assert planned(photos, tmp_path / "out", OPTIONS)[0].key != before[0]


def test_the_key_follows_settings_and_engine(photos, tmp_path, monkeypatch):
    keys = {planned(photos, tmp_path / "out", OPTIONS)[0].key}
    keys.add(planned(photos, tmp_path / "out", replace(OPTIONS, seed=1))[0].key)
    monkeypatch.setattr(plan, "engine_version", lambda: "next")
    keys.add(planned(photos, tmp_path / "out", OPTIONS)[0].key)
    assert len(keys) == 3


def test_a_photo_that_cannot_be_read_is_planned(photos, tmp_path, monkeypatch):
    def refuse(path):
        if path.name == "a.png":
            raise PermissionError
        return "sha"

    monkeypatch.setattr(plan, "file_sha256", refuse)
    assert [fit.key is None for fit in planned(photos, tmp_path / "out", OPTIONS)] == [1, 0]


def test_folders_that_cannot_be_used(photos, tmp_path):
    (tmp_path / "empty").mkdir()
    for folder, out, code in (
        (tmp_path / "none", tmp_path / "out", ErrorCode.BAD_INPUT),
        (tmp_path / "empty", tmp_path / "out", ErrorCode.BAD_INPUT),
        (photos, photos, ErrorCode.BAD_OUTPUT),
        (photos, photos / "a.png", ErrorCode.BAD_OUTPUT),
    ):
        with pytest.raises(EngineError) as caught:
            planned(folder, out, OPTIONS)
        assert caught.value.code is code


def test_the_journal_survives_a_cut_line(photos, tmp_path):
    first, second = planned(photos, tmp_path / "out", OPTIONS)
    add_to_journal(tmp_path, first)
    with open(tmp_path / plan.JOURNAL, "a") as file:
        file.write('\n{"result": "b", "ke')
    add_to_journal(tmp_path, second)
    assert read_journal(tmp_path) == {"a": first.key, "b": second.key}
