"""Packs made ready for fitting: whose detail model is used."""

import hashlib

import pytest

from engine.fit.loaded import load_pack
from engine.fit.pipeline import Session
from engine.protocol.errors import EngineError, ErrorCode


@pytest.fixture(scope="module")
def skin(tiny, tmp_path_factory):
    return tiny.write_tiny_detail_pack(tmp_path_factory.mktemp("detail") / "skin")


def test_a_detail_pack_replaces_the_head_packs_own(default_pack, skin):
    own = load_pack(default_pack)
    assert own.detail_pack is None
    assert (own.detail is None) == (own.pack.detail is None)
    loaded = load_pack(default_pack, detail=skin)
    assert loaded.detail.model.info.widths == (4, 6, 8)
    assert (loaded.detail_pack.id, loaded.detail_pack.version) == ("skin", "1.0.0")
    digest = hashlib.sha256((skin / "pack.json").read_bytes()).hexdigest()
    assert loaded.detail_pack.sha256 == digest
    assert loaded.albedo_pack is None


def test_a_session_keeps_packs_apart_by_their_models(default_pack, skin):
    session = Session()
    folder = str(default_pack)
    with_skin = session.pack(folder, detail=str(skin))
    assert session.pack(folder, detail=str(skin)) is with_skin
    assert session.pack(folder).detail_pack is None


def test_packs_without_a_detail_model_are_refused(tiny, default_pack, tmp_path):
    other = tiny.write_tiny_albedo_pack(tmp_path / "colours")
    with pytest.raises(EngineError, match="a detail model") as caught:
        load_pack(default_pack, detail=other)
    assert caught.value.code is ErrorCode.PACK_INVALID
    with pytest.raises(EngineError, match="no pack 'unknown'") as caught:
        Session().pack(str(default_pack), detail="unknown")
    assert caught.value.code is ErrorCode.PACK_MISSING
