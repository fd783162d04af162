"""A factory-empty Blender with the add-on registered, fresh for each test.

One bpy per process. The outer package is `uvapm` (tests/conftest.py).
"""

import importlib
import importlib.util
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from engine.protocol.conventions import bytes_to_unit, unit_to_bytes
from engine.protocol.detail_layers import (
    DetailStrengths,
    compose_albedo,
    compose_detail,
    split_detail,
)

HERE = Path(__file__).parent
FAKE_ENGINE = HERE.parent / "client" / "fakes" / "fake_engine.py"
PACKAGE = "uvapm"


def _load(name: str):
    spec = importlib.util.spec_from_file_location(name, HERE / f"{name}.py")
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def tiny():
    """The module tiny_result."""
    return sys.modules.get("tiny_result") or _load("tiny_result")


@pytest.fixture
def blender(bpy):
    """bpy with an empty scene and the add-on registered; everything is taken back afterwards."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    bpy.context.preferences.addons.new().module = PACKAGE
    addon = importlib.import_module(f"{PACKAGE}.uvapm_blender")
    addon.register()
    yield bpy
    addon.unregister()
    for each in [a for a in bpy.context.preferences.addons if a.module == PACKAGE]:
        bpy.context.preferences.addons.remove(each)


@pytest.fixture
def addon(blender):
    """The add-on's modules, and build(folder) -> BuiltHead."""
    module = {
        name.rpartition(".")[2]: importlib.import_module(f"{PACKAGE}.uvapm_blender.{name}")
        for name in (
            "runtime", "locations", "scene.build", "scene.made", "scene.heads", "scene.images",
            "scene.material", "scene.groups", "scene.exif", "scene.camera", "export.head",
        )
    }  # fmt: skip
    protocol = importlib.import_module(f"{PACKAGE}.engine.protocol.result")
    return SimpleNamespace(
        runtime=module["runtime"],
        locations=module["locations"],
        groups=module["groups"],
        heads=module["heads"],
        images=module["images"],
        material=module["material"],
        exif=module["exif"],
        scene_build=module["build"],
        made=module["made"],
        export_head=module["head"].export_head,
        read_result=protocol.read_result,
        build=lambda folder: module["build"].build_scene(
            protocol.read_result(folder), blender.context
        ),
    )


@pytest.fixture
def result(tiny, tmp_path):
    """Folder of a tiny result."""
    return tiny.write_tiny_result(tmp_path / "result", tmp_path / "portrait.png")


@pytest.fixture
def fake_engine(blender, addon, monkeypatch, result, tmp_path):
    """Run the fake engine for operators; the photo's stem is its part, the result is tiny."""
    launch = importlib.import_module(f"{PACKAGE}.uvapm_blender.engine_client.launch").Launch
    command = (sys.executable, "-u", str(FAKE_ENGINE), "well")
    made = launch(command, str(addon.locations.ROOT), (("FAKE_RESULT", str(result)),))
    settings = blender.context.preferences.addons[PACKAGE].preferences
    settings.results_folder = str(tmp_path / "results")
    monkeypatch.setattr(addon.runtime, "make_launch", lambda context: made)
    return made


@pytest.fixture
def live(addon):
    return importlib.import_module("uvapm.uvapm_blender.detail.live")


@pytest.fixture
def engine(addon, monkeypatch, tmp_path):
    """start(how) -> directions ask the fake engine started like that (see fakes/fake_engine.py)."""
    launch = importlib.import_module("uvapm.uvapm_blender.engine_client.launch").Launch

    def start(how="well"):
        folder = tmp_path / "engine"
        folder.mkdir(exist_ok=True)
        command = (sys.executable, "-u", str(FAKE_ENGINE), how, str(folder))
        made = launch(command, str(addon.locations.ROOT), ())
        module = importlib.import_module("uvapm.uvapm_blender.detail.directions")
        monkeypatch.setattr(module, "make_launch", lambda context: made)

    start()
    return start


@pytest.fixture
def expected(tiny):
    """expected(strengths, photo, detail) -> the albedo (64, 64, 3) that must be seen."""
    coarse = bytes_to_unit(unit_to_bytes(np.full((64, 64, 3), 0.5)))
    albedo = bytes_to_unit(unit_to_bytes(tiny._gradient(64, 64)))

    def compose(strengths=None, photo=1.0, detail=None):
        below = compose_albedo(coarse, tiny.tiny_detail(), coarse, 0.0)
        layers = split_detail(tiny.tiny_detail() if detail is None else detail)
        changed = compose_detail(layers, strengths or DetailStrengths())
        return compose_albedo(coarse, changed, albedo - below, photo)

    return compose
