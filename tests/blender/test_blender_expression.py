"""Expression sliders: names, groups, symmetric, random, locks, panels."""

import importlib
from types import SimpleNamespace

import numpy as np
import pytest

pytestmark = pytest.mark.blender


@pytest.fixture
def names(addon):
    return importlib.import_module("uvapm.uvapm_blender.shape.expression")


@pytest.fixture
def change(addon):
    return importlib.import_module("uvapm.uvapm_blender.shape.change")


@pytest.fixture
def values(addon):
    return importlib.import_module("uvapm.uvapm_blender.shape.values")


ARKIT = tuple(
    "browDownLeft browDownRight browInnerUp browOuterUpLeft browOuterUpRight cheekPuff "
    "eyeBlinkLeft eyeBlinkRight eyeLookDownLeft eyeLookDownRight eyeLookInLeft eyeLookInRight "
    "eyeLookOutLeft eyeLookOutRight eyeLookUpLeft eyeLookUpRight jawLeft jawOpen jawRight "
    "mouthLeft mouthRight mouthSmileLeft mouthSmileRight mouthFrownLeft mouthFrownRight "
    "mouthRollLower noseSneerLeft noseSneerRight tongueOut".split()
)


def test_partners_share_a_side_of_the_face_and_eyes_stay_parallel(names):
    assert names.partner_of("mouthSmileLeft") == "mouthSmileRight"
    assert names.partner_of("eyeLookInLeft") == "eyeLookOutRight"
    assert names.partner_of("eyeLookUpRight") == "eyeLookUpLeft"
    for alone in ("jawLeft", "mouthRight", "jawOpen", "browInnerUp"):
        assert names.partner_of(alone) == ""
    for name in ARKIT:
        other = names.partner_of(name)
        assert not other or names.partner_of(other) == name


def test_every_name_has_one_group_and_readable_words(names):
    groups = {names.group_of(name) for name in ARKIT}
    assert groups == {"brows", "eyes", "jaw", "mouth", "cheeks", "tongue"}
    assert names.group_of("smile_wide") == "other"
    assert names.words("mouthSmileLeft") == "Mouth Smile Left"
    assert names.short_words("mouthSmileLeft") == "Smile"
    assert names.short_words("noseSneerLeft") == "Nose Sneer"
    assert names.found("mouthSmileLeft", "left smi") and not names.found("jawOpen", "smile")


def test_a_random_face_is_possible(change):
    for seed in range(20):
        drawn = change.draw_expression(list(ARKIT), np.random.default_rng(seed))
        assert all(0.0 <= weight <= 1.0 for weight in drawn.values())
        for one, other in change.ONE_OF:
            assert not any(
                drawn[a] and drawn[b]
                for a in ARKIT
                for b in ARKIT
                if a.startswith(one) and b.startswith(other)
            )
        assert not (drawn["eyeLookInLeft"] and drawn["eyeLookInRight"]), "cross-eyed"
        assert not drawn["eyeBlinkLeft"] and not drawn["tongueOut"]


def test_expressions_reset_randomise_and_obey_locks(blender, addon, tiny, result, values):
    root = addon.build(result).root
    fitted = values.expression_of(root)
    np.testing.assert_allclose(fitted, tiny.WEIGHTS, atol=1e-6)
    root.uvapm.shape.expressions["eyeBlinkLeft"].locked = True
    blender.ops.uvapm.reset_shape(kind="EXPRESSION", to="AVERAGE")
    np.testing.assert_allclose(values.expression_of(root), [0, fitted[1], 0], atol=1e-6)
    blender.ops.uvapm.randomise_shape(kind="EXPRESSION", seed=1, amount=1.0)
    first = values.expression_of(root)
    assert first[1] == fitted[1]
    blender.ops.uvapm.randomise_shape(kind="EXPRESSION", seed=1, amount=1.0)
    np.testing.assert_array_equal(values.expression_of(root), first)
    blender.ops.uvapm.reset_shape(kind="EXPRESSION", to="FITTED")
    np.testing.assert_array_equal(values.expression_of(root), fitted)


@pytest.fixture
def paired(blender, addon, result):
    """Root of a head that has keys for both eyelids, with the toggle on."""
    root = addon.build(result).root
    skin = next(o for o in root.children_recursive if o.uvapm.role == "SKIN")
    for name in ("eyeBlinkRight", "eyeLookOutRight"):
        skin.shape_key_add(name=name, from_mix=False)
    root.uvapm.shape.symmetric = True
    return root


def moved(blender, root, name, value):
    """Values of all keys after one slider was moved."""
    skin = next(o for o in root.children_recursive if o.uvapm.role == "SKIN")
    skin.data.shape_keys.key_blocks[name].value = value
    blender.context.view_layer.update()
    return {key.name: round(key.value, 4) for key in skin.data.shape_keys.key_blocks}


def test_symmetric_moves_the_other_side(blender, paired):
    keys = moved(blender, paired, "eyeBlinkRight", 0.75)
    assert keys["eyeBlinkLeft"] == 0.75 and keys["jawOpen"] == 0.5
    assert moved(blender, paired, "eyeLookInLeft", 0.5)["eyeLookOutRight"] == 0.5
    paired.uvapm.shape.symmetric = False
    assert moved(blender, paired, "eyeBlinkLeft", 0.25)["eyeBlinkRight"] == 0.75


