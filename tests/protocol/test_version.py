"""Versions come from one place and refuse what cannot be read."""

import tomllib
from pathlib import Path

import pytest

from engine.protocol import version


def test_the_version_is_the_manifests(root: Path) -> None:
    manifest = tomllib.loads((root / "blender_manifest.toml").read_text(encoding="utf-8"))
    assert version.engine_version() == manifest["version"]


@pytest.mark.parametrize("text", [None, "", "version ="])
def test_without_a_manifest_there_still_is_a_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str | None
) -> None:
    if text is not None:
        (tmp_path / "manifest.toml").write_text(text)
    monkeypatch.setattr(version, "MANIFEST", tmp_path / "manifest.toml")
    assert version.engine_version.__wrapped__() == version.UNKNOWN_VERSION


def test_compatibility() -> None:
    assert version.protocol_compatible(version.PROTOCOL_VERSION)
    assert not version.protocol_compatible(version.PROTOCOL_VERSION + 1)
    assert version.schema_compatible(version.RESULT_SCHEMA)
    assert not version.schema_compatible(version.RESULT_SCHEMA + 1)
    assert not version.schema_compatible(version.RESULT_SCHEMA - 1)
