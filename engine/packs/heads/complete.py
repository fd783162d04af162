"""A released head model made a whole head pack: what it lacks comes from the template.

The template is the default head. After completion every pack has the same structure, so that the
fit, results and Blender know no kinds of head.
"""

from dataclasses import dataclass, replace

import numpy as np

from ...protocol.headpack import HeadPack
from ...protocol.pack_manifest import HeadNames
from ...protocol.teeth import teeth_uv
from ...reporter import Reporter
from ..build.eyeball import eyeball_uv
from ..build.part_uv import TEETH
from .donors import EYES, LASHES, MOUTH, LentPart, lend, sphere_of
from .expressions import expression_names, lent_expressions, skin_expressions
from .lids import eyeballs
from .match import match_heads
from .mouth_room import with_room
from .regions import head_groups, head_landmarks, head_masks, mirror_pairs
from .source import SKIN, HeadSource


@dataclass(frozen=True, eq=False)
class CompleteHead:
    """tensors: of head.safetensors. names: of its rows. textures: file name -> PNG. lent: names of
    the template's parts in it."""

    tensors: dict[str, np.ndarray]
    names: HeadNames
    textures: dict[str, bytes]
    lent: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class _Joined:
    """The source's mesh and the lent parts as one. part_names: the template's, then the source's
    further ones. own: vertices of the source."""

    mean: np.ndarray
    identity: np.ndarray
    faces: np.ndarray
    corner_uv: np.ndarray
    face_part: np.ndarray
    part_names: tuple[str, ...]
    own: int


def complete_head(
    source: HeadSource,
    corner_uv: np.ndarray,
    template: HeadPack,
    textures: dict[str, bytes],
    both: bool,
    reporter: Reporter,
) -> CompleteHead:
    """Complete a source. corner_uv (F, 4, 2): the FFHQ-UV layout of its skin. textures: of the
    template's pack. both: the model's own expressions too, besides ARKit's.

    Raises Cancelled.
    """
    source, corner_uv = _without_bare_lashes(source, corner_uv)
    source, corner_uv = used_vertices(source, corner_uv)
    corner_uv = closed_triangles(source.faces, corner_uv)
    reporter.progress(1, 5)
    match = match_heads(source, corner_uv, template)
    reporter.progress(2, 5)
    mean = source.mean.astype(np.float64)
    missing = [name for name in template.part_names if name not in _parts_of(source)]
    lent = [lend(name, template, match, mean, source.identity) for name in missing]
    for part in lent:
        if part.name == MOUTH[0]:
            source = with_room(source, match, template, part.place)
    reporter.progress(3, 5)
    names, _ = expression_names(source, template, both)
    skin = skin_expressions(source, template, match, names, eyeballs(source, lent))
    moves = [lent_expressions(part, names, template, match, skin, mean) for part in lent]
    reporter.progress(4, 5)
    expression = np.concatenate([skin, *moves], axis=1)
    joined = _join(source, corner_uv, template, lent)
    groups = head_groups(source, match, template, joined.faces, joined.face_part, joined.part_names)
    centred = joined.mean - _between_eyes(joined)
    count = len(centred)
    tensors = {
        "control_mean": centred.astype(np.float32),
        "control_identity": joined.identity.astype(np.float16),
        "control_expression": expression.astype(np.float16),
        "subdivision_rows": np.arange(count, dtype=np.int32),
        "subdivision_columns": np.arange(count, dtype=np.int32),
        "subdivision_values": np.ones(count, np.float32),
        "quads": joined.faces,
        "corner_uv": np.clip(joined.corner_uv, 0.0, 1.0).astype(np.float32),
        "face_part": joined.face_part,
        "groups": np.stack(list(groups.values())).astype(np.float16),
        "mirror": mirror_pairs(centred, joined.faces, joined.face_part, joined.part_names),
        "uv_masks": head_masks(source, corner_uv, match, template),
        **head_landmarks(source, corner_uv, match, template),
    }
    masks = tuple(template.uv_masks)
    reporter.progress(5, 5)
    return CompleteHead(
        tensors,
        HeadNames(names, joined.part_names, tuple(groups), masks),
        {**textures, **source.textures},
        tuple(part.name for part in lent),
    )


def _parts_of(source: HeadSource) -> set[str]:
    """Names of the parts that have faces."""
    return {source.part_names[number] for number in np.unique(source.face_part)}


