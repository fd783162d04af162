"""Packs in the preferences and the sidebar: lists, choice, import, removal."""

import importlib
import json
import os
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from engine.protocol.result import file_sha256
from tests.blender.shaped_head import write_pack

pytestmark = pytest.mark.blender


@pytest.fixture
def shelf(addon, monkeypatch, tmp_path):
    """The user's own folder of packs, the only one; beside it one that the environment names."""
    own, named = tmp_path / "own", tmp_path / "named"
    own.mkdir()
    named.mkdir()
    monkeypatch.setattr(addon.locations, "own_packs", lambda: own)
    monkeypatch.setattr(addon.locations, "ROOT", tmp_path / "extension")
    monkeypatch.setenv("UVAPM_PACKS", str(named))
    module = importlib.import_module("uvapm.uvapm_blender.packs.shelf")
    module.SHELF.forget()
    yield module.SHELF
    module.SHELF.forget()


BASIS = np.zeros((4, 10, 3), np.float16)


@pytest.fixture
def importer(blender, addon, shelf, monkeypatch, tmp_path):
    """The fake engine; an import becomes a copy of a tiny pack."""
    module = importlib.import_module("uvapm.uvapm_blender.engine_client.launch")
    pack = write_pack(tmp_path / "made" / "tiny", BASIS)
    fake = Path(__file__).parents[1] / "client" / "fakes" / "fake_engine.py"
    root = Path(__file__).parents[2]
    launch = module.Launch(
        (sys.executable, "-u", str(fake), "well"), str(root), (("FAKE_RESULT", str(pack)),)
    )
    operators = importlib.import_module("uvapm.uvapm_blender.operators.packs")
    monkeypatch.setattr(operators, "make_launch", lambda context: launch)

    def run(play, **more):
        path = tmp_path / f"{play}.pkl"
        path.write_bytes(b"model")
        options = {"kind": "uvapm-albedo", "accept_licence": True, "filepath": str(path)}
        return blender.ops.uvapm.import_pack(**options | more)

    return run


def ids(shelf):
    return [pack.id for pack in shelf.packs()]


def test_packs_of_all_folders_the_first_of_an_id_wins(shelf, tmp_path):
    write_pack(tmp_path / "named" / "tiny", BASIS)
    write_pack(tmp_path / "own" / "tiny", BASIS)
    write_pack(tmp_path / "own" / "default", BASIS)
    write_pack(tmp_path / "own" / ".importing-x", BASIS)
    (tmp_path / "own" / "broken").mkdir()
    (tmp_path / "own" / "broken" / "pack.json").write_text("{}")
    shelf.forget()
    assert ids(shelf) == ["default", "broken", "tiny"]
    assert not shelf.find("tiny").own and shelf.find("default").own
    assert "expected" in shelf.find("broken").problem and not shelf.find("broken").head
    assert shelf.find("tiny").models == "head"


def test_a_new_pack_is_seen_without_being_told(shelf, tmp_path):
    assert ids(shelf) == []
    write_pack(tmp_path / "staging", BASIS)
    os.replace(tmp_path / "staging", tmp_path / "own" / "late")
    os.utime(tmp_path / "own", ns=(1, 2))
    assert ids(shelf) == ["late"]


def test_licences_are_told_with_what_they_cover(addon):
    shelf = importlib.import_module("uvapm.uvapm_blender.packs.shelf")
    part = importlib.import_module("uvapm.engine.protocol.pack_manifest").PackPart
    parts = [("a", "MIT"), ("b", "CC0-1.0"), ("c", "MIT")]
    lines = shelf.licence_lines(tuple(part(name, "", licence, "x", "") for name, licence in parts))
    assert lines == ("MIT: a, c", "CC0-1.0: b")


def test_the_chosen_pack_is_fitted_and_remembered(blender, addon, shelf, monkeypatch, tmp_path):
    for name in ("default", "tiny"):
        write_pack(tmp_path / "own" / name, BASIS)
    shelf.forget()
    packs = blender.context.window_manager.uvapm.packs
    jobs = []
    session = addon.runtime.RUNTIME.session
    monkeypatch.setattr(session, "start", lambda launch, job: jobs.append((launch, job)))
    preferences = blender.context.preferences.addons["uvapm"].preferences
    preferences.engine_python = sys.executable
    (tmp_path / "extension" / "engine").mkdir(parents=True)
    (tmp_path / "extension" / "engine" / "__init__.py").touch()
    assert packs.head == "default"
    packs.head = "tiny"
    assert preferences.head_pack == "tiny"
    addon.runtime.start_job(blender.context, [tmp_path / "photo.png"])
    launch, job = jobs[0]
    assert job.pack == "tiny" and job.albedo is None and job.detail is None
    named, own = str(tmp_path / "named"), str(tmp_path / "own")
    assert dict(launch.environment)["UVAPM_PACKS"].split(os.pathsep)[:2] == [named, own]
    write_pack(tmp_path / "own" / "another", BASIS)  # numbers of items change, the choice stays
    shelf.forget()
    assert packs.head == "tiny"
    choice = importlib.import_module("uvapm.uvapm_blender.packs.choice")
    assert [choice.has_choice(model) for model in choice.MODELS] == [True, False, False]
    preferences.head_pack = "gone"
    assert packs.head == "default"


