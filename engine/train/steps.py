"""The steps of one training in order, each skipped when a killed run had done it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from ..protocol.albedo import CHANNELS
from ..protocol.albedo_pack import AlbedoModel
from ..reporter import Reporter
from .model import model_of
from .passes import local_pass
from .plan import Plan
from .reduction import Frame, PassSums, centre_images, moments
from .scan import Scan
from .settings import TrainSettings
from .subspace import Columns, first_directions, orthonormalise, sample_mean
from .texels import FileTexels, MemoryTexels, TexelLayout, TexelSource
from .waiting import ordered
from .work import WorkFolder


class Cluster(Protocol):
    """Other machines that read the maps (train/cluster.py)."""

    def scan(self, files: Sequence[Path], layout: TexelLayout, report: Reporter) -> Scan:
        """Look at every file."""

    def run_pass(
        self, source: TexelSource, frame: Frame, with_images: bool, batch: int, report: Reporter
    ) -> PassSums:
        """Sums over all maps."""


@dataclass(frozen=True, eq=False)
class Steps:
    """The training of one set of maps."""

    layout: TexelLayout
    settings: TrainSettings
    plan: Plan
    source: TexelSource
    work: WorkFolder
    cluster: Cluster | None
    report: Reporter

    @property
    def power_passes(self) -> int:
        """Passes that improve the directions, channel groups counted singly."""
        return 0 if self.plan.exact else self.settings.passes * len(self.plan.groups)

    def run(self) -> tuple[AlbedoModel, tuple[float, ...]]:
        """The model, and the share of variance it carries per channel."""
        reference = self._start()
        last = 0 if self.plan.exact else self.settings.passes
        for step in range(1, last + 1):
            for number in range(len(self.plan.groups)):
                self._power_pass(reference, step, number)
            if all(self.work.directions(step, c).is_file() for c in range(CHANNELS)):
                self.work.drop_directions(step - 1)
        self._stage("measuring the components", 2 + self.power_passes)
        frame = self._frame(reference, last, tuple(range(CHANNELS)))
        sums = self._pass(frame, "last", False, self.plan.final_batch)
        found = moments(sums, frame)
        components = self.settings.components
        return model_of(frame, found, self.layout.valid, components, sums.count, self._after)

    def _stage(self, name: str, index: int) -> None:
        self.report.stage(name, index, 3 + self.power_passes)

    def _before(self) -> None:
        """Only a look at a cancel: the maps of this step are not read yet."""
        self.report.progress(0, len(self.source))

    def _after(self) -> None:
        """Only a look at a cancel: the maps of this step are read."""
        self.report.progress(len(self.source), len(self.source))

    def _start(self) -> np.ndarray:
        """The reference map (3, N); the first directions go to the work folder."""
        self._stage("first directions", 1)
        reference = self.work.load_reference()
        todo = [c for c in range(CHANNELS) if not self._begun(c)]
        if reference is not None and not todo:
            return reference
        sample = self._sample()
        if reference is None:
            means = [
                sample_mean(sample, c, self.layout.count, self._after) for c in range(CHANNELS)
            ]
            reference = np.stack(means)
            self.work.save_reference(reference)
        for c in todo:
            rng = np.random.default_rng((self.settings.seed, c))
            weight, width = self.layout.weight, self.plan.width
            directions = first_directions(sample, c, reference[c], weight, width, rng, self._after)
            self.work.save_directions(0, c, directions)
        return reference

    def _begun(self, channel: int) -> bool:
        steps = range(self.settings.passes + 1)
        return any(self.work.directions(step, channel).is_file() for step in steps)

    def _sample(self) -> Columns:
        """The maps of the first block: all when exact, else some, evenly spaced."""
        count, wanted = len(self.source), self.plan.sample
        if wanted == count and not isinstance(self.source, FileTexels):
            return self.source
        maps = np.empty((wanted, CHANNELS, self.layout.count), np.uint8)
        tasks = [(row * count // wanted,) for row in range(wanted)]
        read = ordered(self.source.read, tasks, self.settings.threads, self._before)
        for done, texels in enumerate(read):
            maps[done] = texels
        return MemoryTexels(maps)

    def _power_pass(self, reference: np.ndarray, step: int, number: int) -> None:
        """Directions of `step`: orthonormal basis of covariance x directions of the step before."""
        group = self.plan.groups[number]
        index = (step - 1) * len(self.plan.groups) + number
        self._stage(f"power pass {index + 1} of {self.power_passes}", 2 + index)
        later = range(step, self.settings.passes + 1)
        if all(any(self.work.directions(s, c).is_file() for s in later) for c in group):
            return
        frame = self._frame(reference, step - 1, group)
        sums = self._pass(frame, f"power {step} {number}", True, self.plan.batch)
        for c, image in zip(group, centre_images(sums, frame, self._after), strict=True):
            orthonormalise(image, self._after)
            self.work.save_directions(step, c, image)

    def _frame(self, reference: np.ndarray, step: int, channels: tuple[int, ...]) -> Frame:
        root = np.sqrt(self.layout.weight)[:, None]
        directions = []
        for c in channels:
            array = self.work.load_directions(step, c)
            array *= root
            directions.append(array)
            self._before()
        return Frame(channels, reference[list(channels)], self.layout.weight, tuple(directions))

    def _pass(self, frame: Frame, name: str, with_images: bool, batch: int) -> PassSums:
        if self.cluster is not None:
            return self.cluster.run_pass(self.source, frame, with_images, batch, self.report)
        return local_pass(
            self.source,
            frame,
            name,
            with_images,
            batch,
            self.settings.threads,
            self.work,
            self.settings.checkpoint_seconds,
            self.report,
        )
