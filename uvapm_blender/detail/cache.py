"""What the sliders keep for the session. No reference to Blender data: undo makes it stale."""

from collections import OrderedDict
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ...engine.protocol.detail_layers import DetailLayers, split_detail
from ...engine.protocol.errors import EngineError
from .sources import DetailSources, load_sources

Key = tuple[str, str]
"""Absolute result folder, and sha256 of its result.json."""
Offsets = tuple[float, ...]
"""Standard deviations along the directions."""

MOST_SOURCES = 3
"""Heads whose maps stay loaded: 30 MB each at 1024 texels, 100 MB at 2048."""
MOST_DECODED = 64
"""Maps of directions that stay for undo: 1 MB each."""


@dataclass
class DetailCache:
    """problems: why the sliders of a head cannot work. error: why directions do not. decoded:
    maps (512, 512) that the engine made. shown: layers that an image was last made of, by the
    image's session_uid; touched: images that a slider has changed. waiting: session_uid of roots
    whose directions have no map yet; taken: path of the last map that was read."""

    problems: dict[Key, EngineError] = field(default_factory=dict)
    error: EngineError | None = None
    decoded: "OrderedDict[tuple[Key, Offsets], np.ndarray]" = field(default_factory=OrderedDict)
    shown: dict[int, tuple[Offsets, DetailLayers]] = field(default_factory=dict)
    touched: set[int] = field(default_factory=set)
    waiting: set[int] = field(default_factory=set)
    taken: str = ""
    _sources: "OrderedDict[Key, DetailSources]" = field(default_factory=OrderedDict)
    _pixels: np.ndarray | None = None

    def clear(self) -> None:
        """Forget everything."""
        self.__init__()

    def sources(self, key: Key) -> DetailSources:
        """The maps of a result, loaded at first use. Raises EngineError, see `problems`."""
        if key not in self._sources:
            try:
                self._sources[key] = load_sources(Path(key[0]), key[1])
            except EngineError as error:
                self.problems[key] = error
                raise
        self.problems.pop(key, None)
        self._sources.move_to_end(key)
        while len(self._sources) > MOST_SOURCES:
            self._sources.popitem(last=False)
        return self._sources[key]

    def layers(self, key: Key, offsets: Offsets, image: int) -> DetailLayers | None:
        """Layers of a head at `offsets`, None while no engine has made them. image: session_uid
        of the image that shows them."""
        known = self.shown.get(image)
        if known is not None and known[0] == offsets:
            return known[1]
        if not offsets:
            layers = self.sources(key).layers
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

    def pixels(self, size: int) -> np.ndarray:
        """(size, size, 4) f32 to compose into, alpha 1; the same array again and again."""
        if self._pixels is None or len(self._pixels) != size:
            self._pixels = np.ones((size, size, 4), dtype=np.float32)
        return self._pixels
