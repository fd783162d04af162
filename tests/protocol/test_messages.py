"""Messages and jobs: what is sent arrives, and nothing else does."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.protocol.errors import EngineError, ErrorCode
from engine.protocol.job import DEVICES, FINE_SIZES, MAX_SEED, TEXTURE_SIZES, FitJob
from engine.protocol.landmarks68 import Pin
from engine.protocol.messages import (
    MAX_LINE_BYTES,
    MAX_OFFSET,
    MOST_COUNT,
    CancelRequest,
    Decoded,
    DecodeRequest,
    Failed,
    Finished,
    Hello,
    JobRequest,
    Message,
    Preview,
    Progress,
    Shutdown,
    StageStarted,
    Warned,
    WasCancelled,
    decode,
    encode,
    request_id,
)
from engine.protocol.work import EXPRESSION_SETS, ImportJob, RegisterJob, WearJob

# Paths may hold any bytes; Python shows the undecodable ones as lone surrogates.
TEXT = st.text(st.characters(codec=None), max_size=40)
PATH = TEXT.filter(lambda text: text.strip() and "\0" not in text)
ID = st.text(min_size=1, max_size=64)
COUNT = st.integers(0, MOST_COUNT)
JOB = st.builds(
    FitJob,
    photos=st.lists(PATH, min_size=1, max_size=4).map(tuple),
    output=PATH,
    pack=st.from_regex(r"[a-z0-9][a-z0-9_-]{0,20}", fullmatch=True),
    device=st.sampled_from(DEVICES),
    seed=st.integers(0, MAX_SEED),
    face=st.none() | st.integers(0, 100),
    texture_size=st.sampled_from(TEXTURE_SIZES),
    albedo=st.none() | PATH,
    detail=st.none() | PATH,
    fine_size=st.sampled_from(FINE_SIZES),
    pins=st.lists(
        st.builds(
            Pin, st.integers(0, 67), st.floats(0.0, 1e4, width=32), st.floats(0.0, 1e4, width=32)
        ),
        max_size=3,
        unique_by=lambda pin: pin.index,
    ).map(tuple),
)
OTHER_JOB = st.one_of(
    st.builds(WearJob, PATH, PATH, PATH, st.sampled_from(TEXTURE_SIZES), st.none() | PATH),
    st.builds(WearJob, PATH, PATH, PATH, maps=st.just(False), shapes=st.just(True)),
    st.builds(
        ImportJob,
        st.just("flame"),
        st.lists(PATH, min_size=1, max_size=3).map(tuple),
        PATH,
        st.booleans(),
        st.sampled_from(EXPRESSION_SETS),
    ),
    st.builds(RegisterJob, PATH, PATH),
)
OFFSETS = st.lists(st.floats(-MAX_OFFSET, MAX_OFFSET), max_size=20).map(tuple)
MESSAGE = st.one_of(
    st.builds(JobRequest, ID, JOB),
    st.builds(JobRequest, ID, OTHER_JOB),
    st.builds(DecodeRequest, ID, OFFSETS, PATH, st.none()),
    st.builds(DecodeRequest, ID, OFFSETS, st.none(), PATH),
    st.builds(Decoded, TEXT, PATH),
    st.builds(CancelRequest, TEXT),
    st.builds(Shutdown),
    st.builds(Hello, COUNT, TEXT, TEXT, st.lists(TEXT, max_size=3).map(tuple)),
    st.builds(StageStarted, TEXT, TEXT, COUNT, COUNT),
    st.builds(Progress, TEXT, TEXT, COUNT, COUNT),
    st.builds(Preview, TEXT, PATH),
    st.builds(Warned, TEXT, TEXT),
    st.builds(Finished, TEXT, PATH),
    st.builds(WasCancelled, TEXT),
    st.builds(Failed, TEXT, st.sampled_from(ErrorCode), TEXT, TEXT),
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=5,
)
PLAIN_JOB = {"photos": ["a.png"], "output": "out"}


@settings(max_examples=150, deadline=None)
@given(MESSAGE)
def test_every_message_survives_as_one_line(message: Message) -> None:
    line = encode(message)
    assert line.endswith(b"\n") and line.count(b"\n") == 1 and line.isascii()
    assert decode(line) == message and decode(line[:-1]) == message


@settings(max_examples=100, deadline=None)
@given(JOB)
def test_every_job_survives(job: FitJob) -> None:
    assert FitJob.from_json(job.to_json()) == job


@settings(max_examples=200, deadline=None)
@given(MESSAGE, st.data())
def test_a_message_with_one_thing_changed_is_equal_or_refused(
    message: Message, data: st.DataObject
) -> None:
    plain: dict[str, Any] = json.loads(encode(message))
    key = data.draw(st.sampled_from([*plain, "surprise"]))
    value = data.draw(JSON)
    changed = {**plain, key: value}
    if data.draw(st.booleans()):
        changed.pop(key)
    try:
        line = json.dumps(changed).encode()
        again = decode(line)
    except EngineError as error:
        assert error.code in (ErrorCode.PROTOCOL, ErrorCode.BAD_SETTINGS)
        assert "\n" not in error.message
    else:
        # Only a default written out or left out may differ in the text.
        assert key != "surprise" or "surprise" not in changed
        assert decode(encode(again)) == again


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=60))
def test_bytes_that_are_no_message_are_refused_plainly(line: bytes) -> None:
    with pytest.raises(EngineError) as caught:
        decode(line)
    assert caught.value.code == ErrorCode.PROTOCOL
    assert request_id(line) == ""


@pytest.mark.parametrize(
    "line",
    [
        b'{"type": "cancel", "id": "a", "id": "b"}',
        b'{"type": "progress", "id": "a", "stage": "s", "step": NaN, "total": 1}',
        b'{"type": "progress", "id": "a", "stage": "s", "step": true, "total": 1}',
        b'{"type": "progress", "id": "a", "stage": "s", "step": 1.0, "total": 1}',
        b'{"type": "progress", "id": "a", "stage": "s", "step": 1}',
        b'{"type": "result", "id": "a", "path": " "}',
        b'{"type": "decoded", "id": "a", "path": "a\\u0000b"}',
        b'{"type": "progress", "id": "a", "stage": "s", "step": -1, "total": 1}',
        b'{"type": "progress", "id": "a", "stage": "s", "step": ' + b"9" * 4000 + b', "total": 1}',
        b'{"type": "stage", "id": "a", "stage": "s", "index": 0, "total": 2147483648}',
        b'{"type": "progress", "id": "a", "stage": "s", "step": ' + b"9" * 9000 + b', "total": 1}',
        b'{"type": "error", "id": "a", "code": "new", "message": "", "hint": ""}',
        b'{"type": ["cancel"], "id": "a"}',
        b'{"id": "a"}',
        b"null",
        b"[" * 100_000,
        b'{"type": "fit", "id": "", "job": {"photos": ["a"], "output": "o"}}',
        b'{"type": "fit", "id": "a", "job": {"photos": ["a"], "output": "o"}, "more": 1}',
        b'{"type": "fit", "job": {"photos": ["a"], "output": "o"}}',
        b'{"type": "wear", "id": "a", "job": {"photos": ["a"], "output": "o"}}',
        b'{"type": "job", "id": "a", "job": {"photos": ["a"], "output": "o"}}',
        b'{"type": "decode", "id": "", "offsets": [], "pack": "default"}',
        b'{"type": "decode", "id": "a", "offsets": []}',
        b'{"type": "decode", "id": "a", "offsets": [], "pack": "default", "result": "r"}',
        b'{"type": "decode", "id": "a", "offsets": [], "result": " "}',
        b'{"type": "decode", "id": "a", "offsets": [5.5], "result": "r"}',
        b'{"type": "decode", "id": "a", "offsets": [Infinity], "result": "r"}',
        b'{"type": "decode", "id": "a", "offsets": ["1"], "result": "r"}',
        b'{"type": "decode", "id": "a", "offsets": [' + b"0, " * 20 + b'0], "result": "r"}',
    ],
)
def test_near_misses_are_refused(line: bytes) -> None:
    with pytest.raises(EngineError) as caught:
        decode(line)
    assert caught.value.code == ErrorCode.PROTOCOL


def test_long_lines_are_neither_sent_nor_read() -> None:
    with pytest.raises(EngineError):
        encode(Warned("a", "x" * MAX_LINE_BYTES))
    with pytest.raises(EngineError):
        decode(b" " * MAX_LINE_BYTES + b"{}")


@pytest.mark.parametrize(
    "change",
    [
        {"photos": []},
        {"photos": "a.png"},
        {"photos": [""]},
        {"photos": ["a"] * 17},
        {"photos": ["a\0b"]},
        {"photos": [1]},
        {"output": " "},
        {"pack": "../default"},
        {"pack": ""},
        {"device": "tpu"},
        {"seed": -1},
        {"seed": 2**31},
        {"seed": "0"},
        {"seed": True},
        {"face": -1},
        {"face": 0.0},
        {"texture_size": 1000},
        {"texture_size": None},
        {"fine_size": 1024},
        {"fine_size": "512"},
        {"albedo": ""},
        {"albedo": "a\0b"},
        {"albedo": 64},
        {"detail": " "},
        {"detail": 512},
        {"quality": "high"},
    ],
)
def test_jobs_out_of_range_are_refused_by_name(change: dict[str, object]) -> None:
    job = {**PLAIN_JOB, **change}
    with pytest.raises(EngineError) as caught:
        FitJob.from_json(json.dumps(job))
    assert caught.value.code == ErrorCode.BAD_SETTINGS
    line = json.dumps({"type": "fit", "id": "x", "job": job}).encode()
    with pytest.raises(EngineError):
        decode(line)
    assert request_id(line) == "x"


WEAR: dict[str, object] = {"result": "r", "mesh": "m", "output": "o"}
IMPORT: dict[str, object] = {"kind": "ict", "paths": ["p"], "output": "o"}
REGISTER: dict[str, object] = {"mesh": "m", "output": "o"}


@pytest.mark.parametrize(
    ("kind", "job"),
    [
        ("wear", {**WEAR, "mesh": " "}),
        ("wear", {**WEAR, "size": 1000}),
        ("wear", {**WEAR, "textures": ""}),
        ("wear", {**WEAR, "maps": False, "shapes": False}),
        ("import", {**IMPORT, "kind": "../ict"}),
        ("import", {**IMPORT, "paths": []}),
        ("import", {**IMPORT, "paths": ["a"] * 17}),
        ("import", {**IMPORT, "expressions": "all"}),
        ("register", {**REGISTER, "pack": ""}),
        ("register", {**REGISTER, "output": "a\0b"}),
    ],
)
def test_other_jobs_out_of_range_are_refused(kind: str, job: dict[str, object]) -> None:
    with pytest.raises(EngineError) as caught:
        decode(json.dumps({"type": kind, "id": "x", "job": job}).encode())
    assert caught.value.code == ErrorCode.BAD_SETTINGS


def test_a_job_made_in_python_is_checked_too() -> None:
    with pytest.raises(EngineError):
        FitJob(photos="photo.png", output="out")  # type: ignore[arg-type]
    assert FitJob(photos=["a", "b"], output="o").photos == ("a", "b")  # type: ignore[arg-type]
