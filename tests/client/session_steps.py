"""Steps of tests that drive an engine session."""

import time

QUICK = dict(hello=10.0, interrupt=0.3, kill=0.6, close=0.5)
"""Patience of a session in tests, seconds."""


def pump_until(session, done, seconds=15.0):
    """Pump until `done(status)`; returns every status on the way."""
    seen, end = [], time.monotonic() + seconds
    while time.monotonic() < end:
        if session.pump():
            seen.append(session.status)
        if done(session.status):
            return seen
        time.sleep(0.01)
    raise AssertionError(f"still {session.status}")


def finish(session):
    return pump_until(session, lambda status: not session.busy)


def running(session):
    return pump_until(session, lambda status: status.stage != "")
