"""glTF files and the Khronos validator."""

import importlib
import json
import shutil
import subprocess
from pathlib import Path

import pytest

pytestmark = pytest.mark.blender


VALIDATE = """
const validator = require('gltf-validator'), fs = require('fs'), path = require('path');
const file = process.argv[1], folder = path.dirname(file);
const read = name => new Uint8Array(fs.readFileSync(name));
validator.validateBytes(read(file), {
  uri: path.basename(file),
  externalResourceFunction: uri => Promise.resolve(read(path.join(folder, decodeURIComponent(uri))))
}).then(report => console.log(JSON.stringify(report.issues)));
"""


@pytest.fixture(scope="session")
def validate():
    """validate(path) -> issues that the Khronos validator finds.

    Needs node, and the npm package gltf-validator where node finds it: installed in the folder
    build/ of the project, or named by NODE_PATH.
    """
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed")
    folder = Path(__file__).parents[2] / "build"
    folder = folder if folder.is_dir() else Path(__file__).parent

    def run(path):
        command = [node, "-e", VALIDATE, str(path)]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60)
        if "Cannot find module" in done.stderr:
            pytest.skip("npm install --prefix build gltf-validator, then this test runs")
        return json.loads(done.stdout)

    return run


@pytest.mark.parametrize("name", ["head.gltf", "web.glb", "game.glb"])
def test_khronos_validator_has_no_complaint(blender, addon, result, tmp_path, validate, name):
    built = addon.build(result)
    export = importlib.import_module("uvapm.uvapm_blender.export.settings")
    settings = {
        "head": export.ExportSettings(),
        "web": export.PRESETS["WEB"].settings,
        "game": export.ExportSettings(joined=True, skeleton=True, lods=2),
    }[name.partition(".")[0]]
    addon.export_head(built.root, tmp_path / name, blender.context, settings)
    issues = validate(tmp_path / name)
    assert (issues["numErrors"], issues["numWarnings"]) == (0, 0), issues["messages"]
