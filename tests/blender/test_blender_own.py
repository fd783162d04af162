"""Duplicates of a head: linked or not, they can be made independent of the first."""

import importlib

import pytest

pytestmark = pytest.mark.blender


@pytest.fixture
def own(addon):
    return importlib.import_module("uvapm.uvapm_blender.scene.own")


@pytest.fixture
def twins(blender, addon, result):
    """twins(linked) -> the root of a head and that of its duplicate."""

    def make(linked):
        first = addon.build(result).root
        for item in (first, *first.children_recursive):
            item.select_set(True)
        blender.context.view_layer.objects.active = first
        blender.ops.object.duplicate(linked=linked)
        second = blender.context.view_layer.objects.active
        assert second != first and second.uvapm.role == "ROOT"
        return first, second

    return make


def images(own, parts):
    return {node.image for node in own.image_nodes({part.active_material for part in parts})}


@pytest.mark.parametrize("linked", [True, False])
def test_nothing_is_shared_afterwards(addon, own, twins, linked):
    first, second = twins(linked)
    own.own_meshes(second)
    copies = own.own_materials(second)
    own.own_view(second)
    mine, theirs = addon.heads.parts_of(second), addon.heads.parts_of(first)
    for a, b in zip(mine, theirs, strict=True):
        assert a.data != b.data
        assert a.data.shape_keys is None or a.data.shape_keys != b.data.shape_keys
        assert a.active_material != b.active_material
    assert not images(own, mine) & images(own, theirs)
    assert second.uvapm.detail.albedo == copies[first.uvapm.detail.albedo]
    assert second.uvapm.camera in second.children_recursive
    assert second.uvapm.camera.data != first.uvapm.camera.data
    assert second.uvapm.world != first.uvapm.world
    assert not own.own_meshes(second) and not own.own_materials(second), "all is done"
    assert not own.own_meshes(first) and not own.own_materials(first)


@pytest.mark.parametrize("linked", [True, False])
def test_the_parts_follow_their_own_skin(blender, addon, own, twins, linked):
    first, second = twins(linked)
    own.own_meshes(second)
    skin = addon.heads.parts_of(second)[0]
    skin.data.shape_keys.key_blocks["jawOpen"].value = 1.0
    blender.context.view_layer.update()
    value = {
        root.name: next(
            part.evaluated_get(blender.context.evaluated_depsgraph_get())
            .data.shape_keys.key_blocks["jawOpen"]
            .value
            for part in addon.heads.parts_of(root)
            if "teeth" in part.name
        )
        for root in (first, second)
    }
    assert value == {second.name: 1.0, first.name: pytest.approx(0.5)}


def test_changed_pixels_come_along(addon, own, twins):
    first, second = twins(False)
    image = first.uvapm.detail.albedo
    image.pixels[0] = 0.25
    image.update()
    changed = image.pixels[0]
    copy = own.own_materials(second)[image]
    assert copy.pixels[0] == pytest.approx(changed) and copy.packed_file
