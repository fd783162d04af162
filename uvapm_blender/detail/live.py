"""The albedo's image follows the sliders: in numpy here, directions through the engine."""

import time
from pathlib import Path

import bpy
import numpy as np

from ...engine.protocol.conventions import to_bottom_up
from ...engine.protocol.detail import DETAIL_SIZE
from ...engine.protocol.detail_layers import DetailLayers, compose_albedo, compose_detail
from ...engine.protocol.errors import EngineError, ErrorCode
from ..declarations import PROPERTY
from ..engine_client.decoding import DecodeState, Wish
from ..runtime import RUNTIME, make_launch, redraw
from .cache import DetailCache, Key, Offsets
from .sources import DetailSources
from .values import heads, is_changed, key_of, offsets_of, strengths_of

CACHE = DetailCache()

TICK = 0.03
"""Seconds between two looks at the engine while a direction waits for its map."""
HEADLESS_TICK = 0.005
HEADLESS_PATIENCE = 300.0
"""Seconds that a script waits for a map: a cold disk and PyTorch need time."""


def refresh(root: bpy.types.Object, ask: bool = True) -> None:
    """Compose the albedo's image of a head as its sliders say.

    Nothing happens where the result is gone: `CACHE.problems` says why. ask: the engine may be
    asked for the map of the directions; until it comes, the last one is shown.
    """
    image = getattr(root, PROPERTY).detail.albedo
    if image is None:
        return
    key, offsets = key_of(root), offsets_of(root)
    try:
        sources = CACHE.sources(key)
    except EngineError:
        return  # remembered in CACHE.problems
    layers = CACHE.layers(key, offsets, image.session_uid)
    if layers is None and ask:
        _ask(root, key, offsets)
        layers = CACHE.layers(key, offsets, image.session_uid)
    if layers is None:
        if image.session_uid not in CACHE.shown:
            return  # the packed picture is the best there is
        layers = CACHE.shown[image.session_uid][1]
    _write(root, image, sources, layers)


def _write(
    root: bpy.types.Object, image: bpy.types.Image, sources: DetailSources, layers: DetailLayers
) -> None:
    size = len(sources.coarse)
    if tuple(image.size) != (size, size):
        return  # the user put another picture there
    pixels, photo = CACHE.pixels(size), getattr(root, PROPERTY).detail.photo
    detail = compose_detail(layers, strengths_of(root))
    compose_albedo(sources.coarse, detail, sources.photo, photo, to_bottom_up(pixels)[..., :3])
    image.pixels.foreach_set(pixels.ravel())
    image.update()
    CACHE.touched.add(image.session_uid)


def refresh_touched() -> None:
    """After undo and redo: they bring back properties, never pixels."""
    for root in heads():
        if getattr(root, PROPERTY).detail.albedo.session_uid in CACHE.touched:
            refresh(root)


def refresh_loaded() -> None:
    """After a file was loaded: say what is missing, and compose where sliders were moved, as an
    automatic save packs no pixels. The engine is not started for it."""
    CACHE.clear()
    for root in heads():
        if is_changed(root):
            refresh(root, ask=False)


def close() -> None:
    """Forget everything, also the timer."""
    if bpy.app.timers.is_registered(_tick):
        bpy.app.timers.unregister(_tick)
    CACHE.clear()


# --- directions -----------------------------------------------------------------------------


def _ask(root: bpy.types.Object, key: Key, offsets: Offsets) -> None:
    """Wish for a map; without a window wait for it."""
    CACHE.error = None
    try:
        launch = make_launch(bpy.context)
        RUNTIME.session.decode(launch, Wish(key[0], offsets))
    except EngineError as error:
        CACHE.error = error
        return
    CACHE.waiting.add(root.session_uid)
    if bpy.app.background:
        _wait(key)
    elif not bpy.app.timers.is_registered(_tick):
        bpy.app.timers.register(_tick, first_interval=TICK)


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
        if root.session_uid in CACHE.waiting:
            image = getattr(root, PROPERTY).detail.albedo
            CACHE.layers(key_of(root), offsets, image.session_uid)  # newer wishes come later
            refresh(root, ask=False)
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
                _ask(root, key, offsets)
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
