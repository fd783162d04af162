"""The folder of an unfinished training: what a later run needs to go on, removed at the end."""

import hashlib
import json
import os
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from ..protocol.errors import EngineError, ErrorCode
from ..protocol.safetensors import read_safetensors, write_safetensors
from ..reporter import Reporter
from .archives import file_state
from .reduction import Frame, PassSums, Tick, empty_sums
from .settings import TrainSettings
from .texels import TexelLayout

_KEY = "training.json"
_SCAN = "maps.jsonl"
_CACHE = "texels.u8"
_PARTIAL = "partial.safetensors"
_SCHEMA = 1
_FREE = ("workers", "checkpoint_seconds")
"""Settings that may change between a killed run and the next: the result does not know them."""


@dataclass(frozen=True)
class WorkFolder:
    """A folder whose files belong to one training: equal maps, layout and settings."""

    path: Path

    @property
    def cached_bytes(self) -> int:
        """Size of the cache so far."""
        return self.cache_file.stat().st_size if self.cache_file.is_file() else 0

    @property
    def scan_file(self) -> Path:
        """One line per map that was looked at."""
        return self.path / _SCAN

    @property
    def cache_file(self) -> Path:
        """The texels of the maps that are kept."""
        return self.path / _CACHE

    def directions(self, step: int, channel: int) -> Path:
        """The directions after power pass `step` (0: the first ones) of a channel."""
        return self.path / f"directions-{step}-{channel}.safetensors"

    def save_directions(self, step: int, channel: int, array: np.ndarray) -> None:
        """Write, then rename: the file is whole or absent."""
        self._save(self.directions(step, channel), {"directions": array})

    def load_directions(self, step: int, channel: int) -> np.ndarray:
        """(N, L) float32."""
        return read_safetensors(self.directions(step, channel))["directions"]

    def drop_directions(self, step: int) -> None:
        """Remove the directions of a pass that is done with."""
        for file in self.path.glob(f"directions-{step}-*.safetensors"):
            file.unlink()

    def save_reference(self, reference: np.ndarray) -> None:
        """(3, N) float32 map that sums are taken about."""
        self._save(self.path / "reference.safetensors", {"reference": reference})

    def load_reference(self) -> np.ndarray | None:
        """(3, N) float32, or None before it was chosen."""
        file = self.path / "reference.safetensors"
        return read_safetensors(file)["reference"] if file.is_file() else None

    def save_partial(self, name: str, sums: PassSums, tick: Tick) -> None:
        """Sums over the first `sums.count` maps of the pass `name`.

        One file per channel, so that a cancel is heard in between; the last file makes it valid.
        """
        for c, image in enumerate(sums.images):
            self._save(self._image(sums.count, c), {"image": image})
            tick()
        arrays = {
            "name": np.frombuffer(name.encode(), np.uint8),
            "count": np.array([sums.count]),
            "total": sums.total,
            "scores": sums.scores,
            "moment": sums.moment,
            "energy": sums.energy,
        }
        self._save(self.path / _PARTIAL, arrays)
        for file in self.path.glob("image-*.safetensors"):
            if not file.name.startswith(f"image-{sums.count}-"):
                file.unlink()

    def load_partial(self, name: str, frame: Frame, with_images: bool) -> PassSums:
        """The sums so far of the pass `name`; zero when it was not begun."""
        file = self.path / _PARTIAL
        table = read_safetensors(file) if file.is_file() else {}
        if not table or table["name"].tobytes().decode() != name:
            return empty_sums(frame, with_images)
        count = int(table["count"][0])
        channels = range(len(frame.channels)) if with_images else ()
        images = [read_safetensors(self._image(count, c))["image"] for c in channels]
        return PassSums(
            count,
            table["total"],
            table["scores"],
            table["moment"],
            table["energy"],
            tuple(images),
        )

    def _image(self, count: int, channel: int) -> Path:
        return self.path / f"image-{count}-{channel}.safetensors"

    def remove(self) -> None:
        """The training is done."""
        shutil.rmtree(self.path)

    def _save(self, file: Path, arrays: dict[str, np.ndarray]) -> None:
        draft = file.with_suffix(".part")
        write_safetensors(draft, arrays)
        os.replace(draft, file)


def open_work(
    path: Path,
    files: Sequence[Path],
    layout: TexelLayout,
    settings: TrainSettings,
    report: Reporter,
) -> WorkFolder:
    """The work folder at `path`: as a killed run left it when it was the same training, else new.

    What another training left there is removed, with a warning.
    Raises EngineError(BAD_OUTPUT) when the folder holds anything else or cannot be written.
    """
    key = training_key(files, layout, settings)
    mark = path / _KEY
    try:
        if path.exists() and _key_of(mark) != key:
            if any(path.iterdir()) and not mark.is_file():
                raise EngineError(
                    ErrorCode.BAD_OUTPUT,
                    f"{path} is needed for the training and holds something else.",
                    "Move it away.",
                )
            report.warning(f"{path} is of other maps or settings; the training starts anew.")
            shutil.rmtree(path)
        path.mkdir(parents=True, exist_ok=True)
        mark.write_text(json.dumps({"schema": _SCHEMA, "key": key}), encoding="utf-8")
    except OSError as error:
        raise EngineError(
            ErrorCode.BAD_OUTPUT, f"{path} cannot be written ({error.strerror}).", ""
        ) from error
    return WorkFolder(path)


def _key_of(mark: Path) -> str:
    try:
        return str(json.loads(mark.read_text(encoding="utf-8"))["key"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def training_key(files: Sequence[Path], layout: TexelLayout, settings: TrainSettings) -> str:
    """Hash of all that the steps of a training depend on: settings, layout, files as they are."""
    chosen = {key: value for key, value in asdict(settings).items() if key not in _FREE}
    digest = hashlib.sha256(json.dumps([_SCHEMA, chosen]).encode())
    digest.update(np.packbits(layout.valid).tobytes() + layout.weight.tobytes())
    digest.update(bytes([layout.check]))
    for file in files:
        digest.update(file_state(file))
    return digest.hexdigest()
