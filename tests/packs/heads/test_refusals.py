"""Imports of broken files: words for people, and nothing left behind."""

import zipfile

import numpy as np
import pytest
import torch

from engine.packs.heads.importing import run_import
from engine.protocol.errors import EngineError
from engine.protocol.work import ImportJob
from engine.reporter import NullReporter
from tests.packs.heads.tiny_flame import flame_arrays, gnm_arrays, npz_bytes


def flame_without_a_basis(folder):
    arrays = flame_arrays()
    del arrays["shapedirs"]
    (folder / "generic_model.npz").write_bytes(npz_bytes(arrays))
    return folder / "generic_model.npz", "flame"


def flame_that_runs_code(folder):
    code = b"\x80\x02cbuiltins\neval\nX\x05\x00\x00\x001 + 1\x85R."
    (folder / "generic_model.pkl").write_bytes(code)
    return folder / "generic_model.pkl", "flame"


def flame_in_an_archive_cut_off(folder):
    with zipfile.ZipFile(folder / "FLAME2023Open.zip", "w") as archive:
        archive.writestr("flame2023_Open.npz", npz_bytes(flame_arrays()))
    data = (folder / "FLAME2023Open.zip").read_bytes()
    (folder / "FLAME2023Open.zip").write_bytes(data[: len(data) // 2])
    return folder / "FLAME2023Open.zip", "flame-open"


def gnm_in_centimetres(folder):
    arrays = gnm_arrays()
    arrays["template_vertex_positions"] = arrays["template_vertex_positions"] * np.float32(100)
    (folder / "gnm_head.npz").write_bytes(npz_bytes(arrays))
    return folder / "gnm_head.npz", "gnm"


def decoder_of_another_size(folder):
    torch.save({"decoder.0.weight": torch.zeros(3, 4)}, folder / "variational_autoencoder.pth")
    return folder / "variational_autoencoder.pth", "uvapm-detail"


def albedo_that_is_text(folder):
    (folder / "model_256.pkl").write_bytes(b"words")
    return folder / "model_256.pkl", "uvapm-albedo"


BROKEN = (
    flame_without_a_basis,
    flame_that_runs_code,
    flame_in_an_archive_cut_off,
    gnm_in_centimetres,
    decoder_of_another_size,
    albedo_that_is_text,
)


@pytest.mark.parametrize("broken", BROKEN, ids=lambda broken: broken.__name__)
def test_nothing_is_left_behind(broken, tmp_path, tiny, monkeypatch):
    packs = tmp_path / "packs"
    tiny.write_tiny_pack(packs / "default", detail=True)
    monkeypatch.setenv("UVAPM_PACKS", str(packs))
    given = tmp_path / "given"
    given.mkdir()
    path, kind = broken(given)
    before = sorted(tmp_path.rglob("*"))
    job = ImportJob(kind, (str(path),), str(packs / "new"), accept_licence=True)
    with pytest.raises(EngineError) as caught:
        run_import(job, NullReporter())
    assert path.name in caught.value.message and caught.value.hint
    assert "\n" not in caught.value.message and "Traceback" not in caught.value.message
    assert sorted(tmp_path.rglob("*")) == before
    refused = ImportJob(kind, (str(path),), str(packs / "new"))
    with pytest.raises(EngineError, match="terms of its own"):
        run_import(refused, NullReporter())
