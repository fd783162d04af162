"""A head is built in small steps: all of it, or nothing, whatever happens between two of them."""

import importlib
from types import SimpleNamespace

import pytest

pytestmark = pytest.mark.blender


@pytest.fixture
def building(blender, addon, result):
    """begin() -> the building of a head of the tiny result."""
    module = importlib.import_module("uvapm.uvapm_blender.building")
    read = addon.read_result(result)
    plan = importlib.import_module("uvapm.uvapm_blender.scene.plan").plan_head(read)
    steps = addon.scene_build.build_steps
    return lambda: module.Building(lambda: steps(read, blender.context, plan))


@pytest.fixture
def count(blender, addon):
    """count() -> how many data-blocks there are, by kind."""
    kinds = [*addon.made.KINDS, "shape_keys", "node_groups"]
    return lambda: {kind: len(getattr(blender.data, kind)) for kind in kinds}


def finish(building):
    """Go on to the end; returns in how many spells."""
    spells = 1
    while not building.advance(0.0):
        spells += 1
    return spells


def test_a_head_in_many_steps_is_the_head_in_one_go(blender, addon, building, count, result):
    addon.build(result)
    once, (first,) = count(), heads(blender)
    assert finish(building()) > 20
    assert count() == {kind: 2 * number for kind, number in once.items()}
    second = next(root for root in heads(blender) if root != first)
    keys = [
        sorted(len(part.data.shape_keys.key_blocks) for part in addon.heads.parts_of(root)
               if part.data.shape_keys)
        for root in (first, second)
    ]  # fmt: skip
    assert keys[0] == keys[1] and blender.context.scene.camera == second.uvapm.camera


@pytest.mark.parametrize("spells", [1, 7, 15, 24])
def test_leaving_off_leaves_nothing(blender, building, count, spells):
    before, scene = count(), blender.context.scene
    work = building()
    for _ in range(spells):
        assert not work.advance(0.0)
    assert scene.camera is None and not scene.objects, "the scene changes at the end only"
    work.drop()
    assert count() == before


@pytest.mark.parametrize("spells", [3, 20])
def test_it_begins_again_when_undo_took_half_a_head(blender, addon, building, count, spells):
    blender.ops.ed.undo_push(message="before")
    work = building()
    for _ in range(spells):
        work.advance(0.0)
    blender.ops.mesh.primitive_cube_add()
    blender.ops.ed.undo_push(message="cube")
    blender.ops.ed.undo()
    finish(work)
    assert len(heads(blender)) == 1 and "Cube" not in blender.data.objects
    one = count()
    finish(building())
    assert count() == {kind: 2 * number for kind, number in one.items()}, "no half head is left"


def test_another_file_keeps_what_is_its_own(blender, building, count):
    work = building()
    for _ in range(10):
        work.advance(0.0)
    blender.ops.wm.read_factory_settings(use_empty=False)
    before = count()
    work.drop()
    assert count() == before and before["objects"] == 3


def test_keys_and_clicks_wait_while_a_head_is_built(blender, addon, building, count, monkeypatch):
    job = importlib.import_module("uvapm.uvapm_blender.operators.job")
    said = []
    operator = type(
        "Plain", (job.JobOperator,), {"report": lambda self, *words: said.append(words)}
    )()
    monkeypatch.setattr(job, "BUILD_SECONDS", 0.0)
    runtime, before = addon.runtime.RUNTIME, count()

    def modal(kind, value="PRESS"):
        return operator.modal(blender.context, SimpleNamespace(type=kind, value=value))

    runtime.building = building()
    assert modal("TIMER") == {"RUNNING_MODAL"} and modal("Z") == {"RUNNING_MODAL"}
    assert modal("MOUSEMOVE", "NOTHING") == {"PASS_THROUGH"}
    assert modal("ESC") == {"CANCELLED"} and runtime.building is None
    assert count() == before and said
    runtime.building = building()
    while modal("TIMER") == {"RUNNING_MODAL"}:
        pass
    assert runtime.building is None and len(heads(blender)) == 1


def heads(bpy):
    return [item for item in bpy.data.objects if item.uvapm.role == "ROOT"]
