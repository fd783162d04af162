"""Helpers of these tests on the path, and the tiny detail model."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))

from tiny_detail import LinearCoder


@pytest.fixture
def coder() -> LinearCoder:
    return LinearCoder()
