"""A pack's albedo model, for the session. It is read beside Blender's main thread."""

from collections import OrderedDict
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread

import numpy as np

from ...engine.protocol.albedo import CHANNELS, decode_albedo
from ...engine.protocol.albedo_pack import AlbedoModel, read_albedo_model
from ...engine.protocol.albedo_tone import AlbedoTone, prepare_tone
from ...engine.protocol.errors import EngineError, ErrorCode
from ...engine.protocol.pack_manifest import ALBEDO_FILE, file_sha256, read_manifest
from .. import locations

DIRECTIONS = 100
"""Sliders of whole colours: 99.8 % of the default model's variance."""
_FEW = 4
MOST_MODELS = 2
"""Models that stay loaded: 80 MB each."""


@dataclass(frozen=True)
class PackKey:
    """pack: id; sha256: of its pack.json; model: sha256 of its albedo file, "" when unknown."""

    pack: str
    sha256: str
    model: str


@dataclass(frozen=True, eq=False)
class SkinModel:
    """A model and what its sliders need."""

    model: AlbedoModel
    tone: AlbedoTone

    def change(self, difference: np.ndarray) -> np.ndarray:
        """(H, W, 3) f32 sRGB that a difference (3, K) of coefficients adds to a coarse albedo."""
        nothing = np.zeros((CHANNELS, 1), np.float32)
        mean = np.broadcast_to(nothing, self.model.mean.shape)
        basis = self.model.basis
        used = np.flatnonzero(difference.any(axis=0))
        if len(used) < basis.shape[1] // _FEW:  # a slider or some: read no more than their rows
            basis, difference = basis[:, used], difference[:, used]
        return decode_albedo(mean, basis, self.model.valid, difference)


def load_model(folder: Path, key: PackKey) -> SkinModel:
    """Read the albedo model in `folder`, which must be the head's own.

    Raises EngineError(PACK_MISSING, PACK_INVALID).
    """
    if not folder.is_dir():
        raise EngineError(
            ErrorCode.PACK_MISSING,
            f"The pack {key.pack} was not found: skin sliders need its albedo model.",
            "Build or import it, then press Look Again.",
        )
    manifest, sha = read_manifest(folder)
    listed = manifest.files.get(ALBEDO_FILE)
    own = listed == key.model if key.model else sha == key.sha256
    path = folder / ALBEDO_FILE
    if not own or manifest.albedo is None or file_sha256(path, ALBEDO_FILE) != listed:
        raise EngineError(
            ErrorCode.PACK_INVALID,
            f"The albedo model of the pack {key.pack} is not the one that this head was made with.",
            "Put that pack back, or reconstruct the head again.",
        )
    model = read_albedo_model(folder, manifest.albedo)
    return SkinModel(model, prepare_tone(model, DIRECTIONS))


@dataclass
class ModelCache:
    """problems: why the sliders of heads with a pack cannot work. No reference to Blender data."""

    problems: dict[PackKey, EngineError] = field(default_factory=dict)
    _models: "OrderedDict[PackKey, SkinModel]" = field(default_factory=OrderedDict)
    _loading: dict[PackKey, Thread] = field(default_factory=dict)

    def ready(self, key: PackKey) -> SkinModel | None:
        """The model when it is at hand; loads nothing."""
        if key in self._models:
            self._models.move_to_end(key)
        return self._models.get(key)

    def want(self, key: PackKey) -> bool:
        """Start loading when that has not happened yet. True while it is being loaded."""
        if key in self._models or key in self.problems:
            return False
        thread = self._loading.get(key)
        if thread is None:
            thread = Thread(target=self._load, args=(key, _folder(key)), daemon=True)
            self._loading[key] = thread
            thread.start()
        return thread.is_alive() or not (key in self._models or key in self.problems)

    def load(self, key: PackKey) -> SkinModel | None:
        """The model, waited for; None with a reason in `problems`."""
        if self.want(key):
            self._loading[key].join()
        return self.ready(key)

    def forget_problems(self) -> None:
        """Look for packs again."""
        self.problems.clear()
        self._loading.clear()

    def clear(self) -> None:
        """Forget everything."""
        self.__init__()

    def _load(self, key: PackKey, folder: Path) -> None:
        """In a thread: reads files and computes, knows nothing of Blender."""
        try:
            model = load_model(folder, key)
        except EngineError as error:
            self.problems[key] = error
        except MemoryError:
            self.problems[key] = EngineError(
                ErrorCode.INTERNAL, "There is not enough memory for the albedo model."
            )
        else:
            self._models[key] = model
            while len(self._models) > MOST_MODELS:
                self._models.popitem(last=False)


def _folder(key: PackKey) -> Path:
    return locations.pack_folder(key.pack)


MODELS = ModelCache()
