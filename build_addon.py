"""Set up, try, test and zip UVAPM. Needs Python 3.11 or 3.13 with pip, nothing else.

    python build_addon.py demo [PHOTO]         from a photo to head.blend, head.glb and head.fbx
    python build_addon.py test [PYTEST ...]    the whole test suite
    python build_addon.py blenders [VERSION]   the Blender tests in several versions of Blender
    python build_addon.py zip                  the extension for Blender
    python build_addon.py bundle --platform P  the same with the engine's packages: installs offline
    python build_addon.py index                a repository of it that Blender updates from
    python build_addon.py lock                 write down the engine's packages for every platform
    python build_addon.py licences             write down the licence of all that is shipped
    python build_addon.py matrix               look whether they are all still to be had
    python build_addon.py export RESULT --fbx  a result directory to a 3D file

Everything is installed into the folder .venv beside this file; nothing else of the machine changes.
"""

import argparse
import sys
from pathlib import Path

if sys.version_info < (3, 11):  # noqa: UP036 said in plain words before newer code is read
    sys.exit("Python 3.11 or 3.13 is needed, this is Python {}.{}.".format(*sys.version_info))

from engine.packaging.blender_job import FORMATS
from engine.packaging.blenders import BENCH, BLENDERS, TESTS, bundle_words, run_blenders
from engine.packaging.commands import (
    demo,
    export,
    index,
    lock_wheels,
    make_bundle,
    make_zip,
    test,
    write_licences,
)
from engine.packaging.environment import EnvironmentOptions
from engine.packaging.photo import astronaut_photo
from engine.packaging.problems import SetupError
from engine.protocol.wheel_lock import PLATFORMS, PYTHONS

ROOT = Path(__file__).resolve().parent


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--torch-index",
        default="",
        metavar="URL",
        help="one more package index for pip: where PyTorch's CPU (or CUDA) builds lie",
    )
    parser.add_argument(
        "--cuda", action="store_true", help="accept a CUDA build of PyTorch, 2.7 GB, unasked"
    )
    commands = parser.add_subparsers(dest="command", required=True)
    for_demo = commands.add_parser("demo", help="reconstruct a photo, end to end")
    for_demo.add_argument("photo", nargs="?", type=Path, help="default: an astronaut's portrait")
    commands.add_parser("test", help="run the test suite; what follows goes to pytest")
    for_blenders = commands.add_parser(
        "blenders",
        help="run the Blender tests in several versions of Blender, each in its own folder",
    )
    for_blenders.add_argument("versions", nargs="*", metavar="VERSION", help=" ".join(BLENDERS))
    for_blenders.add_argument("--bench", action="store_true", help="time the sliders instead")
    for_blenders.add_argument(
        "--bundle", type=Path, help="install this offline bundle, its engine, fit, export, remove"
    )
    commands.add_parser("zip", help="build and validate the extension")
    commands.add_parser("index", help="a repository folder that Blender updates the extension from")
    commands.add_parser("lock", help="write wheels/engine-lock.json")
    commands.add_parser("licences", help="write THIRD_PARTY.md")
    commands.add_parser("matrix", help="compare wheels/engine-lock.json with the package index")
    for_bundle = commands.add_parser("bundle", help="the extension with its wheels, for no network")
    for_bundle.add_argument("--platform", choices=PLATFORMS, required=True)
    for_bundle.add_argument("--python", choices=PYTHONS, default=PYTHONS[-1], help="of Blender")
    for_bundle.add_argument("--torch", choices=("cpu", "cuda"), default="cpu")
    for_export = commands.add_parser("export", help="write 3D files from a result directory")
    for_export.add_argument("result", type=Path, help="result directory of `python -m engine fit`")
    for_export.add_argument(
        "--out", type=Path, help="folder for the files (default: beside RESULT)"
    )
    for name in FORMATS:
        for_export.add_argument(f"--{name}", action="store_true", help=f"write head.{name}")
    return parser


def _blender_words(chosen: argparse.Namespace) -> tuple[str, ...]:
    if chosen.bundle is not None:
        photo = astronaut_photo(ROOT / "build", Path(sys.executable))
        return bundle_words(chosen.bundle, photo, ROOT / "output" / "bundle")
    return (BENCH,) if chosen.bench else TESTS


def main() -> int:
    """Run one command; returns the exit code."""
    parser, words = _parser(), sys.argv[1:]
    chosen, unknown = parser.parse_known_args(words)
    if unknown and chosen.command != "test":
        parser.error(f"unknown: {' '.join(unknown)}")
    options = EnvironmentOptions(ROOT, chosen.torch_index, chosen.cuda)
    try:
        if chosen.command == "demo":
            return demo(options, chosen.photo)
        if chosen.command == "test":
            return test(options, words[words.index("test") + 1 :])
        if chosen.command == "blenders":
            if unlike := [version for version in chosen.versions if version not in BLENDERS]:
                parser.error(f"blenders: {unlike[0]} is none of {', '.join(BLENDERS)}")
            return run_blenders(ROOT, tuple(chosen.versions or BLENDERS), _blender_words(chosen))
        if chosen.command == "zip":
            return make_zip(options)
        if chosen.command == "index":
            return index(options)
        if chosen.command == "licences":
            return write_licences(options)
        if chosen.command in ("lock", "matrix"):
            return lock_wheels(options, chosen.command == "lock")
        if chosen.command == "bundle":
            return make_bundle(options, chosen.platform, chosen.python, chosen.torch)
        formats = tuple(name for name in FORMATS if getattr(chosen, name))
        if not formats:
            parser.error("export: give at least one of " + ", ".join(f"--{f}" for f in FORMATS))
        return export(options, chosen.result, chosen.out or chosen.result.resolve().parent, formats)
    except SetupError as problem:
        print(problem, file=sys.stderr)
        return 3
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
