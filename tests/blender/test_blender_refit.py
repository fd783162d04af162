"""Several photos of one person, and fitting a head again with parts locked."""

import pytest

pytestmark = pytest.mark.blender


@pytest.fixture
def photo(tmp_path, tiny):
    def make(name):
        path = tmp_path / f"{name}.png"
        tiny.write_png(path, tiny._gradient(120, 160))
        return path

    return make


@pytest.fixture
def jobs(addon, fake_engine, monkeypatch):
    """The jobs that were sent to the engine, which still gets them."""
    session, sent = addon.runtime.RUNTIME.session, []
    start = session.start

    def record(launch, job):
        sent.append(job)
        start(launch, job)

    monkeypatch.setattr(session, "start", record)
    return sent


def roots(bpy):
    return [item for item in bpy.data.objects if item.uvapm.role == "ROOT"]


def test_chosen_photos_go_to_the_engine_in_their_order(blender, jobs, photo):
    paths = [photo("ok"), photo("left"), photo("right")]
    files = [{"name": path.name} for path in paths]
    chosen = {"directory": str(paths[0].parent), "files": files}
    assert blender.ops.uvapm.reconstruct(**chosen) == {"FINISHED"}
    assert jobs[0].photos == tuple(map(str, paths))


def test_one_of_several_photos_is_gone(blender, jobs, photo):
    chosen = {
        "directory": str(photo("ok").parent),
        "files": [{"name": "ok.png"}, {"name": "b.png"}],
    }
    with pytest.raises(RuntimeError, match=r"not found: .*b\.png"):
        blender.ops.uvapm.reconstruct(**chosen)
    assert not jobs and not roots(blender)


def refit(blender, jobs, photo, locks, change=lambda root: None):
    """Reconstruct, change the head, refit: the old and the new root."""
    blender.ops.uvapm.reconstruct(filepath=str(photo("ok")))
    (old,) = roots(blender)
    old.uvapm.photo = str(photo("ok"))  # the fake engine's result names its own photo
    old.uvapm.locks = locks
    change(old)
    assert blender.ops.uvapm.refit() == {"FINISHED"}
    return old, next(root for root in roots(blender) if root != old)


def test_a_refit_starts_from_the_head_with_its_locks(blender, jobs, photo):
    _, new = refit(blender, jobs, photo, {"identity", "eyes"})
    first, again = jobs
    assert again.start == first.output and again.photos == first.photos
    assert again.locks == ("eyes", "identity") and again.output != first.output
    assert new.uvapm.locks == {"identity", "eyes"}


def test_the_new_head_takes_the_place_and_the_sliders(blender, addon, jobs, photo):
    def change(root):
        root.location = (1.0, 2.0, 3.0)
        blender.context.view_layer.update()
        root.uvapm.detail.strength = 0.5
        root.uvapm.detail.directions[0] = 2.0
        addon.heads.parts_of(root)[0].data.shape_keys.key_blocks[1].value = 0.25

    old, new = refit(blender, jobs, photo, {"expression"}, change)
    assert new.matrix_world == old.matrix_world
    assert new.uvapm.detail.strength == 0.5
    assert new.uvapm.detail.directions[0] == 0.0, "a new detail has its own directions"
    assert addon.heads.parts_of(new)[0].data.shape_keys.key_blocks[1].value == 0.25
    hidden = [old, *old.children_recursive]
    assert all(item.hide_viewport and item.hide_render for item in hidden)
    assert not new.hide_viewport and old.name in blender.data.objects, "nothing is lost"


def test_a_refit_is_one_undo_step(blender, jobs, photo):
    blender.ops.uvapm.reconstruct(filepath=str(photo("ok")))
    roots(blender)[0].uvapm.photo = str(photo("ok"))
    blender.ops.ed.undo_push(message="before")
    blender.ops.uvapm.refit("EXEC_DEFAULT", True)
    assert len(roots(blender)) == 2
    blender.ops.ed.undo()
    (root,) = roots(blender)
    assert not root.hide_viewport


def test_a_refit_says_what_is_missing(blender, addon, jobs, photo, result):
    assert not blender.ops.uvapm.refit.poll()
    blender.ops.uvapm.reconstruct(filepath=str(photo("ok")))
    (root,) = roots(blender)
    root.uvapm.photo = "/nowhere/photo.png"
    with pytest.raises(RuntimeError, match="photo was not found: /nowhere"):
        blender.ops.uvapm.refit()
    root.uvapm.result_folder = "/nowhere"
    with pytest.raises(RuntimeError, match="cannot be used"):
        blender.ops.uvapm.refit()
    assert len(jobs) == 1 and roots(blender) == [root]
