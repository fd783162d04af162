"""The detail sliders: the picture follows them, through undo, saving, loading and export too."""

import importlib
import shutil
from types import SimpleNamespace

import numpy as np
import pytest

from engine.protocol.detail_layers import (
    DetailStrengths,
)
from tests.blender.detail_picture import LEVEL, assert_seen, root_of, seen

pytestmark = [
    pytest.mark.blender,
    pytest.mark.filterwarnings("ignore:Setting the shape on a NumPy array:DeprecationWarning"),
]


def test_each_slider_changes_the_picture_as_the_formula_says(blender, addon, result, expected):
    built = addon.build(result)
    detail = built.root.uvapm.detail
    assert_seen(addon, built, expected())
    for name in DetailStrengths.__dataclass_fields__:
        setattr(detail, name, 0.0)
        assert_seen(addon, built, expected(DetailStrengths(**{name: 0.0})))
        setattr(detail, name, 1.0)
    detail.photo = 0.25
    detail.strength = 2.0
    assert_seen(addon, built, expected(DetailStrengths(2.0), 0.25))
    assert not np.allclose(expected(), expected(DetailStrengths(0.0)), atol=3 * LEVEL)


def test_sliders_at_their_start_give_the_results_own_albedo(blender, addon, result):
    built = addon.build(result)
    before = seen(addon, built)
    built.root.uvapm.detail.pores = 0.0
    built.root.uvapm.detail.pores = 1.0
    assert np.array_equal(seen(addon, built), before)


def test_reset_puts_back_its_group_only(blender, addon, result, expected):
    built = addon.build(result)
    detail = built.root.uvapm.detail
    detail.strength, detail.pores, detail.eyes, detail.photo = 0.5, 0.0, 2.0, 0.5
    assert blender.ops.uvapm.reset_detail(group="BANDS") == {"FINISHED"}
    assert (detail.pores, detail.eyes) == (1.0, 2.0)
    assert_seen(addon, built, expected(DetailStrengths(0.5, eyes=2.0), 0.5))
    assert blender.ops.uvapm.reset_detail(group="ALL") == {"FINISHED"}
    assert_seen(addon, built, expected())


def test_undo_and_redo_bring_back_the_picture(blender, addon, result, expected, engine):
    blender.ops.uvapm.import_result("EXEC_DEFAULT", True, directory=str(result))
    blender.ops.ed.undo_push(message="start")
    pictures = {}
    for step, change in enumerate([("strength", 0.0), ("photo", 0.5), ("cheeks", 2.0)]):
        setattr(root_of(blender).uvapm.detail, *change)
        pictures[step] = seen(addon, root_of(blender))
        blender.ops.ed.undo_push(message=change[0])
    root_of(blender).uvapm.detail.directions[0] = 2.0
    pictures[3] = seen(addon, root_of(blender))
    blender.ops.ed.undo_push(message="direction")
    for step in (2, 1, 0):
        blender.ops.ed.undo()
        assert_seen(addon, root_of(blender), pictures[step])
    blender.ops.ed.undo()
    assert_seen(addon, root_of(blender), expected())
    for step in (0, 1, 2, 3):
        blender.ops.ed.redo()
        assert_seen(addon, root_of(blender), pictures[step])
    assert root_of(blender).uvapm.detail.directions[0] == 2.0


def test_undo_of_something_else_keeps_the_picture(blender, addon, result):
    blender.ops.uvapm.import_result("EXEC_DEFAULT", True, directory=str(result))
    root_of(blender).uvapm.detail.strength = 0.0
    picture = seen(addon, root_of(blender))
    blender.ops.ed.undo_push(message="strength")
    root_of(blender).location.x = 3.0
    blender.ops.ed.undo_push(message="move")
    blender.ops.ed.undo()
    assert root_of(blender).location.x == 0.0
    assert_seen(addon, root_of(blender), picture)


def test_two_heads_do_not_disturb_each_other(blender, addon, result, expected, engine):
    one, other = addon.build(result), addon.build(result)
    one.root.uvapm.detail.strength = 0.0
    assert_seen(addon, other, expected())
    other.root.uvapm.detail.directions[0] = 1.0
    assert_seen(addon, one, expected(DetailStrengths(0.0)))
    one.root.uvapm.detail.strength = 1.0
    assert_seen(addon, one, expected())
    assert_seen(addon, other, expected(detail=np.full((512, 512), 0.1, np.float32)))


def test_directions_start_the_engine_and_strengths_work_on_what_it_made(
    blender, addon, result, expected, engine
):
    built = addon.build(result)
    assert not addon.runtime.RUNTIME.session.warm
    built.root.uvapm.detail.directions[0] = -1.0
    assert addon.runtime.RUNTIME.session.warm
    made = np.full((512, 512), -0.1, np.float32)
    assert_seen(addon, built, expected(detail=made))
    built.root.uvapm.detail.strength = 0.5
    assert_seen(addon, built, expected(DetailStrengths(0.5), detail=made))
    built.root.uvapm.detail.directions[0] = 0.0
    assert_seen(addon, built, expected(DetailStrengths(0.5)))


