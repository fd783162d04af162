"""`python -E -s -m engine.install`: one installation or removal, told in JSON lines."""

import argparse
import sys
from pathlib import Path

from ..protocol.errors import EXIT_CANCELLED, EXIT_NOT_USABLE, EXIT_OK, EngineError, ErrorCode
from ..protocol.install import InstallFailed, InstallLine, encode_line
from .run import InstallOptions, install_engine, remove_engine
from .stop import Stop, ask_at_end_of


def _say(line: InstallLine) -> None:
    sys.stdout.buffer.write(encode_line(line))
    sys.stdout.buffer.flush()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -E -s -m engine.install", description=__doc__)
    parser.add_argument("--wheels", type=Path, required=True, help="folder of engine-lock.json")
    parser.add_argument("--target", type=Path, required=True, help="folder of the environment")
    parser.add_argument("--cache", type=Path, required=True, help="folder for fetched wheels")
    parser.add_argument("--online", action="store_true", help="fetch what is not there")
    parser.add_argument("--index", default="", metavar="URL", help="one more package index")
    parser.add_argument("--repair", action="store_true", help="keep what is whole")
    parser.add_argument("--remove", action="store_true", help="take it away instead")
    parser.add_argument("--tied", action="store_true", help="stop when standard input closes")
    return parser


def main() -> int:
    """Run; a line says how it ended. Exit code 0, 3 or 130."""
    chosen = _parser().parse_args()
    stop = Stop()
    if chosen.tied:
        ask_at_end_of(sys.stdin.fileno(), stop)
    options = InstallOptions(
        chosen.wheels, chosen.target, chosen.cache, chosen.online, chosen.index, chosen.repair
    )
    try:
        if chosen.remove:
            remove_engine(options, _say, stop)
        else:
            _say(install_engine(options, _say, stop))
    except EngineError as error:
        if error.code is ErrorCode.CANCELLED:
            return EXIT_CANCELLED
        _say(InstallFailed(error.code, error.message, error.hint))
        return EXIT_NOT_USABLE
    except BrokenPipeError:  # nobody listens any more
        return EXIT_CANCELLED
    except OSError as error:
        words = f"The installation stopped: {error.strerror or error}."
        _say(InstallFailed(ErrorCode.BAD_OUTPUT, words, "Look at the free space and try again."))
        return EXIT_NOT_USABLE
    return EXIT_OK


if __name__ == "__main__":
    sys.exit(main())
