"""What the sliders keep for the session. No reference to Blender data: undo makes it stale."""

import time
from collections import OrderedDict
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ...engine.protocol.detail_layers import DetailLayers, DetailStrengths, split_detail
from ...engine.protocol.errors import EngineError
from ..skin.values import SkinState
from .sources import DetailSources, ReliefSources, relief_steps, source_steps

Key = tuple[str, str]
"""Absolute result folder, and sha256 of its result.json."""
Offsets = tuple[float, ...]
"""Standard deviations along the directions."""

MOST_SOURCES = 3
"""Heads whose maps stay loaded: 30 MB each at 1024 texels, 100 MB at 2048."""
MOST_DECODED = 64
"""Maps of directions that stay for undo: 1 MB each."""
MOST_CHANGES = 8
"""Changes of coarse colours that stay: 0.8 MB each."""


@dataclass
class _Loaded:
    """Values by key, each made by a generator of short steps, the oldest forgotten."""

    make: Callable[[Path, str], Generator[float | None, None, Any]]
    values: "OrderedDict[Key, Any]" = field(default_factory=OrderedDict)
    under_way: dict[Key, Generator[float | None, None, Any]] = field(default_factory=dict)

    def steps(self, key: Key) -> Generator[float | None, None, Any]:
        """The value of a key; who asks again while it is being made goes on with the same steps.

        Raises EngineError, see `sources.py`.
        """
        while key not in self.values:
            if key not in self.under_way:
                self.under_way[key] = self.make(Path(key[0]), key[1])
            try:
                wait = next(self.under_way[key])
            except StopIteration as end:
                self.values[key] = end.value
                break
            finally:
                if key in self.values or self.under_way[key].gi_frame is None:
                    self.under_way.pop(key)
            yield wait
        self.values.move_to_end(key)
        while len(self.values) > MOST_SOURCES:
            self.values.popitem(last=False)
        return self.values[key]


def exhaust(steps: Generator[float | None, None, Any]) -> Any:
    """All steps at once: what they return."""
    while True:
        try:
            wait = next(steps)
        except StopIteration as end:
            return end.value
        if wait is not None:
            time.sleep(wait)


@dataclass
class DetailCache:
    """problems: why the sliders of a head cannot work. error: why directions do not. decoded:
    maps (512, 512) that the engine made. shown: layers that an image was last made of, by the
    image's session_uid; touched: images that a slider has changed; stale: of these, the ones that
    are not at their full size or not as the sliders say. relief: strengths that a normal map was
    last made with, None when undo may have changed it. applied: sliders that a
    head's pictures were last made of, by the root's session_uid. waiting: by session_uid of roots
    whose directions have no map yet, how to show one; taken: path of the last map that was read."""

    problems: dict[Key, EngineError] = field(default_factory=dict)
    error: EngineError | None = None
    decoded: "OrderedDict[tuple[Key, Offsets], np.ndarray]" = field(default_factory=OrderedDict)
    shown: dict[int, tuple[Offsets, DetailLayers]] = field(default_factory=dict)
    touched: set[int] = field(default_factory=set)
    stale: set[int] = field(default_factory=set)
    relief: dict[int, DetailStrengths | None] = field(default_factory=dict)
    changes: "OrderedDict[tuple[object, SkinState], np.ndarray]" = field(
        default_factory=OrderedDict
    )
    applied: dict[int, Any] = field(default_factory=dict)
    waiting: dict[int, Callable[[Any], None]] = field(default_factory=dict)
    taken: str = ""
    _sources: _Loaded = field(default_factory=lambda: _Loaded(source_steps))
    _relief: _Loaded = field(default_factory=lambda: _Loaded(relief_steps))
    _pixels: dict[int, np.ndarray] = field(default_factory=dict)

    def clear(self) -> None:
        """Forget everything."""
        self.__init__()

    def source_steps(self, key: Key) -> Generator[float | None, None, DetailSources]:
        """The maps of a result, loaded at first use. Raises EngineError, see `problems`."""
        return (yield from self._remembered(key, self._sources))

    def relief_steps(self, key: Key) -> Generator[float | None, None, ReliefSources]:
        """The relief of a result, loaded at first use. Raises EngineError, see `problems`."""
        return (yield from self._remembered(key, self._relief))

    def at_hand(self, key: Key) -> DetailSources | None:
        """The maps of a result when they are loaded."""
        return self._sources.values.get(key)

    def _remembered(self, key: Key, loaded: _Loaded) -> Generator[float | None, None, Any]:
        try:
            value = yield from loaded.steps(key)
        except EngineError as error:
            self.problems[key] = error
            raise
        self.problems.pop(key, None)
        return value

    def layers(self, key: Key, offsets: Offsets, image: int) -> DetailLayers | None:
        """Layers of a head at `offsets`, None while no engine has made them. Its maps must be at
        hand. image: session_uid of the image that shows them."""
        known = self.shown.get(image)
        if known is not None and known[0] == offsets:
            return known[1]
        if not offsets:
            layers = self._sources.values[key].layers
        elif (key, offsets) in self.decoded:
            self.decoded.move_to_end((key, offsets))
            layers = split_detail(self.decoded[key, offsets])
        else:
            return None
        self.shown[image] = offsets, layers
        return layers

    def keep(self, key: Key, offsets: Offsets, detail: np.ndarray) -> None:
        """Remember a map that the engine made."""
        self.decoded[key, offsets] = detail
        while len(self.decoded) > MOST_DECODED:
            self.decoded.popitem(last=False)

    def change(self, key: object, state: SkinState, make: Callable[[], np.ndarray]) -> np.ndarray:
        """The change of coarse colours for a state of the skin's sliders, made when new."""
        if (key, state) not in self.changes:
            self.changes[key, state] = make()
        self.changes.move_to_end((key, state))
        while len(self.changes) > MOST_CHANGES:
            self.changes.popitem(last=False)
        return self.changes[key, state]

    def pixels(self, size: int) -> np.ndarray:
        """(size, size, 4) f32 to compose into, alpha 1; the same array again and again."""
        if size not in self._pixels:
            self._pixels[size] = np.ones((size, size, 4), dtype=np.float32)
        return self._pixels[size]


CACHE = DetailCache()
