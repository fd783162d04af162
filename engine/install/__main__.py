"""`python -E -s -m engine.install`: one installation or removal, told in JSON lines."""

import argparse
import shutil
import sys
from pathlib import Path

from ..protocol.errors import EngineError, ErrorCode
from ..protocol.install import InstallFailed, InstallLine, encode_line
from .environment import remove
from .run import InstallOptions, install_engine


def _say(line: InstallLine) -> None:
    sys.stdout.buffer.write(encode_line(line))
    sys.stdout.buffer.flush()


def main() -> int:
    """Run; the last line says how it ended. Exit code 0 or 3."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--wheels", type=Path, required=True)
    parser.add_argument("--target", type=Path, required=True)
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--online", action="store_true")
    parser.add_argument("--index", default="")
    parser.add_argument("--remove", action="store_true")
    chosen = parser.parse_args()
    try:
        if chosen.remove:
            remove(chosen.target)
            shutil.rmtree(chosen.cache, ignore_errors=True)
            return 0
        options = InstallOptions(
            chosen.wheels, chosen.target, chosen.cache, chosen.online, chosen.index
        )
        _say(install_engine(options, _say))
    except EngineError as error:
        _say(InstallFailed(error.code, error.message, error.hint))
        return 3
    except OSError as error:
        words = f"The installation stopped: {error.strerror or error}."
        _say(InstallFailed(ErrorCode.BAD_OUTPUT, words, "Look at the free space and try again."))
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main())
