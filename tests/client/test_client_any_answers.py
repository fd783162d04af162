"""Whatever an engine answers, in whatever order: the status can be shown, and a job ends once."""

import importlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.protocol.errors import ErrorCode
from engine.protocol.messages import (
    MOST_COUNT,
    Decoded,
    Failed,
    Finished,
    Hello,
    Preview,
    Progress,
    StageStarted,
    Warned,
    WasCancelled,
    encode,
)
from engine.protocol.version import PROTOCOL_VERSION

TEXT = st.text(st.characters(codec=None), max_size=30) | st.sampled_from(["x" * 5000, "\ud800", ""])
PATH = TEXT.filter(lambda text: text.strip() and "\0" not in text)
ID = st.sampled_from(["1", "1", "1", "2", "detail-1", ""])
COUNT = st.integers(0, 3) | st.integers(0, MOST_COUNT)
ANSWER = st.one_of(
    st.builds(Hello, st.just(PROTOCOL_VERSION), TEXT, TEXT, st.just(())),
    st.builds(Hello, st.integers(-5, 5), TEXT, TEXT, st.just(())),
    st.builds(StageStarted, ID, TEXT, COUNT, COUNT),
    st.builds(Progress, ID, TEXT, COUNT, COUNT),
    st.builds(Preview, ID, PATH),
    st.builds(Warned, ID, TEXT),
    st.builds(Finished, ID, PATH),
    st.builds(Decoded, ID, PATH),
    st.builds(WasCancelled, ID),
    st.builds(Failed, ID, st.sampled_from(ErrorCode), TEXT, TEXT),
).map(encode)
STEP = st.one_of(
    st.tuples(st.just("hear"), ANSWER),
    st.tuples(st.just("hear"), ANSWER),
    st.tuples(st.just("hear"), st.binary(max_size=20)),
    st.tuples(st.sampled_from(["cancel", "wish", "start", "die", "wait", "close"]), st.none()),
)


class Engine:
    """Stands in for a process."""

    made: list["Engine"] = []

    def __init__(self, launch):
        self.lines, self.alive, self.pid = [], True, 1
        self.made.append(self)

    def send(self, line):
        assert line.endswith(b"\n")

    def receive(self):
        lines, self.lines = self.lines, []
        return lines

    def left(self, now, patience):
        return not self.alive

    def running(self):
        return self.alive

    def exit_code(self):
        return None if self.alive else 3

    def log_tail(self):
        return ""

    def interrupt(self):
        pass

    def kill(self):
        self.alive = False

    def close(self, farewell, patience):
        self.alive = False


@pytest.fixture(scope="module")
def modules():
    package = "uvapm.uvapm_blender.engine_client"
    names = ("session", "decoding", "launch")
    found = {name: importlib.import_module(f"{package}.{name}") for name in names}
    found["job"] = importlib.import_module("uvapm.engine.protocol.job")
    return found


@settings(max_examples=120, deadline=None)
@given(st.lists(STEP, max_size=25))
def test_any_answers_in_any_order(modules, steps):
    session_module, now = modules["session"], [0.0]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(session_module, "EngineProcess", Engine)
        Engine.made = []
        session = session_module.EngineSession(clock=lambda: now[0])
        launch = modules["launch"].Launch(("x",), ".", ())
        job = modules["job"].FitJob(("a.png",), "out")
        session.start(launch, job)
        session._process.lines.append(encode(Hello(PROTOCOL_VERSION, "0", "cpu", ())))
        for what, line in steps:
            match what:
                case "hear" if session._process is not None:
                    session._process.lines.append(line)
                case "die" if session._process is not None:
                    session._process.alive = False
                case "cancel":
                    session.cancel()
                case "wish":
                    session.decode(launch, modules["decoding"].Wish("/r", (1.0,)))
                case "start" if not session.busy:
                    session.start(launch, job)
                case "wait":
                    now[0] += 5.0
                case "close":
                    session.close()
                    assert not session.busy and not session.decoding.active
            was_busy = session.busy
            session.pump()
            check(session)
            assert was_busy or not session.busy, "a job that ended does not come back"
        session.cancel()
        session.close()
        assert not session.busy and not any(engine.alive for engine in Engine.made)


def check(session):
    """What the sidebar draws of it."""
    status = session.status
    assert 0.0 <= status.fraction <= 1.0 and len(status.warnings) <= 100
    assert (status.error is not None) == (status.state.value == "failed")
    errors = [each for each in (status.error, session.decoding.status.error) if each is not None]
    texts = [status.stage, *status.warnings]
    texts += [text for error in errors for text in (error.message, error.hint)]
    for text in texts:
        text.encode("utf-8")  # Blender takes nothing else
        assert len(text) <= 2000 and text.replace("\n", "").isprintable()
