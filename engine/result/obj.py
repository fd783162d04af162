"""Wavefront OBJ and MTL text: quads, corner UVs, one group and material per part."""

from collections.abc import Iterable, Sequence

import numpy as np

from ..protocol.conventions import linear_to_srgb
from ..protocol.result import ResultMesh
from .parts import part_material
from .split import unique_uv

MTL_NAME = "head.mtl"


def obj_text(vertices: np.ndarray, mesh: ResultMesh, part_names: Sequence[str]) -> str:
    """OBJ of the mesh's faces over `vertices` (V, 3), metres, model space, six decimals (1 um)."""
    uv, uv_index = unique_uv(mesh.corner_uv)
    lines = ["# UVAPM head, metres, Y up", f"mtllib {MTL_NAME}"]
    lines += _rows("v %.6f %.6f %.6f", vertices)
    lines += _rows("vt %.6f %.6f", uv)
    lines.append("s 1")
    for index, name in enumerate(part_names):
        chosen = mesh.face_part == index
        if not chosen.any():
            continue
        pairs = np.stack([mesh.quads[chosen], uv_index[chosen]], axis=-1) + 1  # OBJ counts from 1
        lines += [f"g {name}", f"usemtl {name}"]
        lines += _rows("f %d/%d %d/%d %d/%d %d/%d", pairs.reshape(-1, 8))
    return "\n".join(lines) + "\n"


def _rows(form: str, rows: np.ndarray) -> Iterable[str]:
    return (form % tuple(row) for row in rows.tolist())


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
