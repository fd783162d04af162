"""The worker pool: order, errors, deaths, stopping."""

import math
import operator
import os
import tempfile
import time
from multiprocessing import active_children
from pathlib import Path

import pytest

from engine.pool import map_tasks
from engine.protocol.errors import EngineError, ErrorCode
from engine.skin.layout import check_size


def nothing() -> None:
    pass


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_results_come_in_order(workers: int) -> None:
    assert list(map_tasks(operator.neg, range(40), workers, nothing)) == [-n for n in range(40)]


def test_a_slow_task_holds_up_only_its_place() -> None:
    begun = time.monotonic()
    assert list(map_tasks(time.sleep, [0.5, *[0.1] * 5], 2, nothing)) == [None] * 6
    assert not active_children()
    assert time.monotonic() - begun < 5.0


def slowly(seconds: float) -> float:
    time.sleep(seconds)
    return seconds


def test_results_may_come_as_they_are_ready() -> None:
    tasks = [2.0, 0.0, 0.1]
    assert list(map_tasks(slowly, tasks, 2, nothing, in_order=False))[-1] == 2.0


@pytest.mark.parametrize("workers", [1, 2])
def test_the_error_of_a_task_keeps_code_and_hint(workers: int) -> None:
    with pytest.raises(EngineError) as caught:
        list(map_tasks(check_size, [64, 65, 128], workers, nothing))
    assert caught.value.code is ErrorCode.BAD_SETTINGS
    assert "got 65" in caught.value.message and caught.value.hint
    assert not active_children()


def test_a_defect_is_told_too() -> None:
    with pytest.raises(EngineError, match="ValueError: math domain error"):
        list(map_tasks(math.sqrt, [1.0, -1.0], 2, nothing))


@pytest.mark.skipif(os.name == "nt", reason="os._exit is another function there")
def test_a_worker_that_dies_is_noticed() -> None:
    with pytest.raises(EngineError, match=r"exit code 9.*memory") as caught:
        list(map_tasks(os._exit, [9, 9], 2, nothing))
    assert caught.value.code is ErrorCode.OUT_OF_MEMORY


def test_what_on_wait_raises_ends_running_tasks() -> None:
    begun = time.monotonic()

    def on_wait() -> None:
        if time.monotonic() - begun > 0.3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(map_tasks(time.sleep, [60.0, 60.0], 2, on_wait))
    assert not active_children()
    assert time.monotonic() - begun < 10.0


def test_closing_early_leaves_no_process() -> None:
    results = map_tasks(time.sleep, [0.0, *[60.0] * 6], 2, nothing)
    next(results)
    results.close()
    assert not active_children()


def die_of_three(number: int) -> int:
    if number == 3:
        os._exit(9)
    return -number


def told(number: int, error: EngineError) -> str:
    return f"{number}: {error.code}"


@pytest.mark.skipif(os.name == "nt", reason="os._exit is another function there")
@pytest.mark.parametrize("workers", [1, 2])
def test_a_lost_task_stops_none_of_the_others(workers: int) -> None:
    results = list(map_tasks(die_of_three, range(8), workers, nothing, lost=told))
    assert results == [0, -1, -2, "3: out_of_memory", -4, -5, -6, -7]
    assert not active_children()


def make_and_wait(folder: str) -> None:
    with tempfile.TemporaryDirectory(dir=folder):
        time.sleep(60.0)


@pytest.mark.skipif(os.name == "nt", reason="a process cannot be asked to leave there")
def test_a_stopped_task_removes_what_it_made(tmp_path: Path) -> None:
    def on_wait() -> None:
        if any(tmp_path.iterdir()):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(map_tasks(make_and_wait, [str(tmp_path)] * 2, 2, on_wait))
    assert not list(tmp_path.iterdir())
