"""Results and packs that strangers could send. Each case is a copy of a good one, spoiled."""

import json
import os
import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from ..protocol.plain_files import sha256_of
from ..protocol.safetensors import read_safetensors, write_safetensors
from .bad_photos import bombs, canary, polyglots
from .file_trial import Case
from .mutate import mutated

Spoil = Callable[[Path], object]
MANIFESTS = {"result": "result.json", "pack": "pack.json"}
TEXTS = (
    "\ud800",
    "a\0b",
    "\n" * 5,
    "\u202ename",
    "x" * 5000,
    "",
    " ",
    "Basis",
    "../../x",
    "\x1b[2J",
)
NUMBERS = (-1, 0, 2**31, 2**63, 10**400, -(10**400), 1e308, -0.0, 1e-320, True, None, [], "1")


def edit(folder: Path, name: str, change: Callable[[Any], object]) -> None:
    """Change a manifest as plain JSON."""
    path = folder / name
    plain = json.loads(path.read_text(encoding="ascii"))
    change(plain)
    path.write_text(json.dumps(plain), encoding="ascii")


def relist(folder: Path, manifest: str, name: str) -> None:
    """Make the manifest agree with a file that was changed."""
    digest = sha256_of(folder / name)
    edit(folder, manifest, lambda plain: plain["files"].update({name: digest}))


def _replaced(manifest: str, name: str, data: bytes) -> Spoil:
    def spoil(folder: Path) -> None:
        (folder / name).write_bytes(data)
        relist(folder, manifest, name)

    return spoil


def strange_files(manifest: str, name: str, alarm: Path) -> Iterator[tuple[str, Spoil]]:
    """Something else in the place of a file. alarm: what nobody may make, see `canary`."""

    def instead(make: Callable[[Path], object]) -> Spoil:
        def spoil(folder: Path) -> None:
            (folder / name).unlink()
            make(folder / name)

        return spoil

    def huge(path: Path) -> None:
        with path.open("wb") as file:
            file.truncate(2**40)

    yield f"{name} is a pipe", instead(os.mkfifo)
    yield f"{name} is an endless device", instead(lambda path: path.symlink_to("/dev/zero"))
    yield f"{name} is a silent device", instead(lambda path: path.symlink_to("/dev/tty"))
    yield f"{name} links to itself", instead(lambda path: path.symlink_to(path))
    yield f"{name} links out", instead(lambda path: path.symlink_to("/etc/hostname"))
    yield f"{name} is a folder", instead(Path.mkdir)
    yield f"{name} claims a terabyte", instead(huge)
    yield f"{name} is absent", instead(lambda path: None)
    for end in (
        "../x.png",
        "/etc/hostname",
        "a/../../x.png",
        "C:\\x",
        "model.pkl",
        "a\0b",
        "\ud800",
    ):
        change = {end: "0" * 64}
        yield (
            f"lists {end!a}",
            lambda folder, change=change: edit(
                folder, manifest, lambda plain: plain["files"].update(change)
            ),
        )
    if name != manifest:
        yield f"{name} is a pickle", _replaced(manifest, name, canary(alarm))
        yield (
            f"{name} has another sha256",
            lambda folder: edit(
                folder, manifest, lambda plain: plain["files"].update({name: "0" * 64})
            ),
        )


