"""`python -m engine packs build|list|show|check|mend|import`: packs for people."""

import argparse
import json
import sys
from pathlib import Path

from ..protocol.errors import EXIT_OK, EngineError, ErrorCode
from ..protocol.head_kinds import KINDS
from ..protocol.work import EXPRESSION_SETS, ImportJob
from ..reporter import CancelToken, ConsoleReporter
from .interrupt import interrupt_cancels


def register(subparsers: argparse._SubParsersAction) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "packs",
        help="list, check, build and import packs",
        description="Head packs, and packs of an albedo or a detail model.",
    )
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    build = actions.add_parser("build", help="build a pack from its pinned packages")
    build.add_argument("id", choices=["default"], help="which pack")
    build.add_argument(
        "--downloads", type=Path, metavar="DIR", help="where the packages are or go (about 190 MB)"
    )
    build.add_argument("--out", type=Path, metavar="DIR", help="folder that holds packs")
    build.add_argument("--force", action="store_true", help="build even if it is up to date")
    build.set_defaults(run=run_build)
    listing = actions.add_parser("list", help="show the packs that are found")
    listing.set_defaults(run=run_list)
    check = actions.add_parser("check", help="read a pack and show what it holds")
    check.add_argument("folder", type=Path, metavar="DIR", help="the pack's folder")
    check.set_defaults(run=run_check)
    show = actions.add_parser("show", help="the same for a pack that is found by its id")
    show.add_argument("pack", metavar="PACK", help="an id or a folder")
    show.set_defaults(run=run_show)
    mend = actions.add_parser(
        "mend",
        help="move packs that cannot be used aside",
        description="Move every pack that cannot be used into the folder 'set aside' beside it, so "
        "that it can be imported again. The default pack that came with the engine stays.",
    )
    mend.set_defaults(run=run_mend)
    _register_import(actions)
    _register_register(actions)


def _register_import(actions: argparse._SubParsersAction) -> None:
    listed = "\n".join(f"  {kind.name:14} {kind.title}: {kind.files}" for kind in KINDS)
    terms = "\n".join(f"  {kind.name:14} {kind.licence_note}" for kind in KINDS)
    importing = actions.add_parser(
        "import",
        help="make a pack of a model that others released",
        description="Make a pack of a model that others released. Its files are only read: nothing "
        "in them is executed. A head is completed from the default pack, which must be built.",
        epilog=f"kinds, and what to give:\n{listed}\n\nterms:\n{terms}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    importing.add_argument(
        "kind", choices=[kind.name for kind in KINDS], metavar="KIND", help="see below"
    )
    importing.add_argument("paths", nargs="+", metavar="PATH", help="the model's files or folder")
    importing.add_argument(
        "--out", type=Path, metavar="DIR", help="the pack's folder (KIND among the other packs)"
    )
    importing.add_argument(
        "--accept-licence", action="store_true", help="you know the model's terms and keep them"
    )
    importing.add_argument(
        "--expressions",
        choices=EXPRESSION_SETS,
        default=EXPRESSION_SETS[0],
        help="of a head: the 52 ARKit shapes (default), or those and the model's own",
    )
    importing.set_defaults(run=run_import)


def _register_register(actions: argparse._SubParsersAction) -> None:
    registering = actions.add_parser(
        "register",
        help="find how a head mesh corresponds to the default head",
        description="Find the face of a mesh, lay the default head on it, and write how well it "
        "lies: register.json, register.png, correspondence.safetensors.",
    )
    registering.add_argument("mesh", metavar="MESH", help="head or body: .obj, .glb or .gltf")
    registering.add_argument("--out", default="register", metavar="DIR", help="directory to write")
    registering.set_defaults(run=run_register)


def run_register(arguments: argparse.Namespace) -> int:
    """Register a mesh; the report goes to standard output."""
    token = CancelToken()
    reporter = ConsoleReporter(sys.stderr, token)
    with interrupt_cancels(token):
        from ..protocol.work import RegisterJob
        from ..register.run import REPORT, describe
        from ..register.run import run_register as register_mesh
        from ..render.threads import choose_threads

        choose_threads()
        try:
            folder = register_mesh(RegisterJob(arguments.mesh, arguments.out), reporter)
        finally:
            reporter.close()
    for line in describe(json.loads((folder / REPORT).read_bytes())):
        print(line)
    print(folder)
    return EXIT_OK


def run_build(arguments: argparse.Namespace) -> int:
    """Build a pack; its folder goes to standard output."""
    from ..packs.build.default import build_default
    from ..packs.registry import build_folder

    reporter = ConsoleReporter(sys.stderr, CancelToken())
    try:
        folder = build_folder(arguments.out) / arguments.id
        print(build_default(folder, arguments.downloads, reporter, arguments.force))
    finally:
        reporter.close()
    return EXIT_OK


def run_import(arguments: argparse.Namespace) -> int:
    """Import a model; the pack's folder goes to standard output."""
    token = CancelToken()
    reporter = ConsoleReporter(sys.stderr, token)
    with interrupt_cancels(token):
        from ..packs.heads.importing import default_output
        from ..packs.heads.importing import run_import as import_model

        out = default_output(arguments.kind, arguments.out)
        job = ImportJob(
            arguments.kind,
            tuple(arguments.paths),
            str(out),
            arguments.accept_licence,
            arguments.expressions,
        )
        try:
            print(import_model(job, reporter))
        finally:
            reporter.close()
    return EXIT_OK


def run_list(arguments: argparse.Namespace) -> int:
    """Two lines per pack: what it is and where, and the licences of its parts."""
    from ..packs.contents import kinds, licences, read_contents
    from ..packs.registry import list_packs, search_path

    packs = list_packs()
    for folder in packs:
        try:
            pack = read_contents(folder)
            print(f"{pack.manifest.id} {pack.manifest.version}  {kinds(pack)}  {folder}")
            print(f"    {licences(pack)}")
        except EngineError as error:
            print(f"{folder.name} (not usable: {error.message})  {folder}")
    if not packs:
        print(f"No packs in {', '.join(map(str, search_path()))}", file=sys.stderr)
    return EXIT_OK


def run_mend(arguments: argparse.Namespace) -> int:
    """A line for each pack that was moved. Raises EngineError for what this cannot mend."""
    from ..packs.registry import is_shipped, list_packs
    from ..protocol.mend_packs import set_aside, trouble_of

    wrong = {folder: trouble for folder in list_packs() if (trouble := trouble_of(folder))}
    for folder, trouble in wrong.items():
        if not is_shipped(folder):
            print(f"{folder.name}: {trouble} Moved to {set_aside(folder)}; import it again.")
    for trouble in (wrong[folder] for folder in wrong if is_shipped(folder)):
        raise EngineError(
            ErrorCode.PACK_INVALID,
            f"The default pack is damaged: {trouble}",
            "Install the extension again, or: python -m engine packs build default --force",
        )
    if not wrong:
        print("Every pack is in order.")
    return EXIT_OK


def run_check(arguments: argparse.Namespace) -> int:
    """Read a pack with all checks; raises its complaint."""
    return _print_contents(arguments.folder)


def run_show(arguments: argparse.Namespace) -> int:
    """`run_check` of a pack that is found by its id."""
    from ..packs.registry import find_pack

    return _print_contents(find_pack(arguments.pack))


def _print_contents(folder: Path) -> int:
    from ..packs.contents import describe, read_contents

    for line in describe(read_contents(folder)):
        print(line)
    return EXIT_OK
