"""The command line: exit codes, one plain line for people, Ctrl-C."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import engine.worker.real as real
from engine.cli import COMMANDS, main
from engine.protocol.version import engine_version
from tests.engine.cli.fake_cli import run_job

ROOT = Path(__file__).resolve().parents[3]
posix = pytest.mark.skipif(os.name == "nt", reason="signals as POSIX has them")


def fit(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    monkeypatch.setattr(real, "load_engine", lambda: run_job)
    return main(["fit", "photo.png", *words])


def test_a_fit_ends_with_its_path(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert fit(monkeypatch, "--out", "result") == 0
    out, err = capsys.readouterr()
    assert out == "result\n"
    assert err.splitlines() == ["[1/2] shape", "Warning: The photo is dark."]


@pytest.mark.parametrize(
    ("output", "code", "words"),
    [
        ("no face", 2, "No face. Another photo."),
        ("no pack", 3, "No pack. Build it."),
        ("memory", 3, "not enough memory"),
    ],
)
def test_errors_are_one_plain_line(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    output: str,
    code: int,
    words: str,
) -> None:
    assert fit(monkeypatch, "--out", output) == code
    out, err = capsys.readouterr()
    assert out == "" and words in err.splitlines()[1] and len(err.splitlines()) == 2


def test_a_defect_is_logged_with_its_trace(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    assert fit(monkeypatch, "--out", "defect") == 3
    assert "unexpected error (ZeroDivisionError: a / b)" in capsys.readouterr().err
    assert caplog.records[0].exc_info[0] is ZeroDivisionError


@pytest.mark.parametrize(
    "words", [["--seed", "-1"], ["--face", "-1"], ["--pack", "../x"], ["--out", " "]]
)
def test_settings_out_of_range(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    assert fit(monkeypatch, "--out", "result", *words) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ([], 2),
        (["--help"], 0),
        (["--version"], 0),
        (["dance"], 2),
        (["fit", "--help"], 0),
        (["fit", "photo.png"], 2),
        (["fit", "photo.png", "--out", "o", "--device", "tpu"], 2),
        (["fit", "photo.png", "--out", "o", "--texture-size", "7"], 2),
        (["worker", "--help"], 0),
    ],
)
def test_parsing(capsys: pytest.CaptureFixture[str], words: list[str], code: int) -> None:
    try:
        assert main(words) == code
    except SystemExit as stop:
        assert stop.code == code
    said = capsys.readouterr()
    assert "Traceback" not in said.err and (said.out or said.err)


def test_help_names_every_command_and_the_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    said = capsys.readouterr().out
    assert all(command in said for command in COMMANDS)
    with pytest.raises(SystemExit):
        main(["--version"])
    assert capsys.readouterr().out.strip() == engine_version()


@pytest.mark.parametrize("command", list(COMMANDS))
def test_every_command_registers_itself(capsys: pytest.CaptureFixture[str], command: str) -> None:
    with pytest.raises(SystemExit) as stop:
        main([command, "--help"])
    assert stop.value.code == 0 and f"engine {command}" in capsys.readouterr().out


@pytest.mark.parametrize("command", [["fit", "photo.png", "--out", "result"], ["worker"]])
def test_without_torch_it_says_what_to_install(tmp_path: Path, command: list[str]) -> None:
    script = (
        "import sys\n"
        "sys.modules['torch'] = None\n"
        "from engine.cli import main\n"
        f"sys.exit(main({command!r}))\n"
    )
    done = subprocess.run(
        [sys.executable, "-E", "-c", script],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 3
    said = done.stdout if command == ["worker"] else done.stderr
    assert "torch" in said and "-m pip install" in said and len(said.splitlines()) == 1


@contextmanager
def interrupted(output: str) -> Iterator[subprocess.Popen]:
    """The command line as a process, after Ctrl-C once the job runs."""
    command = [sys.executable, "-E", "-u", "-m", "tests.engine.cli.fake_cli"]
    with subprocess.Popen(
        [*command, "fit", "photo.png", "--out", output],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        bufsize=0,
        start_new_session=True,
    ) as process:
        try:
            assert process.stderr.readline() == b"[1/2] shape\n"
            assert process.stderr.readline() == b"running\n"
            process.send_signal(signal.SIGINT)
            yield process
        finally:
            process.kill()


def end(process: subprocess.Popen) -> tuple[int, bytes, bytes]:
    out, err = process.communicate(timeout=20)
    return process.returncode, out, err


@posix
def test_a_path_that_is_no_text_is_printed_as_it_is() -> None:
    command = [sys.executable, "-E", "-m", "tests.engine.cli.fake_cli", "fit", "p", "--out"]
    done = subprocess.run([*command, b"caf\xe9"], cwd=ROOT, capture_output=True)
    assert (done.returncode, done.stdout) == (0, b"caf\xe9\n")


@posix
def test_ctrl_c_cancels() -> None:
    with interrupted("long") as process:
        assert end(process) == (130, b"", b"The job was cancelled.\n")


@posix
def test_a_second_ctrl_c_stops_a_job_that_does_not_listen() -> None:
    with interrupted("deaf") as process:
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(timeout=0.5)
        process.send_signal(signal.SIGINT)
        assert end(process) == (130, b"", b"The job was cancelled.\n")
