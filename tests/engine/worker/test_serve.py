"""The worker as its client meets it: a process with pipes."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from engine.protocol.errors import ErrorCode
from engine.protocol.messages import (
    MAX_LINE_BYTES,
    TERMINAL,
    CancelRequest,
    Failed,
    Finished,
    Hello,
    Preview,
    Progress,
    Shutdown,
    StageStarted,
    Warned,
    WasCancelled,
    encode,
)
from tests.engine.worker.worker_process import COMMAND, ROOT, Client

posix = pytest.mark.skipif(os.name == "nt", reason="signals and parents as POSIX has them")


def test_a_job_reports_and_finishes_once(client: Client) -> None:
    client.ask("one", "result")
    heard = client.answers("one")
    assert heard[0] == StageStarted("one", "shape", 0, 2)
    assert Warned("one", "careful") in heard and Preview("one", "preview.png") in heard
    progress = [message for message in heard if isinstance(message, Progress)]
    assert progress[-1] == Progress("one", "albedo", 1000, 1000)
    assert len(progress) < 100  # thinned out
    assert heard[-1] == Finished("one", str(ROOT / "result"))
    rest, _, code = client.end()
    assert rest == [] and code == 0


def test_two_jobs_in_one_process_and_in_order(client: Client) -> None:
    client.ask("one", "result")
    client.ask("two", "result")
    assert isinstance(client.answers("one")[-1], Finished)
    assert isinstance(client.answers("two")[-1], Finished)


def test_prints_of_libraries_do_not_reach_the_messages(client: Client) -> None:
    client.ask("one", "noisy")
    assert isinstance(client.answers("one")[-1], Finished)
    _, log, _ = client.end()
    for words in ("a library prints", "to the descriptor", "and a child"):
        assert words in log


@pytest.mark.parametrize(
    ("what", "code"),
    [
        ("no face", ErrorCode.NO_FACE),
        ("memory", ErrorCode.OUT_OF_MEMORY),
        ("gpu memory", ErrorCode.OUT_OF_MEMORY),
        ("defect", ErrorCode.INTERNAL),
        ("exit", ErrorCode.INTERNAL),
    ],
)
def test_exceptions_become_errors_and_the_worker_goes_on(
    client: Client, what: str, code: ErrorCode
) -> None:
    client.ask("bad", what)
    answer = client.answers("bad")[-1]
    assert isinstance(answer, Failed) and answer.code == code
    client.ask("good", "result")
    assert isinstance(client.answers("good")[-1], Finished)


def test_the_log_has_the_trace_of_a_defect(client: Client) -> None:
    client.ask("bad", "defect")
    client.answers("bad")
    _, log, _ = client.end()
    assert "Traceback" in log and "ZeroDivisionError" in log


def test_cancel_stops_a_running_job_within_a_second(client: Client) -> None:
    client.ask("one", "forever")
    client.read()
    started = time.monotonic()
    client.write(encode(CancelRequest("one")))
    assert client.answers("one")[-1] == WasCancelled("one")
    assert time.monotonic() - started < 1.0
    client.ask("two", "result")
    assert isinstance(client.answers("two")[-1], Finished)


def test_a_waiting_job_is_cancelled_while_another_runs(client: Client) -> None:
    client.ask("one", "forever")
    client.ask("two", "result")
    client.write(encode(CancelRequest("two")))
    assert client.answers("two")[-1] == WasCancelled("two")
    client.write(encode(CancelRequest("one")))
    assert client.answers("one")[-1] == WasCancelled("one")
    client.write(encode(CancelRequest("unknown")))
    rest, _, _ = client.end()
    assert rest == []


def test_an_id_in_use_and_too_many_waiting_jobs_are_refused(client: Client) -> None:
    client.ask("one", "forever")
    client.read()
    client.ask("one", "result")
    assert client.answers("one")[-1].code == ErrorCode.PROTOCOL
    for id in ("two", "three", "four"):
        client.ask(id, "result")
    assert client.answers("four")[-1].code == ErrorCode.PROTOCOL


@pytest.mark.parametrize(
    ("line", "id", "code"),
    [
        (b"hello?", "", ErrorCode.PROTOCOL),
        (b"\xff\xfe", "", ErrorCode.PROTOCOL),
        (b"[]", "", ErrorCode.PROTOCOL),
        (b"", "", ErrorCode.PROTOCOL),
        (b"[" * 50_000, "", ErrorCode.PROTOCOL),
        (b'{"type": "dance", "id": "x"}', "x", ErrorCode.PROTOCOL),
        (b'{"type": "cancelled", "id": "x"}', "x", ErrorCode.PROTOCOL),
        (b'{"type": "fit", "id": "x", "job": {"photos": [], "output": "o"}}', "x", "bad_settings"),
        (b"x" * (MAX_LINE_BYTES * 2), "", ErrorCode.PROTOCOL),
    ],
)
def test_bad_lines_are_answered_and_the_worker_goes_on(
    client: Client, line: bytes, id: str, code: str
) -> None:
    client.write(line + b"\n")
    answer = client.read()
    assert isinstance(answer, Failed) and (answer.id, answer.code) == (id, code)
    client.ask("good", "result")
    assert isinstance(client.answers("good")[-1], Finished)


def test_shutdown_cancels_and_ends(client: Client) -> None:
    client.ask("one", "forever")
    client.ask("two", "result")
    client.write(encode(Shutdown()))
    said = [client.answers("one"), client.end()[0]]
    terminal = [message for part in said for message in part if isinstance(message, TERMINAL)]
    assert sorted(message.id for message in terminal) == ["one", "two"]
    assert all(isinstance(message, WasCancelled) for message in terminal)
    assert client.process.returncode == 0


def test_end_of_input_cancels_and_ends(client: Client) -> None:
    client.ask("one", "forever")
    client.read()
    rest, _, code = client.end()
    assert rest[-1] == WasCancelled("one") and code == 0


def test_a_job_that_does_not_listen_does_not_keep_the_process(client: Client) -> None:
    client.ask("one", "deaf")
    client.read()
    started = time.monotonic()
    _, log, code = client.end()
    assert code == 1 and "did not stop in time" in log
    assert time.monotonic() - started < 10


def test_a_crash_ends_the_stream_without_a_terminal_message(client: Client) -> None:
    client.ask("one", "crash")
    client.read()
    rest, _, code = client.end()
    assert not any(isinstance(message, TERMINAL) for message in rest) and code == 9


def test_it_leaves_when_idle() -> None:
    client = Client(idle=0.1)
    assert isinstance(client.read(), Hello)
    assert client.process.wait(timeout=20) == 0
    client.close()


@posix
def test_an_interrupt_stops_even_a_deaf_job_and_the_worker_goes_on(client: Client) -> None:
    client.ask("one", "deaf")
    client.read()
    client.process.send_signal(signal.SIGINT)
    assert client.answers("one")[-1] == WasCancelled("one")
    client.process.send_signal(signal.SIGINT)  # between jobs it means nothing
    client.ask("two", "result")
    assert isinstance(client.answers("two")[-1], Finished)


@posix
def test_terminate_ends_it(client: Client) -> None:
    client.ask("one", "forever")
    client.read()
    client.process.send_signal(signal.SIGTERM)
    assert client.answers("one")[-1] == WasCancelled("one")
    assert client.process.wait(timeout=20) == 0


@posix
def test_it_ends_with_its_parent_though_the_pipe_stays_open(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    keeper, kept = os.pipe()  # we hold the writing end of the worker's input
    parent = (
        "import subprocess, sys, time\n"
        f"worker = subprocess.Popen({[*COMMAND, '30']!r}, stdin={keeper}, stdout=-3, stderr=-3)\n"
        f"open({str(pid_file)!r}, 'w').write(str(worker.pid))\n"
        "time.sleep(1.5)\n"
    )
    subprocess.run(
        [sys.executable, "-W", "ignore", "-c", parent], pass_fds=[keeper], cwd=ROOT, check=True
    )
    worker, deadline = int(pid_file.read_text()), time.monotonic() + 20
    while _alive(worker) and time.monotonic() < deadline:
        time.sleep(0.05)
    alive = _alive(worker)
    os.close(kept), os.close(keeper)
    assert not alive


def _alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"
