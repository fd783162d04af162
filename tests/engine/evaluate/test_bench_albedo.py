"""`bench albedo`: the arithmetic of its estimate, and one small run from end to end."""

import time

import pytest

from engine.cli import main
from engine.evaluate.bench_albedo import Run, estimate
from engine.evaluate.bench_albedo_child import StageClock, StageTime


def test_estimate_adds_up_what_was_measured() -> None:
    stages = (
        StageTime("reading the maps", 2.0, 0.0),
        StageTime("first directions", 1.0, 3.0),
        StageTime("power pass 1 of 2", 4.0, 0.5),
        StageTime("power pass 2 of 2", 6.0, 0.5),
        StageTime("measuring the components", 3.0, 1.0),
    )
    run = Run(100, 21.0, 40.0, 10**9, 1.0, stages)
    found = estimate(run, 64, 100, 2)
    # 20 ms reading, 2 x 50 ms power passes, 30 ms last; 6 s once.
    assert found.here == pytest.approx((100_000 * 0.15 + 6.0) / 3600.0)
    # 20 + 2 x (3 x 20 + 30) + 30 ms on 16 workers instead of 2 cores; the network adds little.
    assert found.cluster == pytest.approx((100_000 * 0.23 / 8 + 6.0) / 3600.0, rel=0.01)
    assert run.rate == pytest.approx(100 / 21)


def test_stage_clock_splits_at_the_last_map() -> None:
    clock = StageClock()
    clock.stage("a", 0, 2)
    clock.progress(1, 2)
    time.sleep(0.02)
    clock.progress(2, 2)
    time.sleep(0.04)
    clock.progress(2, 2)
    clock.stage("b", 1, 2)
    clock.stop()
    first, second = clock.stages
    assert 0.015 < first.maps < first.rest and first.rest > 0.035
    assert second.maps == 0.0


@pytest.mark.slow
def test_bench_prints_both_and_the_estimate(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "albedo", "--sizes", "64", "--count", "12", "--components", "6"]) == 0
    said = capsys.readouterr().out
    row = next(line for line in said.splitlines() if line.startswith("64 "))
    speed, cpu, memory, variance = (float(word.rstrip("x")) for word in row.split()[-4:])
    assert min(speed, cpu, memory) > 0 and variance > 0.99
    assert "from 300 coefficients" in said and "16 workers" in said
