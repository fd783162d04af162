"""Z-buffer rasteriser in pure torch.

Scan conversion with whole-tensor operations: every triangle is cut into one span of pixels per
image row, the spans into pixels, and the nearest hit per pixel is found by one integer minimum
over packed (depth, index) keys. `rasterize_reference.py` is the slow twin.

Coverage: a pixel belongs to a triangle if its centre lies inside; centres exactly on an edge
follow the top-left rule (the centre is thought moved by (d, d*d) with d infinitely small), so
triangles that share an edge never both or neither own a pixel. Both neighbours compute the very
same crossing of an edge and a row: all terms only change sign when the edge is turned round.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import torch

from .interpolate import barycentric, covered_weights, interpolate

__all__ = [
    "NEAR",
    "Fragments",
    "Rasterizer",
    "barycentric",
    "front_facing",
    "interpolate",
    "of_all_triangles",
    "rasterize",
]

NEAR = 1e-6
"""Metres. A triangle with a corner at or behind this depth is dropped, not clipped: a head in
front of a camera never crosses it."""

_CHUNK = 1 << 15
"""Rows or pixels per step: 256 kB a double array, so that a step stays in the CPU cache."""
_INDEX_BITS = 32
_EMPTY = (0x7F800000 << _INDEX_BITS) | 0xFFFFFFFF
"""Key of an empty pixel: infinite depth, triangle -1."""
_HORIZONTAL_SHIFT = 1e-9
"""Pixels by which horizontal edges move up, so that centres on top edges count as inside and
those on bottom edges do not. Below the rounding of single-precision coordinates."""


@dataclass(frozen=True, eq=False)
class Fragments:
    """The visible triangle at each pixel.

    triangle: (H, W) int32, -1 where empty. barycentric: (H, W, 3), perspective-correct weights of
    the corners, 0 where empty. depth: (H, W) metres along the optical axis, infinite where empty.
    covered: (N,) int64, flat indices (row * W + column) of the pixels that are not empty.
    """

    triangle: torch.Tensor
    barycentric: torch.Tensor
    depth: torch.Tensor
    covered: torch.Tensor


Rasterizer = Callable[[torch.Tensor, torch.Tensor, torch.Tensor, int, int], Fragments]
"""`rasterize` or another one that gives the same: see there."""


@dataclass(frozen=True, eq=False)
class _Faces:
    """Prepared triangles, (n,) each, double precision where not said.

    edges: per edge (a, b, c, cap): a x + b y + c is positive inside; cap is +inf if the edge
    bounds rows on their left, else -inf. plane: (gx, gy, value), inverse depth gx x + gy y + value.
    index: triangle number, int64. row, rows: first row and number of rows, int64.
    """

    edges: tuple[tuple[torch.Tensor, ...], ...]
    plane: tuple[torch.Tensor, ...]
    index: torch.Tensor
    row: torch.Tensor
    rows: torch.Tensor


def rasterize(
    pixels: torch.Tensor, depth: torch.Tensor, triangles: torch.Tensor, height: int, width: int
) -> Fragments:
    """Nearest triangle at each pixel centre. Both sides of a triangle are drawn.

    pixels: (V, 2) continuous pixel coordinates. depth: (V,) metres, positive in front of the
    camera. triangles: (T, 3) integer. Ties in (single-precision) depth go to the lower triangle
    number. Triangles that touch the camera plane, have no area or are not finite draw nothing.
    Not differentiable; see `interpolate.barycentric`.
    """
    home = pixels.device
    if home.type == "mps":  # no double precision there
        moved = rasterize(pixels.cpu(), depth.cpu(), triangles.cpu(), height, width)
        return Fragments(*(getattr(moved, name).to(home) for name in Fragments.__annotations__))
    with torch.no_grad():
        corners = [triangles[:, i].long() for i in range(3)]
        keys = torch.full((height * width,), _EMPTY, dtype=torch.int64, device=home)
        faces = _prepare(pixels, depth, corners, height, width)
        for chosen in _chunks(faces.rows):
            _draw_spans(keys, faces, *chosen, width)
        halves = keys.view(torch.int32).reshape(-1, 2)  # low word first: the triangle
        triangle = halves[:, 0].contiguous()
        nearest = halves.view(torch.float32)[:, 1].to(pixels.dtype)
        covered = (triangle >= 0).nonzero().squeeze(1)
        weights = pixels.new_zeros(height * width, 3)
        for part in covered.split(_CHUNK):
            found = triangle.index_select(0, part)
            weights[part] = covered_weights(pixels, depth, triangles, found, part, width)
        shape = (height, width)
        return Fragments(
            triangle.reshape(shape), weights.reshape(*shape, 3), nearest.reshape(shape), covered
        )


def front_facing(pixels: torch.Tensor, triangles: torch.Tensor) -> torch.Tensor:
    """(n,) int64: the triangles (T, 3) whose outside a camera sees. pixels: (V, 2), y down.

    Of a closed surface nothing else can be nearest, and to draw these alone takes two thirds of
    the time. Corners run counter-clockwise from outside, and so clockwise where y points down.
    """
    a, b, c = (pixels.index_select(0, triangles[:, i].long()) for i in range(3))
    across, down = b - a, c - a
    return (across[:, 0] * down[:, 1] < across[:, 1] * down[:, 0]).nonzero().squeeze(1)


def of_all_triangles(fragments: Fragments, kept: torch.Tensor) -> Fragments:
    """Fragments of some triangles, numbered as in the whole. kept: (n,) int64, which they were."""
    triangle = torch.full_like(fragments.triangle, -1)
    flat, at = triangle.view(-1), fragments.covered
    found = fragments.triangle.reshape(-1).index_select(0, at).long()
    flat[at] = kept.index_select(0, found).to(flat.dtype)
    return replace(fragments, triangle=triangle)


def _prepare(
    pixels: torch.Tensor, depth: torch.Tensor, corners: list[torch.Tensor], height: int, width: int
) -> _Faces:
    """Faces whose bounding box holds at least one pixel centre of the image."""
    flat_x, flat_y = pixels[:, 0].contiguous(), pixels[:, 1].contiguous()
    x, y, z = ([v.index_select(0, c) for c in corners] for v in (flat_x, flat_y, depth))
    (x_low, x_high), (y_low, y_high), (z_low, z_high) = _range(x), _range(y), _range(z)
    row = (y_low - 0.5).ceil_().clamp_(min=0)
    rows = (y_high - 0.5).floor_().clamp_(max=height - 1).sub_(row).add_(1)
    keep = (rows > 0) & (z_low > NEAR)
    keep &= (x_high - 0.5).floor_().clamp_(max=width - 1) >= (x_low - 0.5).ceil_().clamp_(min=0)
    keep &= (x_high - x_low + y_high - y_low + z_high) < torch.inf  # false for NaN as well
    kept = keep.nonzero().squeeze(1)
    x, y, z = ([v.index_select(0, kept).double() for v in axis] for axis in (x, y, z))
    area = (x[1] - x[0]) * (y[2] - y[0]) - (x[2] - x[0]) * (y[1] - y[0])
    edges = tuple(_edge(x, y, (i + 1) % 3, (i + 2) % 3, area.sign()) for i in range(3))
    plane = _inverse_depth_plane(x, y, z, area)
    rows = rows.index_select(0, kept).long() * (area != 0)
    return _Faces(edges, plane, kept, row.index_select(0, kept).long(), rows)


def _range(axis: list[torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
    low = torch.minimum(torch.minimum(axis[0], axis[1]), axis[2])
    return low, torch.maximum(torch.maximum(axis[0], axis[1]), axis[2])


def _edge(
    x: list[torch.Tensor], y: list[torch.Tensor], start: int, end: int, side: torch.Tensor
) -> tuple[torch.Tensor, ...]:
    """Edge function from one corner to another, see `_Faces.edges`. side: sign of the area."""
    a, b = (y[start] - y[end]) * side, (x[end] - x[start]) * side
    c = (x[start] * y[end] - x[end] * y[start]) * side
    level = a == 0
    # A level edge bounds no row on a side: division by +0 puts the crossing at -inf where the
    # row is inside and at +inf where it is not, which as a left bound is right.
    a = a.masked_fill_(level, 0.0)
    cap = torch.full_like(a, -torch.inf).masked_fill_(a >= 0, torch.inf)
    return a, b, torch.where(level, c + _HORIZONTAL_SHIFT * b, c), cap


def _inverse_depth_plane(
    x: list[torch.Tensor], y: list[torch.Tensor], z: list[torch.Tensor], area: torch.Tensor
) -> tuple[torch.Tensor, ...]:
    """Inverse depth is affine in the image (Blinn 1992): its gradient, and value at (0, 0)."""
    inverse = [v.reciprocal() for v in z]
    first, second = inverse[1] - inverse[0], inverse[2] - inverse[0]
    gx = (first * (y[2] - y[0]) - second * (y[1] - y[0])) / area
    gy = (second * (x[1] - x[0]) - first * (x[2] - x[0])) / area
    return gx, gy, inverse[0] - gx * x[0] - gy * y[0]


def _chunks(counts: torch.Tensor) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Unrolls counts (n,) in pieces of about _CHUNK items.

    Yields owner and number, (m,) int64: items 0 .. counts[owner] - 1 of each owner, in order.
    """
    ends = counts.cumsum(0)
    total = int(ends[-1]) if len(ends) else 0
    marks = torch.arange(_CHUNK, total + _CHUNK, _CHUNK, device=counts.device)
    stops = [*torch.searchsorted(ends, marks.clamp(max=total)).add_(1).tolist()]
    begin = 0
    for stop in stops:
        if stop <= begin:
            continue
        some = counts[begin:stop]
        before = int(ends[begin - 1]) if begin else 0
        size = int(ends[stop - 1]) - before
        owner = torch.repeat_interleave(some, output_size=size)
        starts = (ends[begin:stop] - some - before).index_select(0, owner)
        yield owner + begin, torch.arange(size, device=counts.device) - starts
        begin = stop


