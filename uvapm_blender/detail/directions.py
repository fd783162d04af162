"""Maps of directions, which only the engine can make; one wish is under way at a time."""

import time
from collections.abc import Callable
from pathlib import Path

import bpy
import numpy as np

from ...engine.protocol.detail import DETAIL_SIZE
from ...engine.protocol.errors import EngineError, ErrorCode
from ..declarations import PROPERTY
from ..engine_client.decoding import DecodeState, Wish
from ..runtime import RUNTIME, make_launch, redraw
from . import settle
from .cache import CACHE, Key, Offsets
from .values import heads, key_of, offsets_of

Show = Callable[[bpy.types.Object], None]

TICK = 0.03
"""Seconds between two looks at the engine while a direction waits for its map."""
HEADLESS_TICK = 0.005
HEADLESS_PATIENCE = 300.0
"""Seconds that a script waits for a map: a cold disk and PyTorch need time."""


def ask(root: bpy.types.Object, key: Key, offsets: Offsets, show: Show) -> None:
    """Wish for a map, and show it when it comes; without a window wait for it.

    show: called with each head whose map came.
    """
    CACHE.error = None
    try:
        launch = make_launch(bpy.context)
        RUNTIME.session.decode(launch, Wish(key[0], offsets))
    except EngineError as error:
        CACHE.error = error
        return
    CACHE.waiting[root.session_uid] = show
    if settle.at_once():
        _wait(key)
    elif not bpy.app.timers.is_registered(_tick):
        bpy.app.timers.register(_tick, first_interval=TICK)


def close() -> None:
    """No more timer."""
    if bpy.app.timers.is_registered(_tick):
        bpy.app.timers.unregister(_tick)


def _wait(key: Key) -> None:
    end = time.monotonic() + HEADLESS_PATIENCE
    while RUNTIME.session.decoding.active and time.monotonic() < end:
        RUNTIME.session.pump()
        time.sleep(HEADLESS_TICK)
    if RUNTIME.session.decoding.active:
        RUNTIME.session.close()
        CACHE.error = EngineError(ErrorCode.INTERNAL, "The engine made no detail map in time.")
    _take()
    CACHE.waiting.clear()


def _tick() -> float | None:
    """Timer: show what the engine made; ends when nobody waits."""
    if RUNTIME.session.pump():
        redraw(bpy.context)
    offsets = _take()
    for root in heads() if offsets is not None else ():
        show = CACHE.waiting.get(root.session_uid)
        if show is not None and CACHE.at_hand(key_of(root)) is not None:
            image = getattr(root, PROPERTY).detail.albedo
            CACHE.layers(key_of(root), offsets, image.session_uid)  # newer wishes come later
            show(root)
    if not RUNTIME.session.decoding.active and not _ask_next():
        redraw(bpy.context)
        return None
    return TICK


def _ask_next() -> bool:
    """Another head may wait too: one wish is under way at a time. True when it was asked for."""
    for root in heads():
        if root.session_uid in CACHE.waiting and CACHE.error is None:
            key, offsets = key_of(root), offsets_of(root)
            if offsets and (key, offsets) not in CACHE.decoded:
                ask(root, key, offsets, CACHE.waiting[root.session_uid])
                return RUNTIME.session.decoding.active
    CACHE.waiting.clear()
    return False


def _take() -> Offsets | None:
    """Keep a map that came; its offsets when there was a new one."""
    status = RUNTIME.session.decoding.status
    if status.state is DecodeState.FAILED:
        CACHE.error = status.error
    if status.made is None or status.made[1] == CACHE.taken:
        return None
    wish, CACHE.taken = status.made
    try:
        detail = _read_map(Path(CACHE.taken))
    except EngineError as error:
        CACHE.error = error
        return None
    for key in {key_of(root) for root in heads()}:
        if key[0] == wish.result:
            CACHE.keep(key, wish.offsets, detail)
    return wish.offsets


def _read_map(path: Path) -> np.ndarray:
    """(512, 512) f32 detail from the engine's file. Raises EngineError."""
    try:
        detail = np.load(path, allow_pickle=False)
    except (OSError, ValueError) as error:
        raise EngineError(
            ErrorCode.INTERNAL, "The engine's detail map cannot be read.", "Move the slider again."
        ) from error
    if detail.shape != (DETAIL_SIZE, DETAIL_SIZE) or detail.dtype != np.float32:
        raise EngineError(ErrorCode.PROTOCOL, "The engine's detail map has another shape.")
    return detail
