"""Fill a head's shape sliders from its result."""

from pathlib import Path

import bpy
import numpy as np

from ...engine.protocol.errors import EngineError
from ...engine.protocol.pack_manifest import HEAD_FILE
from ...engine.protocol.result import ResultMesh, ResultPackage, read_result
from ..declarations import PROPERTY
from ..detail.sources import check_result
from ..scene.heads import parts_of
from ..scene.mesh import plans_for
from ..sliders import model_sha256, resize
from .apply import vertices_of
from .cache import look_soon
from .component_names import component_names


def describe_shape(root: bpy.types.Object, result: ResultPackage) -> None:
    """The sliders say what the result says, and so do the meshes. Locks stay where they are."""
    shape, info = getattr(root, PROPERTY).shape, result.manifest.pack
    shape.pack, shape.pack_sha256 = info.id, info.sha256
    shape.model_sha256 = model_sha256(info, HEAD_FILE)
    identity = np.asarray(result.coefficients["identity"], np.float32)
    resize(shape.components, len(identity))
    names = component_names(info.id, len(identity))
    for item, name in zip(shape.components, names, strict=True):
        item.name = name
    for field in ("value", "fitted", "applied"):
        shape.components.foreach_set(field, identity)
    expressions = result.manifest.mesh.expression_names
    resize(shape.expressions, len(expressions))
    for item, name in zip(shape.expressions, expressions, strict=True):
        item.name = name
    weights = np.asarray(result.coefficients["expression"], np.float32)
    shape.expressions.foreach_set("fitted", weights)
    look_soon()


def describe_from_folder(root: bpy.types.Object) -> bool:
    """The same for a head of an earlier version, whose meshes are as the fit left them.

    False when its result is not there any more: the head has no shape sliders then.
    """
    head = getattr(root, PROPERTY)
    folder = Path(bpy.path.abspath(head.result_folder))
    try:
        check_result(folder, head.detail.stamp)
        result = read_result(folder)
        for part in parts_of(root):
            _name_kind(part, result.mesh, result.manifest.mesh.part_names)
    except EngineError:
        return False
    describe_shape(root, result)
    return True


def _name_kind(part: bpy.types.Object, mesh: ResultMesh, part_names: tuple[str, ...]) -> None:
    """What a mesh is, by the parts that its vertices belong to."""
    vertices = vertices_of(part.data, len(mesh.neutral))
    for plan in plans_for(part_names):
        ids = [index for index, name in enumerate(part_names) if name in plan.parts]
        if np.isin(vertices[:1], mesh.quads[np.isin(mesh.face_part, ids)]).any():
            getattr(part, PROPERTY).kind = plan.material
