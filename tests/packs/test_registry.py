"""Where packs are looked for, and what the command line says."""

import pytest

from engine.cli import main
from engine.doctor.packs import check_packs
from engine.packs import registry
from engine.protocol.doctor import Fix, Health
from engine.protocol.errors import EngineError, ErrorCode


def test_explicit_folder_wins_over_the_variable(tiny, tmp_path, monkeypatch):
    first = tiny.write_tiny_pack(tmp_path / "a" / "tiny")
    second = tiny.write_tiny_pack(tmp_path / "b" / "tiny")
    monkeypatch.setenv(registry.PACKS_VARIABLE, str(tmp_path / "b"))
    assert registry.find_pack("tiny") == second
    assert registry.find_pack("tiny", tmp_path / "a") == first
    assert registry.find_pack(str(first)) == first
    assert registry.project_packs() in registry.search_path()


def test_missing_pack_names_the_command(tmp_path, monkeypatch):
    monkeypatch.setattr(registry, "project_packs", lambda: tmp_path / "none")
    with pytest.raises(EngineError) as caught:
        registry.find_pack()
    assert caught.value.code is ErrorCode.PACK_MISSING
    assert "packs build default" in caught.value.hint


def test_half_written_packs_are_not_seen(tiny, tmp_path, monkeypatch):
    monkeypatch.setattr(registry, "project_packs", lambda: tmp_path)
    tiny.write_tiny_pack(tmp_path / "tiny")
    (tmp_path / ".tiny-draft").mkdir()
    (tmp_path / ".tiny-draft" / "pack.json").write_text("{}")
    (tmp_path / "empty").mkdir()
    assert registry.list_packs() == (tmp_path / "tiny",)


def test_albedo_packs_are_no_head_packs(tiny, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv(registry.PACKS_VARIABLE, str(tmp_path))
    monkeypatch.setattr(registry, "project_packs", lambda: tmp_path)
    head = tiny.write_tiny_pack(tmp_path / "tiny")
    skin = tiny.write_tiny_albedo_pack(tmp_path / "skin")
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "pack.json").write_text("{}")
    assert registry.list_packs() == (broken, skin, head)
    assert registry.head_packs() == (broken, head)
    assert main(["packs", "list"]) == 0
    out = capsys.readouterr().out
    assert "skin 1.0.0  albedo model" in out and "tiny 1.0.0  head" in out
    assert main(["packs", "check", str(skin)]) == 0
    out = capsys.readouterr().out
    assert "64x64, 3 x 4 components" in out and "made for a test" in out


def test_a_plain_name_is_an_id_first(tiny, tmp_path, monkeypatch):
    known = tiny.write_tiny_pack(tmp_path / "packs" / "tiny")
    tiny.write_tiny_pack(tmp_path / "tiny")
    here = tiny.write_tiny_albedo_pack(tmp_path / "skin")
    monkeypatch.setattr(registry, "project_packs", lambda: tmp_path / "packs")
    monkeypatch.chdir(tmp_path)
    assert registry.find_pack("tiny") == known
    assert registry.find_pack("skin").resolve() == here.resolve()


def test_check_describes_and_complains(tiny_pack, capsys):
    assert main(["packs", "check", str(tiny_pack)]) == 0
    out = capsys.readouterr().out
    assert "3 identity and 5 expression shapes" in out and "CC0-1.0" in out
    (tiny_pack / "head.safetensors").write_bytes(b"broken")
    assert main(["packs", "check", str(tiny_pack)]) == 3
    assert "head.safetensors" in capsys.readouterr().err


def test_list_shows_unusable_packs(tiny_pack, monkeypatch, capsys):
    monkeypatch.setenv(registry.PACKS_VARIABLE, str(tiny_pack.parent))
    (tiny_pack / "pack.json").write_text("{}")
    assert main(["packs", "list"]) == 0
    assert "not usable" in capsys.readouterr().out


def test_the_doctor_names_what_mends_a_bad_pack(tiny, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv(registry.PACKS_VARIABLE, str(tmp_path / "own"))
    monkeypatch.setattr(registry, "project_packs", lambda: tmp_path / "shipped")
    shipped = tiny.write_tiny_pack(tmp_path / "shipped" / "default")
    imported = tiny.write_tiny_pack(tmp_path / "own" / "tiny")
    assert check_packs().health is Health.OK and main(["packs", "mend"]) == 0
    for folder in (shipped, imported):
        (folder / "head.safetensors").write_bytes(b"broken")
    assert check_packs().fix is Fix.EXTENSION
    assert main(["packs", "mend"]) == 3
    assert "Install the extension again" in capsys.readouterr().err
    assert not imported.exists() and shipped.exists()
    assert (tmp_path / "own" / "set aside" / "tiny" / "head.safetensors").read_bytes() == b"broken"
    tiny.write_tiny_pack(shipped)
    tiny.write_tiny_pack(imported)
    (imported / "head.safetensors").write_bytes(b"broken")
    assert check_packs().fix is Fix.PACKS
    assert main(["packs", "mend"]) == 0 and check_packs().health is Health.OK
    assert "set aside" in capsys.readouterr().out and not imported.exists()