def test_an_imported_pack_is_there_under_its_name(blender, addon, shelf, importer, tmp_path):
    assert importer("ok") == {"FINISHED"}
    assert ids(shelf) == ["uvapm-albedo"] and shelf.find("uvapm-albedo").own
    assert "uvapm-albedo: pack imported" in addon.runtime.RUNTIME.note
    assert importer("ok", pack_name="mine", extra=str(tmp_path / "own")) == {"FINISHED"}
    assert sorted(ids(shelf)) == ["mine", "uvapm-albedo"]
    assert addon.locations.pack_folder("mine") == tmp_path / "own" / "mine"


def test_what_was_chosen_becomes_paths(blender, addon, importer, monkeypatch, tmp_path):
    jobs = []
    session = addon.runtime.RUNTIME.session
    monkeypatch.setattr(session, "start", lambda launch, job: jobs.append(job))
    for name in ("a.pkl", "b.pkl"):
        (tmp_path / name).touch()
    folder = str(tmp_path)
    importer("ok", filepath="", directory=folder, files=[{"name": "a.pkl"}, {"name": "b.pkl"}])
    importer("ok", filepath="", directory=folder, kind="ict", extra=str(tmp_path / "a.pkl"))
    assert jobs[0].paths == (str(tmp_path / "a.pkl"), str(tmp_path / "b.pkl"))
    assert jobs[1].paths == (folder, str(tmp_path / "a.pkl")) and jobs[1].kind == "ict"
    assert jobs[0].accept_licence and jobs[0].expressions == "arkit"


def test_with_a_window_a_timer_follows_the_import(blender, addon, importer, shelf, tmp_path):
    operators = importlib.import_module("uvapm.uvapm_blender.operators.packs")
    work = importlib.import_module("uvapm.engine.protocol.work")
    job = work.ImportJob("ict", (str(tmp_path / "ok.pkl"),), str(tmp_path / "own" / "ict"), True)
    addon.runtime.RUNTIME.session.start(operators.make_launch(blender.context), job)
    end = time.monotonic() + 20.0
    while operators._follow() is not None and time.monotonic() < end:
        time.sleep(0.02)
    assert ids(shelf) == ["ict"] and "ict: pack imported" in addon.runtime.RUNTIME.note
    assert not blender.ops.uvapm.cancel.poll(), "nothing runs any more"


@pytest.mark.parametrize(
    ("play", "more", "words"),
    [
        ("error", {}, "No face was found"),
        ("ok", {"accept_licence": False}, "terms of UVAPM albedo model were not accepted"),
        ("ok", {"filepath": "/nowhere/model.pkl", "directory": ""}, "Not found"),
        ("crash", {}, "gave no answer"),
    ],
)
def test_an_import_that_fails_says_why_and_leaves_nothing(
    addon, importer, tmp_path, play, more, words
):
    with pytest.raises(RuntimeError, match=words):
        importer(play, **more)
    runtime = addon.runtime.RUNTIME
    assert runtime.place == "packs" and words in str(runtime.error)
    assert not list((tmp_path / "own").iterdir())


def test_a_cancelled_import_leaves_nothing(blender, addon, importer, tmp_path):
    session = addon.runtime.RUNTIME.session

    def cancel_soon():
        while not (session.busy and session.status.stage):
            time.sleep(0.01)
        session.cancel()

    thread = threading.Thread(target=cancel_soon)
    thread.start()
    assert importer("slow") == {"CANCELLED"}
    thread.join()
    assert addon.runtime.RUNTIME.error is None and not list((tmp_path / "own").iterdir())


def test_only_own_packs_can_be_removed(blender, addon, shelf, tmp_path):
    write_pack(tmp_path / "own" / "tiny", BASIS)
    write_pack(tmp_path / "named" / "fixed", BASIS)
    shelf.forget()
    with pytest.raises(RuntimeError, match="came with"):
        blender.ops.uvapm.remove_pack(id="fixed")
    with pytest.raises(RuntimeError, match="came with"):
        blender.ops.uvapm.remove_pack(id="../named/fixed")
    assert blender.ops.uvapm.remove_pack(id="tiny") == {"FINISHED"}
    assert ids(shelf) == ["fixed"]


def test_accepted_terms_are_of_one_kind(blender, addon):
    packs = blender.context.window_manager.uvapm.packs
    kinds = [item.identifier for item in packs.bl_rna.properties["kind"].enum_items]
    packs.accepted = True
    packs.kind = kinds[-1]
    assert not packs.accepted


def test_a_head_carries_the_licences_of_its_packs(blender, addon, shelf, tiny, tmp_path):
    result = tiny.write_tiny_result(tmp_path / "result", tmp_path / "photo.png")
    assert addon.build(result).root.uvapm.licences == "", "its pack is not here"
    pack = write_pack(tmp_path / "own" / "tiny", BASIS)
    manifest = json.loads((result / "result.json").read_text())
    manifest["pack"]["sha256"] = file_sha256(pack / "pack.json")
    (result / "result.json").write_text(json.dumps(manifest))
    assert addon.build(result).root.uvapm.licences == "CC0-1.0: all"


def test_bad_packs_are_moved_aside_and_can_be_imported_again(
    blender, addon, shelf, importer, tmp_path
):
    own = tmp_path / "own"
    assert importer("ok", pack_name="good") == {"FINISHED"}
    assert blender.ops.uvapm.set_aside_packs() == {"CANCELLED"}, "nothing is bad"
    for _ in range(2):
        assert importer("ok", pack_name="bad") == {"FINISHED"}
        with open(own / "bad" / "head.safetensors", "ab") as file:
            file.write(b"x")
        assert blender.ops.uvapm.set_aside_packs() == {"FINISHED"}
        assert ids(shelf) == ["good"]
    assert sorted(path.name for path in (own / "set aside").iterdir()) == ["bad", "bad 2"]
