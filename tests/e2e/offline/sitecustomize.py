"""On PYTHONPATH, ends a Python that touches the network: no test of the product may need it."""

import os
import sys

EXIT = 97
_EVENTS = ("socket.connect", "socket.sendto", "socket.getaddrinfo", "socket.gethostbyname")


def _forbid(event: str, arguments: tuple[object, ...]) -> None:
    if event in _EVENTS and not _is_local(arguments):
        os.write(2, f"The network was touched: {event} {arguments[1:]}\n".encode())
        os._exit(EXIT)


def _is_local(arguments: tuple[object, ...]) -> bool:
    """A socket of the file system, as a desktop's own services use."""
    return (
        len(arguments) > 1 and isinstance(arguments[1], (str, bytes)) and "/" in str(arguments[1])
    )


sys.addaudithook(_forbid)
