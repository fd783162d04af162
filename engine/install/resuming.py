"""pip, whose download goes on where an earlier run stopped, killed ones included.

Run by file: `python -I resuming.py PIP PART SIZE SHA256 FILE download ...`. PIP: the locked pip,
unpacked; what is used of its inside is as known as its sha256. Any other pip runs as it is.
Connections, proxies, certificates and passwords stay pip's business: its session asks.
"""

import hashlib
import re
import runpy
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

CHUNK = 2**20
RETRIES = 5
"""Times in a row that a connection may break without a new byte."""
SIP = 2**14
"""Bytes taken from a connection at a time: no more are lost when it breaks."""
PAUSE = 1.0
"""Seconds before the second try of these; each one after it waits that much longer."""
TELL = 0.2
"""Seconds between two lines of progress."""
OTHER_FILE = "the index has another file of that name"
BROKEN = f"the connection broke, {RETRIES + 1} times without a new byte"
GONE = 416
"""HTTP "Range Not Satisfiable": the file there ends before ours (RFC 9110, 15.5.17)."""
_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+)", re.ASCII)


@dataclass(frozen=True)
class Wanted:
    """part: where bytes are kept until all are there; size in bytes and sha256 of the whole."""

    part: Path
    size: int
    sha256: str


class Answer(Protocol):
    """What a server said: 200, 206 or 416, other errors are raised before."""

    status: int
    headers: Mapping[str, str]

    def chunks(self) -> Iterator[bytes]:
        """The bytes as they come."""
        ...


Get = Callable[[dict[str, str]], AbstractContextManager[Answer]]
"""Asks for the file with these headers."""


class OtherFile(Exception):
    """The server's file is not the wanted one."""


def complete(
    wanted: Wanted, get: Get, broken: tuple[type[Exception], ...], told: Callable[[int], None]
) -> None:
    """Bring the part to its whole size and check it. Raises OtherFile, one of `broken`, OSError.

    broken: errors of a connection, after which it is tried again. A part of an earlier run that
    turns out to be of another file goes, and all is fetched anew.
    """
    if _length(wanted.part) > wanted.size:
        wanted.part.unlink()
    old = _length(wanted.part) > 0
    _fill(wanted, get, broken, told)
    if old and not _is_right(wanted):
        wanted.part.unlink()
        _fill(wanted, get, broken, told)
    if not _is_right(wanted):
        wanted.part.unlink()
        raise OtherFile


def _fill(
    wanted: Wanted, get: Get, broken: tuple[type[Exception], ...], told: Callable[[int], None]
) -> None:
    vain = 0
    while (before := _length(wanted.part)) < wanted.size:
        error: Exception = OtherFile()
        try:
            _ask(wanted, get, before, told)
        except broken as caught:
            error = caught
        if _length(wanted.part) > before:
            vain = 0
            continue
        vain += 1
        if vain > RETRIES:
            raise error
        time.sleep(PAUSE * (vain - 1))


def _ask(wanted: Wanted, get: Get, have: int, told: Callable[[int], None]) -> None:
    with get({"Range": f"bytes={have}-"} if have else {}) as answer:
        first = _first(answer, have, wanted.size)
        with wanted.part.open("r+b" if have else "wb", buffering=0) as stream:
            stream.truncate(first)
            stream.seek(first)
            there = first
            told(there)
            for chunk in answer.chunks() if first == have or answer.status == 200 else ():
                there += len(chunk)
                if there > wanted.size:
                    raise OtherFile
                stream.write(chunk)
                told(there)


def _first(answer: Answer, have: int, size: int) -> int:
    """Which byte the answer begins with; 0 too where what is there must go. Raises OtherFile."""
    if answer.status == GONE and have:
        return 0
    if answer.status == 206:
        found = _RANGE.match(answer.headers.get("Content-Range", ""))
        if found is None or int(found[1]) != have:
            return 0
        total = found[2]
    else:
        total = answer.headers.get("Content-Length", str(size))
    if total != str(size):
        raise OtherFile
    return have if answer.status == 206 else 0


def _length(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _is_right(wanted: Wanted) -> bool:
    digest = hashlib.sha256()
    with wanted.part.open("rb") as stream:
        while chunk := stream.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest() == wanted.sha256


def _teller(size: int) -> Callable[[int], None]:
    """Lines as pip's own `--progress-bar=raw` writes them."""
    last = -TELL

    def tell(there: int) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= TELL or there == size:
            last = now
            sys.stdout.write(f"Progress {there} of {size}\n")
            sys.stdout.flush()

    return tell


@dataclass(frozen=True)
class _PipAnswer:
    """An answer of pip's session."""

    response: Any
    read: Callable[[Any, int], Iterator[bytes]]

    @property
    def status(self) -> int:
        """HTTP's."""
        return int(self.response.status_code)

    @property
    def headers(self) -> Mapping[str, str]:
        """By name, in any case."""
        found: Mapping[str, str] = self.response.headers
        return found

    def chunks(self) -> Iterator[bytes]:
        """The bytes as they come."""
        return self.read(self.response, SIP)

    def __enter__(self) -> "_PipAnswer":
        return self

    def __exit__(self, *error: object) -> None:
        self.response.close()


def teach(wanted: Wanted, file: str) -> None:
    """Make the imported pip go on with `file`; it lies beside the part then. Raises ImportError,
    AttributeError where pip is not built as the locked one is."""
    from pip._internal import exceptions as errors
    from pip._internal.network import download as module
    from pip._vendor.urllib3.exceptions import HTTPError

    plain, headers = module.Downloader.__call__, module.HEADERS
    broken = (
        HTTPError,
        errors.ConnectionFailedError,
        errors.ConnectionTimeoutError,
        errors.ProxyConnectionError,
    )

    def call(self: Any, link: Any, location: str) -> tuple[str, str]:
        if link.filename != file:
            return plain(self, link, location)

        def get(more: dict[str, str]) -> _PipAnswer:
            address = link.url_without_fragment
            response = self._session.get(address, headers=headers | more, stream=True)
            if response.status_code != GONE:
                module.raise_for_status(response)
            return _PipAnswer(response, module.response_chunks)

        try:
            complete(wanted, get, broken, _teller(wanted.size))
        except OtherFile as error:
            raise errors.InstallationError(OTHER_FILE) from error
        except HTTPError as error:  # pip would show all of Python's lines
            raise errors.InstallationError(BROKEN) from error
        whole = wanted.part.with_name(file)
        wanted.part.replace(whole)
        return str(whole), "application/zip"

    module.Downloader.__call__ = call


def main() -> None:
    """Run pip with the words after ours."""
    pip, part, size, sha256, file, *words = sys.argv[1:]
    sys.path.insert(0, pip)
    sys.argv[1:] = words
    try:
        teach(Wanted(Path(part), int(size), sha256), file)
    except (ImportError, AttributeError):
        pass  # another pip: it goes on within a run only
    runpy.run_path(str(Path(pip) / "pip"), run_name="__main__")


if __name__ == "__main__":
    main()
