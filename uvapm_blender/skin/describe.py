"""Fill a head's skin sliders from its result."""

from collections.abc import Mapping
from pathlib import Path

import bpy
import numpy as np

from ...engine.protocol.errors import EngineError
from ...engine.protocol.pack_manifest import ALBEDO_FILE
from ...engine.protocol.result import ResultPackage, read_coefficients
from ...engine.protocol.result import read_manifest as read_result_manifest
from ...engine.protocol.result_schema import ResultManifest
from ..declarations import PROPERTY
from ..detail.sources import check_result
from ..scene.heads import parts_of
from ..sliders import model_sha256, resize
from .direction_names import direction_names
from .model import DIRECTIONS
from .values import TONES

CHANNEL_LETTERS = ("R", "G", "B")


def describe_skin(
    root: bpy.types.Object, result: ResultPackage, pictures: Mapping[str, bpy.types.Image]
) -> None:
    """The sliders say what a result says. Locks stay where they are.

    pictures: the head's images by map, among them normal and roughness.
    """
    skin = getattr(root, PROPERTY).skin
    skin.normal, skin.roughness = pictures["normal"], pictures["roughness"]
    _fill(root, result.manifest, result.coefficients["albedo"])


def _fill(root: bpy.types.Object, manifest: ResultManifest, coefficients: np.ndarray) -> None:
    """coefficients: (3, K) of the albedo."""
    skin = getattr(root, PROPERTY).skin
    pack = manifest.albedo_pack or manifest.pack
    skin.pack, skin.pack_sha256 = pack.id, pack.sha256
    skin.model_sha256 = model_sha256(pack, ALBEDO_FILE)
    values = np.ascontiguousarray(coefficients, np.float32)
    resize(skin.components, values.size)
    for index, item in enumerate(skin.components):
        channel, number = divmod(index, values.shape[1])
        item.name = f"{CHANNEL_LETTERS[channel]} {number + 1}"
    skin.components.foreach_set("value", values.ravel())
    skin.components.foreach_set("fitted", values.ravel())
    resize(skin.directions, DIRECTIONS)
    names = direction_names(skin.model_sha256, DIRECTIONS)
    for item, name in zip(skin.directions, names, strict=True):
        item.name = name
    skin.directions.foreach_set("value", np.zeros(DIRECTIONS, np.float32))
    for name in TONES:
        skin.property_unset(name)


def describe_from_folder(root: bpy.types.Object) -> bool:
    """The same for a head of an earlier version. False when its result is not there any more:
    the head has no skin sliders then."""
    head = getattr(root, PROPERTY)
    folder = Path(bpy.path.abspath(head.result_folder))
    try:
        check_result(folder, head.detail.stamp)
        manifest = read_result_manifest(folder)
        albedo = read_coefficients(folder, manifest)["albedo"]
    except EngineError:
        return False
    skin = getattr(root, PROPERTY).skin
    skin.normal, skin.roughness = (_image_at(root, name) for name in ("Normal", "Roughness"))
    _fill(root, manifest, albedo)
    return True


def _image_at(root: bpy.types.Object, label: str) -> bpy.types.Image | None:
    """The image of the node with this label in the skin's material."""
    for part in parts_of(root)[:1]:
        material = part.active_material
        nodes = material.node_tree.nodes if material is not None and material.node_tree else ()
        for node in nodes:
            if node.type == "TEX_IMAGE" and node.label == label:
                return node.image
    return None
