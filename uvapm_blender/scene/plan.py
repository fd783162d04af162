"""What a new head is made of, worked out from plain values: beside the main thread, if need be."""

from dataclasses import dataclass

from ...engine.protocol.result import ResultPackage
from .. import locations
from ..rig.lids import with_closing_blinks
from .groups import Levels, group_levels, pack_groups
from .mesh import PartArrays, plans_for, split_part


@dataclass(frozen=True, eq=False)
class HeadPlan:
    """arrays: of each object, the skin first. groups: vertex groups of each."""

    arrays: tuple[PartArrays, ...]
    groups: tuple[Levels, ...]


def plan_head(result: ResultPackage) -> HeadPlan:
    """Arrays and groups of a result's objects. Touches no data of Blender."""
    info = result.manifest.mesh
    closed = with_closing_blinks(result.mesh, info.part_names, info.expression_names)
    split = (split_part(closed, info.part_names, plan) for plan in plans_for(info.part_names))
    arrays = tuple(part for part in split if part is not None)
    folder = locations.pack_folder(result.manifest.pack.id)
    regions = pack_groups(result.manifest.pack, folder, len(result.mesh.neutral))
    return HeadPlan(arrays, tuple(group_levels(part.vertices, regions) for part in arrays))
