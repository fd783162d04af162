"""An end that is asked for: the running child is killed and nothing goes on."""

import os
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from ..protocol.errors import Cancelled

Heard = Callable[[str], None]
"""Called with each line that a child writes."""


class Stop:
    """Runs children one at a time until somebody asks for the end, from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._asked = False
        self._child: subprocess.Popen[str] | None = None

    def ask(self) -> None:
        """Kill the child; what runs next raises `Cancelled`."""
        with self._lock:
            self._asked = True
            if self._child is not None:
                self._child.kill()

    def check(self) -> None:
        """Raises Cancelled once the end was asked for."""
        if self._asked:
            raise Cancelled()

    def run(
        self,
        command: Sequence[str | Path],
        environ: Mapping[str, str],
        heard: Heard | None = None,
    ) -> tuple[int, list[str]]:
        """(exit code, lines of output and error output) of a command. Raises Cancelled."""
        with self._lock:
            self.check()
            child = self._child = subprocess.Popen(
                [str(word) for word in command],
                env=dict(environ),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                encoding="utf-8",
                errors="replace",
            )
        lines = []
        try:
            with child:
                for line in child.stdout or ():
                    lines.append(line.strip())
                    if heard is not None:
                        heard(lines[-1])
        except BaseException:
            child.kill()
            raise
        finally:
            with self._lock:
                self._child = None
        self.check()
        return child.returncode, [line for line in lines if line]


def ask_at_end_of(descriptor: int, stop: Stop) -> None:
    """Ask for the end when the other side closes its pipe: it wants no more, or it is gone."""

    def wait() -> None:
        try:
            while os.read(descriptor, 2**12):
                pass
        except OSError:
            pass  # a broken pipe: the same as its end
        stop.ask()

    threading.Thread(target=wait, daemon=True).start()
