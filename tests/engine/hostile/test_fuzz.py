"""The fuzzer finds what hides behind several conditions, and our readers stand a slice of it."""

from pathlib import Path

import tests.engine.hostile.fragile as fragile
from engine.hostile.coverage import Edges
from engine.hostile.fuzz import Reader, fuzz
from engine.hostile.fuzz_readers import readers
from engine.hostile.small_result import small_contents
from engine.result.write import write_result

FOLDER = Path(fragile.__file__).parent


def test_coverage_sees_the_watched_files_alone() -> None:
    edges = Edges((FOLDER,))
    short, refused = edges.of(lambda: fragile.read(b""))
    longer, _ = edges.of(lambda: fragile.read(b"ABC"))
    assert isinstance(refused, ValueError) and short and not longer <= short
    assert Edges((FOLDER / "elsewhere",)).of(lambda: fragile.read(b"ABC"))[0] == set()


def test_a_defect_behind_several_conditions_is_found() -> None:
    reader = Reader("fragile", fragile.read, (ValueError,), (b"AAAA",), (FOLDER,))
    found = fuzz(reader, seconds=60.0, seed=1, most_runs=6_000)
    (words,) = found.defects
    assert "ZeroDivisionError" in words and found.defects[words].startswith(b"A{1")
    assert found.refused > 0 and found.inputs >= 4


def test_much_memory_is_a_defect() -> None:
    reader = Reader("greedy", lambda data: bytes(200 << 20), (), (b"x",), (FOLDER,))
    assert "more than the memory" in fuzz(reader, 60.0, 0, most_runs=1).defects


def test_a_slice_for_every_reader(tmp_path: Path) -> None:
    template = write_result(tmp_path / "template", small_contents())
    for reader in readers(tmp_path, template):
        found = fuzz(reader, seconds=10.0, seed=0, most_runs=len(reader.seeds) + 8)
        assert not found.defects, (found.name, found.defects)
        assert found.refused < found.runs, f"{found.name}: the whole inputs are refused"
