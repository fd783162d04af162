"""The loop: steps, learning rates, averaged weights, curves, checkpoints, resuming, cancelling."""

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import cv2
import numpy as np
import torch

from ...protocol.errors import Cancelled, EngineError, ErrorCode
from ...reporter import Reporter
from ..waiting import ordered
from .checkpoint import described, load_newest, save_checkpoint
from .curves import Curves
from .curves_picture import draw_curves
from .distributed import World
from .settings import FREE, LoopSettings, done_share, rate_factor
from .state import TrainingState, new_state
from .task import Batch, Examination, Task, Turn

CURVES = "curves.csv"
CURVES_PICTURE = "curves.png"
CHECKPOINTS = "checkpoints"
MOST_SKIPPED = 50
"""Steps in a row whose gradients are not finite before the training counts as lost."""
_TYPES = {"bfloat16": torch.bfloat16, "float16": torch.float16}


def _silent(text: str) -> None:
    """Nobody wants the loss."""


def train(
    task: Task,
    settings: LoopSettings,
    world: World,
    folder: Path,
    report: Reporter,
    note: Callable[[str], None] = _silent,
) -> TrainingState:
    """Train to the end; goes on from the newest checkpoint in `folder`.

    folder: of this training, exists; gets checkpoints, curves and sheets. note: takes a few words
    on the loss, for people. Every process of `world` calls this with equal arguments.
    A resumed training gives the same numbers as an unbroken one, on the CPU bit for bit (with
    settings.seconds the learning rate follows the clock, so there only nearly).
    Raises EngineError(BAD_INPUT) for a checkpoint that is broken or of another training,
    BAD_SETTINGS when the loss is lost, Cancelled after a checkpoint was written.
    """
    loop = _Loop(task, settings, world, folder, report, note)
    loop.resume()
    return loop.run()