def _draw_spans(
    keys: torch.Tensor, faces: _Faces, owner: torch.Tensor, number: torch.Tensor, width: int
) -> None:
    """Draws row `number` of each face `owner`, both (m,), into the key buffer."""
    row = faces.row.index_select(0, owner) + number
    y = row.double() + 0.5
    low, high = torch.full_like(y, -torch.inf), torch.full_like(y, torch.inf)
    for edge in faces.edges:
        a, b, c, cap = (v.index_select(0, owner) for v in edge)
        crossing = torch.addcmul(c, b, y).div_(a).neg_()
        torch.maximum(low, torch.minimum(crossing, cap), out=low)
        torch.minimum(high, torch.maximum(crossing, cap), out=high)
    first = (low - 0.5).ceil_().clamp_(0, width)
    count = (high - 0.5).ceil_().clamp_(0, width).sub_(first)
    filled = (count > 0).nonzero().squeeze(1)
    face = owner.index_select(0, filled)
    gx, gy, value = (v.index_select(0, face) for v in faces.plane)
    first = first.index_select(0, filled)
    inverse = value + gy * y.index_select(0, filled) + gx * (first + 0.5)
    index = faces.index.index_select(0, face)
    pixel = row.index_select(0, filled) * width + first.long()
    for span, step in _chunks(count.index_select(0, filled).long()):
        near = inverse.index_select(0, span).addcmul_(gx.index_select(0, span), step)
        bits = near.reciprocal_().float().view(torch.int32).long()
        key = (bits << _INDEX_BITS) + index.index_select(0, span)
        keys.scatter_reduce_(0, pixel.index_select(0, span) + step, key, "amin")
