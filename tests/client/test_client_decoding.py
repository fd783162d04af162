"""Detail maps for sliders from a fake engine, beside its jobs."""

import time

import pytest

from tests.client.session_steps import finish, pump_until, running


@pytest.fixture
def wish(client):
    """wish(level) -> a Wish whose map is level / 10 everywhere."""
    return lambda level: client.decoding.Wish("/results/one", (level, 0.0))


def decoded(session):
    return pump_until(session, lambda status: not session.decoding.active)


def level_of(session):
    import numpy as np

    wish, path = session.decoding.status.made
    return wish.offsets[0], float(np.load(path)[7, 7])


def test_a_decode_starts_the_engine_and_keeps_it_warm(session, fake_launch, wish):
    session.decode(fake_launch(), wish(2.0))
    assert session.decoding.active and not session.busy
    decoded(session)
    assert level_of(session) == (2.0, pytest.approx(0.2))
    pid = session._process.pid
    session.decode(fake_launch(), wish(-1.0))
    decoded(session)
    assert level_of(session) == (-1.0, pytest.approx(-0.1)) and session._process.pid == pid


def test_a_drag_ends_with_its_newest_wish_and_skips_some(session, fake_launch, wish):
    launch, seen, level, last = fake_launch("slow_decode"), set(), 0.0, 3.0
    session.decode(launch, wish(level))
    pump_until(session, lambda status: session.ready)
    end = time.monotonic() + 15.0
    while (level < last or session.decoding.active) and time.monotonic() < end:
        if level < last:
            level = min(level + 0.05, last)
            session.decode(launch, wish(level))
        session.pump()
        if session.decoding.status.made:
            seen.add(session.decoding.status.made[0].offsets[0])
        time.sleep(0.01)
    assert level_of(session)[0] == last
    assert 1 < len(seen) < 30, "shown on the way, but not each one"


def test_a_decode_waits_for_a_job_and_a_job_for_a_decode(session, fake_launch, fit_job, wish):
    session.start(fake_launch(), fit_job("slow"))
    running(session)
    session.decode(fake_launch(), wish(1.0))
    assert session.busy and session.decoding.active
    session.cancel()
    finish(session)
    decoded(session)
    assert level_of(session)[0] == 1.0
    session.decode(fake_launch(), wish(2.0))
    session.start(fake_launch(), fit_job("ok"))
    finish(session)
    decoded(session)
    assert session.status.state.value == "done" and level_of(session)[0] == 2.0


def test_a_refused_decode_is_an_error_and_the_job_after_it_works(
    session, fake_launch, fit_job, wish
):
    launch = fake_launch("no_decode")
    session.decode(launch, wish(1.0))
    decoded(session)
    status = session.decoding.status
    assert status.state.value == "failed" and status.error.code.value == "pack_missing"
    session.start(launch, fit_job("ok"))
    finish(session)
    assert session.status.state.value == "done"


@pytest.mark.parametrize("once", [True, False])
def test_an_engine_that_dies_under_a_decode_is_started_again_once(
    session, client, fake_launch, wish, tmp_path, once
):
    launch = fake_launch("dying_decode")
    environment = (("FAKE_ONCE", str(tmp_path / "died")),) if once else ()
    session.decode(client.launch.Launch(launch.command, launch.folder, environment), wish(1.0))
    decoded(session)
    if once:
        assert level_of(session)[0] == 1.0
    else:
        assert "ended with code 7" in session.decoding.status.error.message
        assert not session.busy


def test_a_decode_on_an_engine_that_cannot_start_keeps_its_words(session, fake_launch, wish):
    session.decode(fake_launch("dead"), wish(1.0))
    decoded(session)
    assert session.decoding.status.error.code.value == "internal"
    assert "No module named torch" in session.decoding.status.log


def test_a_stubborn_job_is_killed_and_the_wish_comes_true_elsewhere(
    session, fake_launch, fit_job, wish
):
    session.start(fake_launch(), fit_job("stubborn"))
    running(session)
    session.decode(fake_launch(), wish(1.0))
    session.cancel()
    finish(session)
    decoded(session)
    assert level_of(session)[0] == 1.0


def test_an_engine_with_a_wish_is_not_idle(client, fake_launch, wish):
    now = [0.0]
    session = client.session.EngineSession(clock=lambda: now[0])
    session.decode(fake_launch("slow_decode"), wish(1.0))
    now[0] = 100.0
    assert not session.close_if_idle(10.0)
    decoded(session)
    assert not session.close_if_idle(10.0)
    now[0] += 11.0
    assert session.close_if_idle(10.0) and session.decoding.status.made is None