@pytest.mark.parametrize(
    ("how", "words"), [("no_decode", "There is no pack"), ("dead", "gave no answer")]
)
def test_an_engine_that_cannot_is_told_and_the_picture_stays(
    blender, addon, live, result, expected, engine, how, words
):
    built = addon.build(result)
    engine(how)
    built.root.uvapm.detail.directions[0] = 1.0
    assert words in str(live.CACHE.error)
    assert_seen(addon, built, expected())
    engine("well")
    built.root.uvapm.detail.directions[0] = 2.0
    assert live.CACHE.error is None
    assert_seen(addon, built, expected(detail=np.full((512, 512), 0.2, np.float32)))


def test_without_any_python_directions_say_so(blender, addon, live, result, tmp_path):
    settings = blender.context.preferences.addons["uvapm"].preferences
    settings.engine_python = str(tmp_path / "no" / "python")
    addon.build(result).root.uvapm.detail.directions[0] = 1.0
    assert live.CACHE.error.code.value == "engine_missing"


def test_a_drag_in_a_window_is_followed_by_the_timer(
    blender, addon, live, result, expected, engine, monkeypatch
):
    """With a window the engine is asked without waiting; the timer shows what comes."""
    built, other = addon.build(result), addon.build(result)
    engine("slow_decode")

    built.root.uvapm.detail.strength, other.root.uvapm.detail.strength = 1.0, 1.0  # maps at hand
    settle = importlib.import_module("uvapm.uvapm_blender.detail.settle")
    directions = importlib.import_module("uvapm.uvapm_blender.detail.directions")
    monkeypatch.setattr(settle, "at_once", lambda: False)
    for value in (0.5, 1.0, 1.5, 2.0):
        built.root.uvapm.detail.directions[0] = value
    other.root.uvapm.detail.directions[0] = 3.0
    assert_seen(addon, built, expected())
    assert blender.app.timers.is_registered(directions._tick)
    for _ in range(1000):
        if directions._tick() is None:
            break
        importlib.import_module("time").sleep(0.01)
    assert_seen(addon, built, expected(detail=np.full((512, 512), 0.2, np.float32)))
    assert_seen(addon, other, expected(detail=np.full((512, 512), 0.3, np.float32)))


def test_removing_a_head_takes_its_image(blender, addon, result):
    addon.build(result).root.uvapm.detail.strength = 0.0
    blender.ops.uvapm.remove_head()
    assert not [image for image in blender.data.images if "albedo" in image.name]
    blender.ops.ed.undo_push(message="removed")


def test_handlers_leave_with_the_add_on(blender, addon):
    module = importlib.import_module("uvapm.uvapm_blender")

    def ours():
        every = (getattr(blender.app.handlers, name) for name in dir(blender.app.handlers))
        lists = [each for each in every if isinstance(each, list)]
        modules = [getattr(handler, "__module__", "") for each in lists for handler in each]
        return sorted(name for name in modules if name.startswith("uvapm."))

    before = ours()
    module.unregister()
    after = ours()
    module.register()
    assert before and not after and ours() == before


def test_panels_draw(blender, addon, live, result, engine):
    """Draw code runs only in a window: here on a stand-in layout, for every state of a head."""
    panels = importlib.import_module("uvapm.uvapm_blender.panels.detail")
    built = addon.build(result)

    class Layout:
        def __init__(self):
            self.said, self.enabled = [], True

        def __getattr__(self, name):
            def call(*arguments, **options):
                self.said.append((name, arguments, options))
                return self

            return call

    class Context:
        active_object = built.head
        region = SimpleNamespace(width=300)
        preferences = SimpleNamespace(system=SimpleNamespace(ui_scale=1.0))

    def draw(panel):
        names = {**vars(panels._DetailPanel), **vars(panel)}
        drawn = type("Drawn", (), names | {"layout": Layout()})()
        drawn.draw(Context)
        return drawn.layout

    kinds = [panels.UVAPM_PT_detail, panels.UVAPM_PT_bands, panels.UVAPM_PT_regions,
             panels.UVAPM_PT_directions]  # fmt: skip
    counts = [sum(s[0] == "prop" for s in draw(kind).said) for kind in kinds]
    assert counts == [3, 4, 4, 20] and all(draw(kind).enabled for kind in kinds)
    built.root.uvapm.detail.fitted = False
    assert [draw(kind).enabled for kind in kinds] == [True, False, False, False]
    assert any("without a" in str(said) for said in draw(kinds[0]).said)
    built.root.uvapm.detail.fitted = True
    shutil.rmtree(result)
    live.CACHE.clear()
    built.root.uvapm.detail.strength = 0.0
    assert not any(draw(kind).enabled for kind in kinds)
    assert any("This head's result" in str(said) for said in draw(kinds[0]).said)
