"""A head's textures as its sliders show them, as files for the engine."""

from pathlib import Path

import bpy

from ..declarations import PROPERTY
from ..detail import live
from ..detail.values import is_changed
from ..scene.images import pack_changed


def write_present(root: bpy.types.Object, folder: Path) -> Path | None:
    """Write albedo, normal and roughness of a head into `folder`/textures when a slider has moved
    since the fit; None where the result's own will do."""
    if not is_changed(root):
        return None
    live.flush()
    head = getattr(root, PROPERTY)
    images = {
        "albedo": head.detail.albedo,
        "normal": head.skin.normal,
        "roughness": head.skin.roughness,
    }
    target = folder / "textures"
    target.mkdir(exist_ok=True)
    for name, image in images.items():
        path = target / f"{name}.png"
        path.unlink(missing_ok=True)
        if image is None:
            continue
        pack_changed(image)
        if image.packed_file is not None and image.file_format == "PNG":
            path.write_bytes(image.packed_file.data)
    return target
