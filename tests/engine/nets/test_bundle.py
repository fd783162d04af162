"""The pair of files that holds the networks of a pack."""

import json
import shutil

import pytest

from engine.nets.bundle import build_nets, load_nets
from engine.protocol.errors import EngineError, ErrorCode
from engine.protocol.safetensors import write_safetensors


def test_building_without_a_file_is_refused():
    with pytest.raises(EngineError, match="missing"):
        build_nets({})


@pytest.mark.parametrize("graphs", [None, "", "[]", '{"schema": 1, "graphs": {}}', '{"schema": 2}'])
def test_unreadable_graphs_are_refused(tmp_path, graphs):
    write_safetensors(tmp_path / "nets.safetensors", {})
    if graphs is not None:
        (tmp_path / "nets.json").write_text(graphs, encoding="utf-8")
    with pytest.raises(EngineError) as caught:
        load_nets(tmp_path)
    assert caught.value.code is ErrorCode.PACK_INVALID


def test_networks_that_changed_places_are_refused(tmp_path, default_pack):
    """The graphs run, but on pictures of another size: only the declared input tells."""
    shutil.copy(default_pack / "nets.safetensors", tmp_path)
    content = json.loads((default_pack / "nets.json").read_text(encoding="utf-8"))
    content["graphs"]["detector"]["input"]["shape"] = [3, 192, 192]
    (tmp_path / "nets.json").write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(EngineError, match="detector"):
        load_nets(tmp_path)
