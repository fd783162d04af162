"""What every test may ask for: the default pack, the private data, a photo, a clean Blender home.

The repository is a Blender extension whose modules import each other relatively, across folders
(`from ..engine.protocol import ...`). Blender names that outermost package; here it is `uvapm`.
Tests of the engine import `engine....`, tests of the add-on import `uvapm.uvapm_blender....`.
"""

import os
import sys
import tempfile
from pathlib import Path

import pytest

from engine.packaging.outer_package import name_outer_package

ROOT = Path(__file__).resolve().parent.parent

# One thread: on small machines two are slower for the small operations of the tests (DESIGN 7).
for _variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")
# bpy reads the user's own Blender settings unless it is told otherwise before its import.
_blender_home = tempfile.TemporaryDirectory(
    prefix="uvapm-blender-home-", ignore_cleanup_errors=True
)
os.environ["BLENDER_USER_RESOURCES"] = _blender_home.name


_FINISHED = pytest.StashKey[int]()

name_outer_package(ROOT)


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    session.config.stash[_FINISHED] = int(exitstatus)
    _blender_home.cleanup()


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    """End at once when Blender was loaded: as a module it prints hundreds of lines about its own
    memory while the process ends (4.2 even crashes there), and the summary should come last."""
    exit_code = config.stash.get(_FINISHED, None)
    if exit_code is not None and "bpy" in sys.modules:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(exit_code)


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository root."""
    return ROOT


@pytest.fixture(scope="session")
def default_pack(root: Path) -> Path:
    """Folder of the built default pack. UVAPM_REQUIRE_PACK=1 turns its absence into a failure."""
    folder = root / "packs" / "default"
    if not (folder / "pack.json").is_file():
        reason = "the default pack is not built: run `python -m engine packs build default`"
        if os.environ.get("UVAPM_REQUIRE_PACK") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    return folder


@pytest.fixture(scope="session")
def shared(root: Path) -> Path:
    """The private evaluation data beside the repository."""
    folder = root.parent / "shared"
    if not (folder / "evaldata").is_dir():
        pytest.skip("../shared/evaldata is not here")
    return folder


@pytest.fixture(scope="session")
def astronaut(root: Path) -> Path:
    """The public-domain portrait that the demo uses, 512 x 512 PNG."""
    from engine.packaging.photo import astronaut_photo

    return astronaut_photo(root / "build", Path(sys.executable))


@pytest.fixture(scope="session")
def bpy():
    """Blender as a module; its own home folder is set above."""
    return pytest.importorskip("bpy", reason="bpy is not installed in this environment")
