"""Files of earlier versions. fixtures/schema_1 was saved by the version before the live sliders, in
Blender 4.2: a tiny head, pores at 0.5, jawOpen at 0.9, the identity locked."""

import importlib
import shutil

import numpy as np
import pytest

pytestmark = pytest.mark.blender


@pytest.fixture
def old_file(root, tmp_path):
    """A copy of the old project folder; its .blend."""
    shutil.copytree(root / "tests" / "fixtures" / "schema_1", tmp_path / "old")
    return tmp_path / "old" / "head.blend"


def opened(bpy, path):
    bpy.ops.wm.open_mainfile(filepath=str(path))
    return next(item for item in bpy.data.objects if item.uvapm.role == "ROOT")


def skin(root):
    return next(item for item in root.children if item.uvapm.role == "SKIN")


def test_an_old_head_keeps_its_values_and_gets_the_new_sliders(blender, addon, old_file):
    head = opened(blender, old_file)
    migrate = importlib.import_module("uvapm.uvapm_blender.migrate")
    assert head.uvapm.schema_version == migrate.SCHEMA_VERSION > 1
    assert head.uvapm.detail.pores == 0.5 and head.uvapm.locks == {"identity"}
    keys = skin(head).data.shape_keys.key_blocks
    assert keys["jawOpen"].value == pytest.approx(0.9)
    assert len(head.uvapm.shape.components) == 4
    assert [item.name for item in head.uvapm.shape.expressions] == [key.name for key in keys[1:]]
    assert skin(head).uvapm.kind == "skin"


def test_a_migrated_head_is_saved_as_one_of_this_version(blender, addon, old_file):
    before = np.empty(3 * len(skin(opened(blender, old_file)).data.vertices), np.float32)
    skin(opened(blender, old_file)).data.vertices.foreach_get("co", before)
    blender.ops.wm.save_as_mainfile(filepath=str(old_file))
    head = opened(blender, old_file)
    after = np.empty_like(before)
    skin(head).data.vertices.foreach_get("co", after)
    np.testing.assert_array_equal(after, before)
    assert len(head.uvapm.shape.components) == 4


def test_without_its_result_an_old_head_still_opens(blender, addon, old_file):
    shutil.rmtree(old_file.parent / "result")
    head = opened(blender, old_file)
    assert head.uvapm.detail.pores == 0.5
    assert not head.uvapm.shape.components


def test_a_head_of_a_later_version_is_left_alone(blender, addon, old_file):
    head = opened(blender, old_file)
    migrate = importlib.import_module("uvapm.uvapm_blender.migrate")
    head.uvapm.schema_version = migrate.SCHEMA_VERSION + 5
    migrate.migrate(head)
    assert head.uvapm.schema_version == migrate.SCHEMA_VERSION + 5