def _without_bare_lashes(
    source: HeadSource, corner_uv: np.ndarray
) -> tuple[HeadSource, np.ndarray]:
    """Lashes are cards that only a picture shows: those without UVs give way to the template's."""
    if source.part_uv is not None:
        return source, corner_uv
    cards = [k for k, name in enumerate(source.part_names) if name in LASHES]
    return kept_faces(source, corner_uv, ~np.isin(source.face_part, cards))


def kept_faces(
    source: HeadSource, corner_uv: np.ndarray, kept: np.ndarray
) -> tuple[HeadSource, np.ndarray]:
    """The source with the faces `kept` (F,) bool only."""
    smaller = replace(
        source,
        faces=source.faces[kept],
        face_part=source.face_part[kept],
        corner_uv=None,
        part_uv=None if source.part_uv is None else source.part_uv[kept],
        inner=None if source.inner is None else source.inner[kept],
    )
    return smaller, corner_uv[kept]


def used_vertices(source: HeadSource, corner_uv: np.ndarray) -> tuple[HeadSource, np.ndarray]:
    """The source without vertices that no face has; the others keep their order."""
    used = np.zeros(len(source.mean), bool)
    used[source.faces.ravel()] = True
    if used.all():
        return source, corner_uv
    number = np.cumsum(used) - 1
    marks = source.landmarks68
    if marks is not None:
        marks = number[marks].astype(np.int32) if used[marks].all() else None
    smaller = replace(
        source,
        mean=source.mean[used],
        identity=source.identity[:, used],
        expression=source.expression[:, used],
        faces=number[source.faces].astype(np.int32),
        landmarks68=marks,
    )
    return smaller, corner_uv


def closed_triangles(faces: np.ndarray, corner_uv: np.ndarray) -> np.ndarray:
    """Corner UVs where the repeated corner of a triangle has one UV too: no area in the layout."""
    out = corner_uv.copy()
    triangle = faces[:, 2] == faces[:, 3]
    out[triangle, 3] = out[triangle, 2]
    return out


def _join(
    source: HeadSource, corner_uv: np.ndarray, template: HeadPack, lent: list[LentPart]
) -> _Joined:
    extra = [name for name in source.part_names if name not in template.part_names]
    names = (*template.part_names, *(name for name in extra if name in _parts_of(source)))
    number = np.array([names.index(n) if n in names else 0 for n in source.part_names], np.uint8)
    means, identities = [source.mean], [source.identity]
    faces, parts = [source.faces], [number[source.face_part]]
    uvs = [_with_part_uv(source, corner_uv)]
    count = len(source.mean)
    for part in lent:
        place = np.zeros(len(template.mean), np.int32)
        place[part.vertices] = count + np.arange(len(part.vertices))
        faces.append(place[template.quads[part.faces]])
        parts.append(template.face_part[part.faces])
        uvs.append(template.corner_uv[part.faces])
        means.append(part.mean)
        identities.append(part.identity.astype(np.float32))
        count += len(part.vertices)
    return _Joined(
        np.concatenate(means),
        np.concatenate(identities, axis=1),
        np.concatenate(faces).astype(np.int32),
        np.concatenate(uvs),
        np.concatenate(parts),
        names,
        len(source.mean),
    )


def _with_part_uv(source: HeadSource, corner_uv: np.ndarray) -> np.ndarray:
    """Corner UVs with those of the parts that are not skin: teeth as our picture of them is laid
    out, others as the source's, else eyes as our picture and nothing (zero) for the others."""
    out = corner_uv.copy()
    for number, name in enumerate(source.part_names):
        chosen = source.face_part == number
        if name == SKIN or not chosen.any():
            continue
        if name in TEETH:
            faces = source.faces[chosen]
            out[chosen] = teeth_uv(source.mean, faces, np.full(len(faces), name == TEETH[0]))
        elif source.part_uv is not None:
            tile = source.part_uv[chosen]
            out[chosen] = tile - np.floor(tile.mean(axis=1, keepdims=True))
        elif name in EYES:
            points = source.mean[source.faces[chosen]].astype(np.float64)
            centre, _ = sphere_of(points.reshape(-1, 3))
            out[chosen] = eyeball_uv((points - centre).reshape(-1, 3)).reshape(-1, 4, 2)
        else:
            out[chosen] = 0.0
    return closed_triangles(source.faces, out)


def _between_eyes(joined: _Joined) -> np.ndarray:
    """(3,) the midpoint of the eyeballs, which is the model's origin."""
    centres = []
    for name in EYES:
        chosen = joined.face_part == joined.part_names.index(name)
        centres.append(sphere_of(joined.mean[np.unique(joined.faces[chosen])])[0])
    return np.mean(centres, axis=0)
