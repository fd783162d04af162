"""The worker pool: order, errors, deaths, stopping."""

import math
import operator
import os
import time
from multiprocessing import active_children

import pytest

from engine.protocol.errors import EngineError, ErrorCode
from engine.skin.layout import check_size
from engine.skin.pool import map_tasks


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
