"""Sets of skin maps on disk: repeatable, resumable, whole files only."""

import errno
import json
import os
from pathlib import Path

import cv2
import numpy as np
import pytest

import engine.skin.dataset as dataset
import engine.skin.dataset_info as dataset_info
from engine.protocol.conventions import unit_to_bytes
from engine.protocol.errors import Cancelled, EngineError, ErrorCode
from engine.reporter import NullReporter
from engine.skin.dataset import skin_of, write_dataset
from engine.skin.dataset_info import DatasetInfo, generator_hash, read_info

SIZE, SEED = 64, 11


def write(folder: Path, count: int = 3, **others: object) -> DatasetInfo:
    settings: dict = {"size": SIZE, "seed": SEED, "workers": 1, "reporter": NullReporter()}
    return write_dataset(folder, count, **{**settings, **others})


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The files of a set of 3 that was made in one go."""
    folder = tmp_path_factory.mktemp("set") / "new" / "folder"
    write(folder)
    return contents(folder)


@pytest.fixture
def begun(tmp_path: Path, finished: dict[str, bytes]) -> Path:
    """A folder in which only the person 1 is done."""
    for name in ("dataset.json", "000001.png"):
        (tmp_path / name).write_bytes(finished[name])
    return tmp_path


class Counting(NullReporter):
    """Keeps the progress; cancels after so many maps."""

    def __init__(self, cancel_at: int | None = None) -> None:
        super().__init__()
        self.steps: list[tuple[int, int]] = []
        self.cancel_at = cancel_at

    def progress(self, step: int, total: int) -> None:
        self.steps.append((step, total))
        if step == self.cancel_at:
            raise Cancelled


def test_files_hold_the_persons_of_the_seed(finished: dict[str, bytes]) -> None:
    assert sorted(finished) == ["000000.png", "000001.png", "000002.png", "dataset.json"]
    for index in range(3):
        pixels = cv2.imdecode(np.frombuffer(finished[f"{index:06d}.png"], np.uint8), -1)
        expected = unit_to_bytes(skin_of(SEED, index, SIZE)[1])
        np.testing.assert_array_equal(cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB), expected)
    assert json.loads(finished["dataset.json"]) == {
        "schema": 1, "seed": SEED, "size": SIZE, "count": 3, "generator": generator_hash(),
    }  # fmt: skip


def test_the_number_of_workers_does_not_matter(tmp_path: Path, finished: dict[str, bytes]) -> None:
    write(tmp_path, workers=2)
    assert contents(tmp_path) == finished


def test_it_goes_on_with_identical_bytes(begun: Path, finished: dict[str, bytes]) -> None:
    before = (begun / "000001.png").stat().st_mtime_ns
    reporter = Counting()
    write(begun, reporter=reporter)
    assert contents(begun) == finished
    assert (begun / "000001.png").stat().st_mtime_ns == before
    assert reporter.steps[0] == (1, 3) and reporter.steps[-1] == (3, 3)


@pytest.mark.parametrize("broken", [b"", b"\x89PNG half a file"])
def test_half_a_file_is_made_again(begun: Path, finished: dict[str, bytes], broken: bytes) -> None:
    (begun / "000002.png").write_bytes(broken)
    write(begun)
    assert contents(begun) == finished


def test_count_grows_and_never_shrinks(begun: Path, finished: dict[str, bytes]) -> None:
    assert write(begun, 5).count == 5
    assert write(begun, 2).count == 5
    assert {name: data for name, data in contents(begun).items() if name in finished} == {
        **finished, "dataset.json": finished["dataset.json"].replace(b'"count": 3', b'"count": 5'),
    }  # fmt: skip
    assert (begun / "000004.png").is_file()


@pytest.mark.parametrize(
    ("other", "words"),
    [
        ({"seed": 12}, ["seed 11 (asked for: 12)"]),
        ({"size": 128}, ["size 64 (asked for: 128)"]),
        ({"seed": 0, "size": 128}, ["seed 11 (asked for: 0)", "size 64 (asked for: 128)"]),
    ],
)
def test_another_set_is_refused(begun: Path, other: dict[str, int], words: list[str]) -> None:
    before = contents(begun)
    with pytest.raises(EngineError) as caught:
        write(begun, **other)
    assert caught.value.code is ErrorCode.BAD_OUTPUT
    assert all(word in caught.value.message for word in words)
    assert contents(begun) == before


def test_maps_of_another_generator_are_refused(
    begun: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dataset, "generator_hash", lambda: "0" * 64)
    with pytest.raises(EngineError, match="another version of the generator"):
        write(begun)


def test_folders_of_other_things_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "holiday.png").write_bytes(b"sun")
    with pytest.raises(EngineError, match=r"holds holiday\.png and no dataset\.json"):
        write(tmp_path)
    with pytest.raises(EngineError, match="cannot be written"):
        write(tmp_path / "holiday.png")
    assert contents(tmp_path) == {"holiday.png": b"sun"}


@pytest.mark.parametrize(
    ("text", "words"),
    [(b"{", "not JSON"), (b'{"schema": 9}', "schema 1"), (b'{"schema": 1}', "lacks 'seed'")],
)
def test_a_broken_description_is_told(tmp_path: Path, text: bytes, words: str) -> None:
    (tmp_path / "dataset.json").write_bytes(text)
    with pytest.raises(EngineError, match=words):
        read_info(tmp_path)


@pytest.mark.parametrize("workers", [1, 2])
def test_cancelling_leaves_whole_files_only(
    begun: Path, finished: dict[str, bytes], workers: int
) -> None:
    with pytest.raises(Cancelled):
        write(begun, workers=workers, reporter=Counting(cancel_at=2))
    left = contents(begun)
    assert left.items() <= finished.items() and len(left) >= 3


def test_drafts_of_a_killed_run_go(begun: Path, finished: dict[str, bytes]) -> None:
    old, young = begun / ".000002.png.aaaa.part", begun / ".000000.png.bbbb.part"
    for draft in (old, young):
        draft.write_bytes(b"half")
    os.utime(old, (0, 0))
    write(begun)
    assert set(contents(begun)) == {*finished, young.name}  # that one may be another run's


def test_a_full_disk_is_told_and_leaves_whole_files(
    begun: Path, finished: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_space(source: Path, target: Path) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(dataset_info.os, "replace", no_space)
    with pytest.raises(EngineError, match="the disk is full") as caught:
        write(begun)
    assert caught.value.code is ErrorCode.BAD_OUTPUT and "goes on" in caught.value.hint
    assert set(contents(begun)) == {"dataset.json", "000001.png"}


def test_too_little_space_is_warned_of(begun: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dataset, "BYTES_PER_PIXEL", 1e12)
    reporter = NullReporter()
    write(begun, reporter=reporter)
    assert "GB, and " in reporter.warnings[0] and "are free" in reporter.warnings[0]


def test_parameters_are_those_of_the_maps_and_grow_along(begun: Path) -> None:
    write(begun, parameters=True)
    write(begun, 4)
    lines = [json.loads(line) for line in (begun / "parameters.jsonl").read_text().splitlines()]
    assert [line["file"] for line in lines] == [f"{n:06d}.png" for n in range(4)]
    person = skin_of(SEED, 3, SIZE)[0]
    assert lines[3]["age"] == person.age and lines[3]["melanin"] == person.melanin


@pytest.mark.parametrize("setting", [{"count": 0}, {"seed": -1}, {"size": 65}, {"workers": 0}])
def test_settings_out_of_range(tmp_path: Path, setting: dict[str, int]) -> None:
    with pytest.raises(EngineError) as caught:
        write(tmp_path / "new", **setting)
    assert caught.value.code is ErrorCode.BAD_SETTINGS
    assert not (tmp_path / "new").exists()


def test_the_generator_hash_covers_what_draws_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("pigment.py", "statistics.py"):
        (tmp_path / name).write_bytes(b"one\n")
    monkeypatch.setattr(dataset_info, "__file__", str(tmp_path / "dataset_info.py"))
    first = generator_hash()
    (tmp_path / "statistics.py").write_bytes(b"two\n")
    (tmp_path / "pigment.py").write_bytes(b"one\r\n")
    assert generator_hash() == first
    (tmp_path / "pigment.py").write_bytes(b"two\n")
    assert generator_hash() != first
