"""Nothing but *Install engine* uses the network. The fits of this folder and the installed zip run
where it is forbidden (`offline`); here is the proof that the guard would have noticed."""

import os
import subprocess
import sys

import pytest

pytestmark = pytest.mark.e2e


@pytest.mark.parametrize(
    "attempt",
    [
        "import urllib.request; urllib.request.urlopen('http://127.0.0.1:9')",
        "import socket; socket.create_connection(('127.0.0.1', 9))",
        "import socket; socket.getaddrinfo('localhost', 80)",
    ],
)
def test_guard_ends_a_process_that_touches_the_network(offline, attempt):
    command = [sys.executable, "-c", attempt]
    done = subprocess.run(command, env=os.environ | offline, capture_output=True, text=True)
    assert done.returncode == 97
    assert "network was touched" in done.stderr


def test_fit_under_the_guard_is_done(astronaut_result):
    folder, process = astronaut_result
    assert process.returncode == 0, process.stderr
    assert (folder / "result.json").is_file()
