"""The pictures of a head follow its sliders: in numpy here, directions through the engine.

While a slider is dragged, the albedo is composed at 512 texels at once; when it rests, a timer does
the full size and the relief in short steps (`settle.py`). Without a window, and while Blender
renders, everything is done at once.
"""

from collections.abc import Generator

import bpy

from ...engine.protocol.detail_layers import DetailLayers
from ...engine.protocol.errors import EngineError
from ..declarations import PROPERTY
from ..scene.own import own_materials
from ..skin.model import MODELS
from ..skin.values import pack_key_of
from . import directions, settle
from .cache import CACHE, Key, exhaust
from .picture import pixel_steps, put_pixels, resized, wait_for_model
from .relief import follow_steps, put_map, relief_pending
from .sources import LOOK, DetailSources
from .values import find_head, heads, is_changed, key_of, offsets_of, signature_of


def refresh(root: bpy.types.Object, ask: bool = True) -> None:
    """Make the pictures of a head as its sliders say.

    Nothing happens where the result is gone: `CACHE.problems` says why. ask: the engine may be
    asked for the map of the directions; until it comes, the last one is shown.
    """
    if getattr(root, PROPERTY).detail.albedo is None:
        return
    _own(root)
    image = getattr(root, PROPERTY).detail.albedo
    CACHE.touched.add(image.session_uid)
    CACHE.stale.add(image.session_uid)
    CACHE.applied[root.session_uid] = signature_of(root)
    uid = root.session_uid
    if settle.at_once():
        exhaust(settle_steps(uid, ask))
        return
    ready = CACHE.at_hand(key_of(root)) is not None and not wait_for_model(root)
    if ready:
        _sketch(root, ask)
    settle.later(uid, lambda: settle_steps(uid, ask), settle.REST if ready else 0.0)


def prepare(root: bpy.types.Object) -> None:
    """Load what the sliders of a head need before one is touched: a panel shows them."""
    key, uid = key_of(root), root.session_uid
    known = CACHE.at_hand(key) is not None or key in CACHE.problems
    if not (known or settle.at_once() or settle.waits(uid)):
        settle.later(uid, lambda: _load_steps(uid), 0.0)


def _load_steps(uid: int) -> Generator[float | None, None, None]:
    root = find_head(uid)
    if root is None:
        return
    model = pack_key_of(root)
    if model is not None:
        MODELS.want(model)
    try:
        yield from CACHE.source_steps(key_of(root))
    except EngineError:
        return  # remembered in CACHE.problems


def settle_steps(uid: int, ask: bool) -> Generator[float | None, None, None]:
    """All pictures of a head at full size, in short steps; seconds to wait where it must.

    Undo may come between any two steps, so the head is looked up again after each.
    """
    try:
        root = find_head(uid)
        if root is None:
            return
        key = key_of(root)
        sources = yield from CACHE.source_steps(key)
        while (root := find_head(uid)) is not None and wait_for_model(root):
            yield LOOK
        if root is not None:
            yield from _albedo_steps(uid, key, sources, ask)
            yield from _relief_steps(uid, key)
    except EngineError:
        return  # remembered in CACHE.problems


def _albedo_steps(
    uid: int, key: Key, sources: DetailSources, ask: bool
) -> Generator[None, None, None]:
    root = find_head(uid)
    image = _image(root, sources)
    if image is None or image.session_uid not in CACHE.stale:
        return
    layers = _layers(root, key, image, ask)
    if layers is None:
        return
    pixels = yield from pixel_steps(root, sources, layers, CACHE)
    if (image := _image(find_head(uid), sources)) is not None and resized(image, len(pixels)):
        yield
    if (image := _image(find_head(uid), sources)) is not None:
        put_pixels(image, pixels)
        CACHE.stale.discard(image.session_uid)


def _relief_steps(uid: int, key: Key) -> Generator[None, None, None]:
    root = find_head(uid)
    if root is None or not relief_pending(root, CACHE):
        return
    strengths = signature_of(root).strengths
    pixels = yield from follow_steps(root, key, CACHE)
    for name, new in zip(("normal", "roughness"), pixels, strict=True):
        if (root := find_head(uid)) is not None:
            put_map(getattr(getattr(root, PROPERTY).skin, name), new)
        yield
    if (root := find_head(uid)) is not None:
        CACHE.relief[getattr(root, PROPERTY).skin.normal.session_uid] = strengths


def _sketch(root: bpy.types.Object, ask: bool) -> None:
    """The albedo at 512 texels at most, at once."""
    key = key_of(root)
    sources = CACHE.at_hand(key)
    image = _image(root, sources)
    layers = None if image is None else _layers(root, key, image, ask)
    if layers is None:
        return
    pixels = exhaust(pixel_steps(root, sources.small, layers, CACHE))
    resized(image, len(pixels))
    put_pixels(image, pixels)
    if len(pixels) == len(sources.coarse):
        CACHE.stale.discard(image.session_uid)


def _show(root: bpy.types.Object) -> None:
    refresh(root, ask=False)


def _layers(
    root: bpy.types.Object, key: Key, image: bpy.types.Image, ask: bool
) -> DetailLayers | None:
    """Detail layers to show, None when the packed picture is the best there is."""
    offsets = offsets_of(root)
    layers = CACHE.layers(key, offsets, image.session_uid)
    if layers is None and ask:
        directions.ask(root, key, offsets, _show)
        layers = CACHE.layers(key, offsets, image.session_uid)
    if layers is None and image.session_uid in CACHE.shown:
        layers = CACHE.shown[image.session_uid][1]
    return layers


def _image(root: bpy.types.Object | None, maps: DetailSources) -> bpy.types.Image | None:
    """The albedo's image, None when the user put a picture of another size there."""
    image = None if root is None else getattr(root, PROPERTY).detail.albedo
    sizes = {len(maps.coarse), len(maps.small.coarse)}
    fits = image is not None and image.size[0] == image.size[1] and image.size[0] in sizes
    return image if fits else None


def _own(root: bpy.types.Object) -> None:
    """A duplicate gets its own material and images before it changes."""
    image = getattr(root, PROPERTY).detail.albedo
    others = (other for other in heads() if other != root)
    if any(getattr(other, PROPERTY).detail.albedo == image for other in others):
        own_materials(root)


def flush() -> None:
    """Finish what waits for a slider to rest: before saving, rendering and exporting."""
    settle.finish_all()


def refresh_touched() -> None:
    """After undo and redo: they bring back properties, never pixels."""
    for root in heads():
        head = getattr(root, PROPERTY)
        if head.detail.albedo.session_uid in CACHE.touched:
            if head.skin.normal is not None and head.skin.normal.session_uid in CACHE.relief:
                CACHE.relief[head.skin.normal.session_uid] = None
            refresh(root)


def refresh_loaded() -> None:
    """After a file was loaded: say what is missing, and compose where sliders were moved, as an
    automatic save packs no pixels. The engine is not started for it."""
    close()
    for root in heads():
        if is_changed(root):
            refresh(root, ask=False)


def follow(root: bpy.types.Object) -> None:
    """Follower of animated heads: compose when an animation or a driver moved a slider."""
    if getattr(root, PROPERTY).detail.albedo is None:
        return
    known, found = CACHE.applied.get(root.session_uid), signature_of(root)
    if found != known and (known is not None or is_changed(root)):
        refresh(root)
    CACHE.applied[root.session_uid] = found


def close() -> None:
    """Forget everything, also the timers."""
    settle.drop_all()
    directions.close()
    CACHE.clear()