class _Loop:
    def __init__(
        self,
        task: Task,
        settings: LoopSettings,
        world: World,
        folder: Path,
        report: Reporter,
        note: Callable[[str], None],
    ) -> None:
        self.task, self.settings, self.world = task, settings, world
        self.folder, self.report, self.note = folder, report, note
        self.facts = described(task.facts())
        self.state = new_state(task.players(), task.averaged, settings, world.device)
        self.skipped = 0
        self.curves: Curves | None = None
        self.began = self.saved = time.monotonic()
        self.before = 0.0

    def resume(self) -> None:
        """To the newest checkpoint, if any."""
        where = self.folder / CHECKPOINTS
        record = load_newest(
            where, self.state, self.task.name, self.facts, self.settings, self.world.size
        )
        self.before = self.state.elapsed
        if self.world.first:
            self.curves = Curves(self.folder / CURVES, self.state.step)
        if record is not None and self.world.first:
            changed = [name for name in FREE[:2] if _differs(record.loop, self.settings, name)]
            if changed:
                self.report.warning(
                    f"The length of the training ({' and '.join(changed)}) is not what it was: "
                    "the learning rate goes on from another place."
                )

    def run(self) -> TrainingState:
        """All steps that are left."""
        self.began = self.saved = time.monotonic()
        try:
            if self.state.pending and self._log_due():
                self._log()  # a cancel came while this step was looked at
            with closing(self._batches()) as batches:
                while not self._done():
                    self._step(next(batches))
                    self._after_step()
        except Cancelled:
            self._save()
            raise
        self._save()
        return self.state

    def _done(self) -> bool:
        return done_share(self.settings, self.state.step, self.state.elapsed) >= 1.0

    def _log_due(self) -> bool:
        return self.state.step % self.settings.log_every == 0 or self._done()

    def _batches(self) -> Iterator[Batch]:
        first, rank = self.state.step, self.world.rank
        last = 2**62 if self.settings.seconds else self.settings.steps
        tasks = ((step, rank) for step in range(first, last))
        return ordered(self.task.batch, tasks, self.settings.threads, self._tick)

    def _tick(self) -> None:
        if self.world.size == 1:  # of several, none may leave alone
            self._progress()

    def _progress(self) -> None:
        done = done_share(self.settings, self.state.step, self.state.elapsed)
        total = self.settings.steps
        if self.settings.seconds:
            total = max(self.state.step + 1, round(self.state.step / max(done, 1e-3)))
        self.report.progress(self.state.step, total)

    def _step(self, batch: Batch) -> None:
        state, step = self.state, self.state.step
        factor = rate_factor(self.settings, step, done_share(self.settings, step, state.elapsed))
        for name, player in state.players.items():
            for group in state.optimisers[name].param_groups:
                group["lr"] = player.learning_rate * factor
        seed = _seed_of(self.settings.seed, step, self.world.rank)
        torch.manual_seed(seed)  # for what draws on the global numbers
        random = torch.Generator().manual_seed(seed)
        placed = tuple(tensor.to(self.world.device) for tensor in batch)
        turns = self.task.turns(placed, step, random)
        while (turn := self._next(turns)) is not None:
            self._move(turn)
        if state.scaler.is_enabled():
            state.scaler.update()
        state.step += 1
        state.update_average(self.settings)

    def _next(self, turns: Iterator[Turn]) -> Turn | None:
        kind = _TYPES.get(self.settings.precision)
        with torch.autocast(self.world.device.type, dtype=kind, enabled=kind is not None):
            return next(turns, None)

    def _move(self, turn: Turn) -> None:
        state = self.state
        optimiser, parameters = state.optimisers[turn.player], state.trained(turn.player)
        optimiser.zero_grad(set_to_none=True)
        state.scaler.scale(turn.loss).backward(inputs=parameters)
        self.world.average_gradients(parameters)
        state.scaler.unscale_(optimiser)
        clip = self.settings.clip or float("inf")
        norm = torch.nn.utils.clip_grad_norm_(parameters, clip)
        finite = bool(torch.isfinite(norm))
        if finite:
            state.scaler.step(optimiser)
        self._count_skipped(finite)
        terms = {**turn.terms, f"{turn.player}_loss": turn.loss.detach()}
        for name, value in terms.items():
            if not finite:
                continue
            pair = state.pending.setdefault(name, [0.0, 0])
            pair[0] += float(value)
            pair[1] += 1

    def _count_skipped(self, finite: bool) -> None:
        self.skipped = 0 if finite else self.skipped + 1
        if self.skipped > MOST_SKIPPED:
            raise EngineError(
                ErrorCode.BAD_SETTINGS,
                f"The training is lost: at step {self.state.step} the gradients have not been "
                f"finite for {MOST_SKIPPED} steps.",
                "Take a smaller learning rate or --precision float32.",
            )

    def _after_step(self) -> None:
        state, settings = self.state, self.settings
        state.elapsed = self.before + time.monotonic() - self.began
        cancelled = False
        try:
            self._progress()
        except Cancelled:
            cancelled = True
        due = self.world.first and time.monotonic() - self.saved >= settings.checkpoint_seconds
        answers = self.world.agree(float(cancelled), float(due), state.elapsed)
        state.elapsed = answers[2]
        if self._log_due():
            self._log()
        if answers[0]:
            raise Cancelled
        if answers[1]:
            self._save()

    def _log(self) -> None:
        state = self.state
        means = {name: total / count for name, (total, count) in state.pending.items()}
        main = means.get(f"{state.averaged_name}_loss")
        if main is not None:
            self.note(f"loss {main:.4g}")
        if not self.world.first or self.curves is None:
            state.pending.clear()
            return
        examined = state.step % self.settings.examine_every == 0 or self._done()
        figures = dict(means)
        if examined:
            look = self.task.examine(state.averaged, state.step, self._tick)
            figures |= look.figures
        self.curves.add(state.step, figures)
        state.pending.clear()
        if examined:
            self._show(look, self.curves)

    def _show(self, look: Examination, curves: Curves) -> None:
        picture = self.folder / CURVES_PICTURE
        write_png(picture, draw_curves(curves))
        if look.sheet is not None:
            sheet = self.folder / f"sheet_{self.state.step:06d}.png"
            write_png(sheet, look.sheet)
            self.report.preview(str(sheet))
        self.report.preview(str(picture))

    def _save(self) -> None:
        if self.world.first and self.state.step:
            save_checkpoint(
                self.folder / CHECKPOINTS,
                self.state,
                self.task.name,
                self.facts,
                self.settings,
                self.world.size,
            )
        self.saved = time.monotonic()


def _seed_of(*numbers: int) -> int:
    """A seed of its own for each combination, so that no state of a generator need be kept."""
    return int(np.random.SeedSequence(numbers).generate_state(1, np.uint32)[0])


def _differs(then: LoopSettings, now: LoopSettings, name: str) -> bool:
    return bool(getattr(then, name) != getattr(now, name))


def write_png(path: Path, image: np.ndarray) -> None:
    """Write an (H, W, 3) uint8 RGB picture, whole or not at all. Raises EngineError(BAD_OUTPUT)."""
    draft = path.with_name(path.name + ".part")
    try:
        draft.write_bytes(cv2.imencode(".png", cv2.cvtColor(image, cv2.COLOR_RGB2BGR))[1].tobytes())
        draft.replace(path)
    except OSError as error:
        raise EngineError(
            ErrorCode.BAD_OUTPUT, f"{path} cannot be written ({error.strerror})."
        ) from error