def test_symmetric_leaves_locked_keys_and_what_moved_by_itself(blender, paired):
    paired.uvapm.shape.expressions["eyeBlinkLeft"].locked = True
    assert moved(blender, paired, "eyeBlinkRight", 0.75)["eyeBlinkLeft"] == 0.25
    paired.uvapm.shape.expressions["eyeBlinkLeft"].locked = False
    skin = next(o for o in paired.children_recursive if o.uvapm.role == "SKIN")
    skin.data.shape_keys.key_blocks["eyeBlinkLeft"].value = 0.1
    keys = moved(blender, paired, "eyeBlinkRight", 0.9)
    assert (keys["eyeBlinkLeft"], keys["eyeBlinkRight"]) == (0.1, 0.9)


def test_symmetric_after_undo_follows_at_once(blender, addon, result):
    blender.ops.uvapm.import_result("EXEC_DEFAULT", True, directory=str(result))
    root = next(o for o in blender.data.objects if o.uvapm.role == "ROOT")
    skin = next(o for o in root.children_recursive if o.uvapm.role == "SKIN")
    skin.shape_key_add(name="eyeBlinkRight", from_mix=False)
    root.uvapm.shape.symmetric = True
    blender.ops.ed.undo_push(message="start")
    moved(blender, root, "eyeBlinkRight", 0.75)
    blender.ops.ed.undo_push(message="moved")
    blender.ops.ed.undo()
    root = next(o for o in blender.data.objects if o.uvapm.role == "ROOT")
    assert moved(blender, root, "eyeBlinkRight", 0.5)["eyeBlinkLeft"] == 0.5


def test_symmetric_survives_an_undo_step_that_was_taken_before_the_mirroring(
    blender, addon, result
):
    """As in a window: the step of a drag is taken before its last move is evaluated."""
    blender.ops.uvapm.import_result("EXEC_DEFAULT", True, directory=str(result))
    root = next(o for o in blender.data.objects if o.uvapm.role == "ROOT")
    skin = next(o for o in root.children_recursive if o.uvapm.role == "SKIN")
    skin.shape_key_add(name="eyeBlinkRight", from_mix=False)
    root.uvapm.shape.symmetric = True
    moved(blender, root, "eyeBlinkRight", 0.5)
    blender.ops.ed.undo_push(message="start")
    handler = importlib.import_module("uvapm.uvapm_blender.shape.handlers")._on_update
    blender.app.handlers.depsgraph_update_post.remove(handler)
    skin.data.shape_keys.key_blocks["eyeBlinkRight"].value = 0.75
    blender.ops.ed.undo_push(message="drag")
    blender.app.handlers.depsgraph_update_post.append(handler)
    assert moved(blender, root, "eyeBlinkRight", 0.75)["eyeBlinkLeft"] == 0.75
    root.location.x = 1.0
    blender.ops.ed.undo_push(message="move")
    for step in (blender.ops.ed.undo, blender.ops.ed.undo, blender.ops.ed.redo):
        step()
        root = next(o for o in blender.data.objects if o.uvapm.role == "ROOT")
        skin = next(o for o in root.children_recursive if o.uvapm.role == "SKIN")
        keys = skin.data.shape_keys.key_blocks
        assert keys["eyeBlinkLeft"].value == keys["eyeBlinkRight"].value
    assert keys["eyeBlinkLeft"].value == 0.75


class Layout:
    """Stands in for a layout: notes every call, and which sliders are grey."""

    def __init__(self, parent=None):
        self.parent, self.enabled = parent, True
        self.said = parent.said if parent else []
        self.drawn = parent.drawn if parent else {}

    def panel(self, name, default_closed=False):
        return self, None if default_closed else self

    def prop(self, data, name, text="", slider=False, **options):
        if slider:
            self.drawn[text] = self.usable()

    def usable(self):
        return self.enabled and (self.parent is None or self.parent.usable())

    def __getattr__(self, name):
        def call(*arguments, **options):
            self.said.append((name, arguments, options))
            return Layout(self)

        return call

    def sliders(self):
        """Labels of the sliders that were drawn."""
        return list(self.drawn)


def test_panels_draw_every_state(blender, addon, result):
    panels = importlib.import_module("uvapm.uvapm_blender.panels.shape")
    built = addon.build(result)
    view = blender.context.window_manager.uvapm.shape

    def draw(panel):
        context = SimpleNamespace(
            active_object=built.head,
            window_manager=blender.context.window_manager,
            region=SimpleNamespace(width=300),
            preferences=SimpleNamespace(system=SimpleNamespace(ui_scale=1.0)),
        )
        drawn = type("Drawn", (), {**vars(panel), "layout": Layout()})()
        drawn.draw(context)
        return drawn.layout

    shape, expression = panels.CLASSES
    built.root.uvapm.shape.components[1].locked = True
    usable = {"Component 1": True, "Component 2": False, "Component 3": True, "Component 4": True}
    assert draw(shape).drawn == usable
    view.search = "2"
    assert draw(shape).sliders() == ["Component 2"]
    view.search = "nothing like it"
    assert ("label", (), {"text": "Nothing found"}) in draw(shape).said
    view.search = ""
    assert draw(expression).sliders() == ["Blink Left", "Look In Left"]
    built.head.shape_key_add(name="eyeBlinkRight", from_mix=False)
    assert draw(expression).sliders() == ["L", "R", "Look In Left"]
    view.search_expression = "open"
    assert draw(expression).sliders() == ["Jaw Open"]
    view.search_expression = ""
    built.root.uvapm.shape.components[0].value = 1.0  # the tiny pack is not there
    assert not any(draw(shape).drawn.values()) and "not found" in str(draw(shape).said)
    built.root.uvapm.shape.components.clear()
    assert not draw(shape).sliders() and "no shape sliders" in str(draw(shape).said)
