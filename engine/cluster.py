"""The way to a Dask cluster. dask.distributed is an optional package, imported here alone."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from .protocol.errors import EngineError, ErrorCode

if TYPE_CHECKING:
    from distributed import Client

REQUIREMENTS = Path(__file__).resolve().parents[1] / "wheels" / "requirements-cluster.txt"
CONNECT_SECONDS = 20


@contextmanager
def connect_client(address: str) -> Iterator["Client"]:
    """A client of the cluster at a scheduler's address, such as tcp://10.0.0.5:8786.

    Raises EngineError: ENGINE_MISSING without dask, BAD_SETTINGS when nobody answers there or the
    cluster has no workers.
    """
    try:
        from distributed import Client
    except ImportError as error:
        raise EngineError(
            ErrorCode.ENGINE_MISSING,
            "A cluster needs the package dask.distributed, which is not installed.",
            f"Run: python -m pip install -r {REQUIREMENTS}",
        ) from error
    try:
        client = Client(address, timeout=CONNECT_SECONDS, set_as_default=False)
    except (OSError, ValueError, TypeError) as error:
        raise EngineError(
            ErrorCode.BAD_SETTINGS,
            f"No Dask scheduler answers at {address} ({error}).",
            "Give the address that the scheduler prints, such as tcp://10.0.0.5:8786.",
        ) from error
    with client:
        if not client.nthreads():
            raise EngineError(
                ErrorCode.BAD_SETTINGS, f"The cluster at {address} has no workers.", "Start some."
            )
        yield client
