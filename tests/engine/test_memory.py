"""Memory kept between the arrays of a fit."""

import subprocess
import sys

import pytest

SCRIPT = """
import resource, sys, threading
import numpy as np
from engine.memory import keep_freed_memory

if not keep_freed_memory():
    sys.exit(3)

def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    np.ones(16 << 20, np.float32)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

first = faults()
other = []
thread = threading.Thread(target=lambda: other.append(faults()))
thread.start()
thread.join()
print(first, faults(), *other)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc's allocator")
def test_arrays_take_the_memory_of_those_before_them_in_any_thread() -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True)
    if done.returncode == 3:
        pytest.skip("no glibc")
    first, again, other = map(int, done.stdout.split())
    assert first > 20  # else pages are huge, and nothing can be told
    assert max(again, other) < first / 10
