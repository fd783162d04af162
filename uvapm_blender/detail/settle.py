"""Work that follows when a slider rests, in steps between which Blender goes on.

One head at a time, so that heads may share buffers. A slider that moves again starts its head's
work anew.
"""

import time
from collections import OrderedDict
from collections.abc import Callable, Generator
from dataclasses import dataclass

import bpy

Steps = Generator[float | None, None, None]

REST = 0.25
"""Seconds without a change after which a slider rests."""
SHARE = 0.04
"""Seconds of work a tick: with the longest step it stays well below a tenth of a second."""
PAUSE = 0.001
"""Seconds between ticks: Blender handles events and redraws."""


@dataclass
class _Job:
    """due: `time.monotonic` before which it does not start."""

    make: Callable[[], Steps]
    due: float
    steps: Steps | None = None


_jobs: "OrderedDict[int, _Job]" = OrderedDict()


def at_once() -> bool:
    """Whether nobody waits at a window, or a picture is being rendered."""
    return bpy.app.background or bpy.app.is_job_running("RENDER")


def later(uid: int, make: Callable[[], Steps], delay: float) -> None:
    """Do the work of a head after `delay` seconds, unless it is asked for anew before."""
    _jobs.pop(uid, None)
    _jobs[uid] = _Job(make, time.monotonic() + delay)
    if not bpy.app.timers.is_registered(tick):
        bpy.app.timers.register(tick, first_interval=delay)


def waits(uid: int) -> bool:
    """Whether a head has work that is not done."""
    return uid in _jobs


def tick() -> float | None:
    """Timer: a share of the work; ends when there is none."""
    end = time.monotonic() + SHARE
    while _jobs:
        uid, job = next(((u, j) for u, j in _jobs.items() if j.steps), min_due())
        now = time.monotonic()
        if job.steps is None and now < job.due:
            return job.due - now
        if now >= end:
            return PAUSE
        wait = _step(uid, job)
        if wait is not None:
            return wait
    return None


def min_due() -> tuple[int, _Job]:
    """The work that is due first."""
    return min(_jobs.items(), key=lambda item: item[1].due)


def _step(uid: int, job: _Job) -> float | None:
    """One step; seconds to wait before the next where it must. A job that ends or fails goes."""
    if job.steps is None:
        job.steps = job.make()
    ended = True
    try:
        wait = next(job.steps)
        ended = False
    except StopIteration:
        wait = None
    finally:
        if ended and _jobs.get(uid) is job:
            del _jobs[uid]
    return wait


def finish_all() -> None:
    """All work at once."""
    while _jobs:
        wait = _step(*min_due())
        if wait is not None:
            time.sleep(wait)


def drop_all() -> None:
    """Forget what waits, also the timer."""
    _jobs.clear()
    if bpy.app.timers.is_registered(tick):
        bpy.app.timers.unregister(tick)
