"""Wavefront OBJ and MTL text: quads, corner UVs, one group and material per part."""

from collections.abc import Iterable, Sequence

import numpy as np

from ..protocol.conventions import linear_to_srgb
from ..protocol.faces import is_triangle
from ..protocol.result import ResultMesh
from .decimals import decimal_rows, pair_rows
from .parts import part_material
from .split import unique_uv

MTL_NAME = "head.mtl"


def obj_bytes(vertices: np.ndarray, faces: bytes) -> bytes:
    """OBJ of a mesh's faces over `vertices` (V, 3), metres, model space, six decimals (1 um).

    faces: of `obj_faces`.
    """
    head = f"# UVAPM head, metres, Y up\nmtllib {MTL_NAME}\n".encode("ascii")
    return head + decimal_rows("v", vertices) + faces


def obj_faces(mesh: ResultMesh, part_names: Sequence[str]) -> bytes:
    """The part of an OBJ file that the shape does not change: corner UVs and faces."""
    uv, uv_index = unique_uv(mesh.corner_uv)
    lines = [decimal_rows("vt", uv), b"s 1\n"]
    for index, name in enumerate(part_names):
        chosen = mesh.face_part == index
        if not chosen.any():
            continue
        pairs = np.stack([mesh.quads[chosen], uv_index[chosen]], axis=-1) + 1  # OBJ counts from 1
        triangle = is_triangle(mesh.quads[chosen])
        lines.append(f"g {name}\nusemtl {name}\n".encode())
        for faces in (pairs[~triangle], pairs[triangle][:, :3]):
            lines += [pair_rows("f", faces)] if len(faces) else []
    return b"".join(lines)


def mtl_text(part_names: Sequence[str], maps: Iterable[str]) -> str:
    """MTL with one material per part; textures by relative path where `maps` has them."""
    present = set(maps)
    lines = []
    for name in part_names:
        look = part_material(name)
        textured = look.texture in present
        # A program multiplies Kd with the texture; Kd itself is read as a display colour.
        colour = (1.0, 1.0, 1.0) if textured else linear_to_srgb(np.array(look.colour))
        red, green, blue = colour
        lines += [f"newmtl {name}", f"Kd {red:.4f} {green:.4f} {blue:.4f}", "Ks 0 0 0", "illum 1"]
        if textured:
            lines.append(f"map_Kd maps/{look.texture}.png")
        if textured and look.transparent:
            lines.append(f"map_d maps/{look.texture}.png")
        # The PBR extension of MTL (Clara.io, 2013), which most programs read.
        if look.roughness_map in present:
            lines += ["Pr 1", f"map_Pr maps/{look.roughness_map}.png"]
        if look.normal_map in present:
            lines.append(f"norm maps/{look.normal_map}.png")
        lines.append("")
    return "\n".join(lines)
