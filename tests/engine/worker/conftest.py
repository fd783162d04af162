"""Fixtures of the worker's tests."""

from collections.abc import Iterator

import pytest

from engine.protocol.messages import Hello
from tests.engine.worker.worker_process import Client


@pytest.fixture
def client() -> Iterator[Client]:
    client = Client()
    assert isinstance(client.read(), Hello)
    yield client
    client.close()