def bad_tensors(manifest: str, name: str) -> Iterator[tuple[str, Spoil]]:
    """Arrays of absurd shapes, and numbers that are none."""

    def header(change: Callable[[dict[str, Any]], object]) -> Spoil:
        def spoil(folder: Path) -> None:
            data = (folder / name).read_bytes()
            size = int.from_bytes(data[:8], "little")
            plain = json.loads(data[8 : 8 + size])
            change(plain)
            text = json.dumps(plain).encode()
            body = len(text).to_bytes(8, "little") + text + data[8 + size :]
            _replaced(manifest, name, body)(folder)

        return spoil

    def first(plain: dict[str, Any]) -> dict[str, Any]:
        return plain[min(each for each in plain if each != "__metadata__")]

    for shape in ([2**40], [2**62, 4], [0, 2**40], [-1], [1] * 200, [1e9], "3", [True]):
        yield f"shape {shape!s:.20}", header(lambda plain, s=shape: first(plain).update(shape=s))
    for offsets in ([0, 2**60], [2**60, 2**60], [-8, 0], [4, 0], [0]):
        spoil = header(lambda plain, o=offsets: first(plain).update(data_offsets=o))
        yield f"offsets {offsets}", spoil
    yield "object arrays", header(lambda plain: first(plain).update(dtype="O"))

    def overlapping(plain: dict[str, Any]) -> None:
        entry = max(plain.values(), key=lambda each: each.get("data_offsets", [0, 0])[1])
        plain.update({f"copy_{number}": entry for number in range(5000)})

    yield "overlapping arrays", header(overlapping)


def bad_numbers(manifest: str, name: str) -> Iterator[tuple[str, Spoil]]:
    """NaN, infinity and the far ends in each array."""

    def filled(key: str, value: float) -> Spoil:
        def spoil(folder: Path) -> None:
            arrays = read_safetensors(folder / name)
            if arrays[key].dtype.kind != "f":
                limits = np.iinfo(arrays[key].dtype)
                arrays[key].reshape(-1)[:1] = limits.max if value > 0 else limits.min
            else:
                arrays[key].reshape(-1)[:1] = value
            write_safetensors(folder / name, arrays)
            relist(folder, manifest, name)

        return spoil

    for key in KEYS[manifest]:
        for value in (np.nan, np.inf, -6e4):
            yield f"{key} {value}", filled(key, value)


KEYS = {
    "result.json": ("neutral", "expression", "quads", "corner_uv"),
    "pack.json": ("control_mean", "subdivision_values", "quads", "corner_uv", "mirror", "groups"),
}


def places_of(plain: object) -> Iterator[tuple[Any, Any]]:
    """(container, key) of every value in plain JSON."""
    items: Any = ()
    if isinstance(plain, dict):
        items = list(plain.items())
    elif isinstance(plain, list):
        items = list(enumerate(plain))
    for key, value in items:
        yield plain, key
        yield from places_of(value)


def random_edits(manifest: str, count: int, chance: random.Random) -> Iterator[tuple[str, Spoil]]:
    """Values of the manifest that became others; and its text spoiled."""

    def swapped(plain: Any) -> None:
        holder, key = chance.choice(list(places_of(plain)))
        old = holder[key]
        pool = TEXTS if isinstance(old, str) and chance.random() < 0.7 else NUMBERS
        value = chance.choice(pool)
        if isinstance(old, list) and chance.random() < 0.3:
            value = old * chance.choice((0, 2, 3000))
        holder[key] = value

    def garbled(folder: Path) -> None:
        data = (folder / manifest).read_bytes()
        (folder / manifest).write_bytes(mutated(data, [data], chance))

    for number in range(count):
        if number % 2:
            yield f"edit {number}", lambda folder: edit(folder, manifest, swapped)
        else:
            yield f"garbled {number}", garbled


def bad_maps() -> Iterator[tuple[str, Spoil]]:
    """Pictures of a result that are bombs, or none."""
    for name, data, _ in bombs():
        if name in ("header_30000.png", "header_2147483647.png", "header_30000.jpg", "thin.png"):
            yield f"albedo is {name}", _replaced("result.json", "maps/albedo.png", data)
    for name, data, refuse in polyglots(Path("unused")):
        if refuse:
            yield f"normal is {name}", _replaced("result.json", "maps/normal.png", data)


def folder_cases(
    reader: str, template: Path, scratch: Path, spoils: Iterator[tuple[str, Spoil]], refuse: bool
) -> list[Case]:
    """Copies of `template` in `scratch`, spoiled."""
    cases = []
    for number, (name, spoil) in enumerate(spoils):
        folder = Path(shutil.copytree(template, scratch / str(number)))
        spoil(folder)
        cases.append(Case(name.encode("ascii", "replace").decode(), reader, str(folder), refuse))
    return cases
