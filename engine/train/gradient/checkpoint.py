"""Checkpoints: folders `step-NNNNNNNN` with tensors.safetensors and state.json, whole or absent.

No pickle. state.json names the hash of the tensors, so a file that was cut off or mixed up is seen.
"""

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path

from ...protocol.errors import EngineError, ErrorCode
from ...protocol.pack_manifest import file_sha256
from ...protocol.safetensors import read_safetensors, write_safetensors
from ...protocol.strict import from_plain, parse_json, shown, to_plain
from .settings import FREE, LoopSettings
from .state import TrainingState, unfit

SCHEMA = 1
_TENSORS = "tensors.safetensors"
_STATE = "state.json"
_PREFIX = "step-"
MOST_STATE_BYTES = 2**20


@dataclass(frozen=True)
class CheckpointState:
    """state.json. task, facts (JSON text by name), loop: of the training. processes: their number.
    tensors: sha256. scale and growth: of float16's loss scaling. The rest as in TrainingState."""

    schema: int
    task: str
    step: int
    elapsed: float
    processes: int
    loop: LoopSettings
    facts: dict[str, str]
    pending: dict[str, tuple[float, ...]]
    scale: float
    growth: int
    tensors: str


def described(facts: Mapping[str, object]) -> dict[str, str]:
    """Facts of a task as JSON text by name, ready to be compared."""
    return {name: json.dumps(to_plain(value), sort_keys=True) for name, value in facts.items()}


def save_checkpoint(
    folder: Path,
    state: TrainingState,
    task: str,
    facts: Mapping[str, str],
    settings: LoopSettings,
    processes: int,
) -> Path:
    """Write the checkpoint of this step into `folder`, then remove all but the newest few.

    Raises EngineError(BAD_OUTPUT).
    """
    final = folder / f"{_PREFIX}{state.step:08d}"
    if final.is_dir():
        return final
    draft = folder / f".{final.name}.part"
    try:
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(parents=True)
        write_safetensors(draft / _TENSORS, state.tensors())
        scaler = state.scaler.state_dict()
        record = CheckpointState(
            schema=SCHEMA,
            task=task,
            step=state.step,
            elapsed=state.elapsed,
            processes=processes,
            loop=settings,
            facts=dict(facts),
            pending={name: tuple(pair) for name, pair in state.pending.items()},
            scale=float(scaler.get("scale", 0.0)),
            growth=int(scaler.get("_growth_tracker", 0)),
            tensors=file_sha256(draft / _TENSORS, _TENSORS),
        )
        text = json.dumps(to_plain(record), indent=1)
        (draft / _STATE).write_text(text + "\n", encoding="utf-8")
        for name in (_TENSORS, _STATE):
            _flush(draft / name)
        os.replace(draft, final)
        for old in _checkpoints(folder)[: -settings.kept]:
            shutil.rmtree(old)
    except OSError as error:
        raise EngineError(
            ErrorCode.BAD_OUTPUT,
            f"The checkpoint {final} cannot be written: {error.strerror or error}.",
            "Check the free space and the permissions of that folder.",
        ) from error
    return final


def load_newest(
    folder: Path,
    state: TrainingState,
    task: str,
    facts: Mapping[str, str],
    settings: LoopSettings,
    processes: int,
) -> CheckpointState | None:
    """Bring `state` to the newest checkpoint in `folder`; None when there is none.

    Raises EngineError(BAD_INPUT) for one that is broken or of another training.
    """
    found = _checkpoints(folder)
    if not found:
        return None
    try:
        record = _read_state(found[-1])
        _check_same(record, task, facts, settings, processes)
        tensors = _read_tensors(found[-1], record)
        state.restore(tensors)
    except EngineError as error:
        raise EngineError(
            ErrorCode.BAD_INPUT, f"{found[-1]}: {error.message}", error.hint
        ) from error
    state.step, state.elapsed = record.step, record.elapsed
    state.pending.clear()
    state.pending.update({name: list(pair) for name, pair in record.pending.items()})
    if state.scaler.is_enabled():
        scaler = state.scaler.state_dict()
        state.scaler.load_state_dict(
            {**scaler, "scale": record.scale, "_growth_tracker": record.growth}
        )
    return record


def check_fact(folder: Path, name: str, value: object) -> None:
    """Before long preparations: the newest checkpoint in `folder`, if any, has this fact.

    Raises EngineError(BAD_INPUT).
    """
    found = _checkpoints(folder)
    if not found:
        return
    then, now = _read_state(found[-1]).facts.get(name), json.dumps(to_plain(value), sort_keys=True)
    if then != now:
        error = unfit(f"its {name} is {then}, now {now}")
        raise EngineError(error.code, f"{found[-1]}: {error.message}", error.hint)


def _checkpoints(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob(f"{_PREFIX}*") if path.is_dir())


def _read_state(folder: Path) -> CheckpointState:
    path = folder / _STATE
    try:
        if path.stat().st_size > MOST_STATE_BYTES:
            raise _broken(f"{_STATE} is larger than {MOST_STATE_BYTES >> 20} MB")
        text = path.read_bytes()
    except OSError as error:
        raise _broken(f"{_STATE} cannot be read ({error.strerror})") from error

    def fail(why: str) -> EngineError:
        return _broken(f"{_STATE} is no checkpoint's: {why}")

    plain = parse_json(text, fail)
    found = plain.get("schema") if isinstance(plain, dict) else None
    if found != SCHEMA:
        raise fail(f"schema must be {SCHEMA}, got {shown(found)}")
    record = from_plain(CheckpointState, plain, "checkpoint", fail)
    if record.step < 1 or f"{_PREFIX}{record.step:08d}" != folder.name:
        raise fail(f"step {record.step} does not belong to {folder.name}")
    if any(len(pair) != 2 for pair in record.pending.values()):
        raise fail("pending must hold pairs")
    return record


def _read_tensors(folder: Path, record: CheckpointState) -> dict:
    path = folder / _TENSORS
    try:
        if file_sha256(path, _TENSORS) != record.tensors:
            raise _broken(f"{_TENSORS} is not the file that {_STATE} names: cut off or changed")
        return read_safetensors(path)
    except EngineError as error:
        raise _broken(error.message.rstrip(".")) from error


def _check_same(
    record: CheckpointState,
    task: str,
    facts: Mapping[str, str],
    settings: LoopSettings,
    processes: int,
) -> None:
    if record.task != task:
        raise unfit(f"it is of the training {shown(record.task)}, this one is {task!r}")
    for name in sorted(facts.keys() | record.facts.keys()):
        if facts.get(name) != record.facts.get(name):
            raise unfit(f"its {name} is {record.facts.get(name)}, now {facts.get(name)}")
    for field in fields(LoopSettings):
        then, now = getattr(record.loop, field.name), getattr(settings, field.name)
        if field.name not in FREE and then != now:
            raise unfit(f"its {field.name} is {then}, now {now}")
    if record.processes != processes:
        raise unfit(f"it was made by {record.processes} processes, now there are {processes}")


def _broken(why: str) -> EngineError:
    return EngineError(
        ErrorCode.BAD_INPUT,
        f"This checkpoint is broken: {why}.",
        "Move that folder away; an older checkpoint beside it is then used, if there is one.",
    )


def _flush(path: Path) -> None:
    """To the disk, so that a rename after it never names an empty file."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())
