"""Z-buffer rasteriser in pure torch.

Triangles are sorted into classes by the size of their bounding box; each class tests a fixed
window of pixels per triangle with whole-tensor operations, large triangles are cut into tiles
first, and the nearest hit per pixel is found by one integer minimum over packed (depth, index)
keys. `rasterize_reference.py` is the slow twin.

Coverage: a pixel belongs to a triangle if its centre lies inside; centres exactly on an edge
follow the top-left rule (the centre is thought moved by (d, d*d) with d infinitely small), so
triangles that share an edge never both or neither own a pixel. Edge functions run in double
precision on corners ordered by coordinate, so both neighbours compute the same number.
"""

from dataclasses import dataclass

import torch

from .interpolate import barycentric, covered_weights, interpolate, to_image

__all__ = ["NEAR", "Fragments", "barycentric", "interpolate", "rasterize"]

NEAR = 1e-6
"""Metres. A triangle with a corner at or behind this depth is dropped, not clipped: a head in
front of a camera never crosses it."""

_WINDOWS = (1, 2, 3, 4, 6, 8, 12, 16)
_TILE = _WINDOWS[-1]
_CHUNK_CELLS = 1 << 17
"""Pixel tests per step: about 1 MB a double array, so that a step stays in the CPU cache."""
_EMPTY = torch.iinfo(torch.int64).max
_INDEX_BITS = 32


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


@dataclass(frozen=True, eq=False)
class _Faces:
    """Prepared triangles, one entry each (n), in double precision.

    edges: per edge (a, b, x, y, inclusive): the edge function a (px - x) + b (py - y), positive
    inside. plane: (gx, gy, x, y, value) of the inverse depth. index: triangle number.
    row, column: first pixel of the bounding box; rows, columns: its size.
    """

    edges: tuple[tuple[torch.Tensor, ...], ...]
    plane: tuple[torch.Tensor, ...]
    index: torch.Tensor
    row: torch.Tensor
    column: torch.Tensor
    rows: torch.Tensor
    columns: torch.Tensor

    def select(self, chosen: torch.Tensor) -> "_Faces":
        """The faces at integer positions `chosen`."""
        pick = lambda values: tuple(v.index_select(0, chosen) for v in values)  # noqa: E731
        rest = pick((self.index, self.row, self.column, self.rows, self.columns))
        return _Faces(tuple(pick(edge) for edge in self.edges), pick(self.plane), *rest)


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
        triangles = triangles.long()
        buffer = torch.full((height * width,), _EMPTY, dtype=torch.int64, device=home)
        faces = _prepare(pixels, depth, triangles, height, width)
        _draw_all(buffer, faces, height, width)
        covered = (buffer != _EMPTY).nonzero().squeeze(1)
        keys = buffer.index_select(0, covered)
        chosen = keys & ((1 << _INDEX_BITS) - 1)
        triangle = torch.full((height * width,), -1, dtype=torch.int32, device=home)
        triangle[covered] = chosen.int()
        nearest = torch.full((height * width,), torch.inf, dtype=torch.float32, device=home)
        nearest[covered] = (keys >> _INDEX_BITS).int().view(torch.float32)
        weights = covered_weights(pixels, depth, triangles, chosen, covered, width)
        image = to_image(weights, covered, height, width)
        nearest = nearest.to(pixels.dtype).reshape(height, width)
        return Fragments(triangle.reshape(height, width), image, nearest, covered)


def _prepare(
    pixels: torch.Tensor, depth: torch.Tensor, triangles: torch.Tensor, height: int, width: int
) -> _Faces:
    """Faces whose bounding box holds at least one pixel centre of the image."""
    corner = [triangles[:, i].contiguous() for i in range(3)]
    flat_x, flat_y = pixels[:, 0].contiguous(), pixels[:, 1].contiguous()
    x = [flat_x.index_select(0, c) for c in corner]
    y = [flat_y.index_select(0, c) for c in corner]
    z = [depth.index_select(0, c) for c in corner]
    (x_low, x_high), (y_low, y_high), (z_low, z_high) = _range(x), _range(y), _range(z)
    column, row = (x_low - 0.5).ceil().clamp(min=0), (y_low - 0.5).ceil().clamp(min=0)
    columns = (x_high - 0.5).floor().clamp(max=width - 1) - column + 1
    rows = (y_high - 0.5).floor().clamp(max=height - 1) - row + 1
    keep = (columns > 0) & (rows > 0) & (z_low > NEAR)
    keep &= (x_high - x_low + y_high - y_low + z_high) < torch.inf  # false for NaN as well
    kept = keep.nonzero().squeeze(1)
    x, y, z = ([v.index_select(0, kept).double() for v in axis] for axis in (x, y, z))
    area = (x[1] - x[0]) * (y[2] - y[0]) - (x[2] - x[0]) * (y[1] - y[0])
    side = area.sign()  # 0 without area: all edge functions vanish and nothing is inside
    edges = tuple(_edge(x, y, (i + 1) % 3, (i + 2) % 3, side) for i in range(3))
    plane = _inverse_depth_plane(x, y, z, area)
    box = [v.index_select(0, kept).long() for v in (row, column, rows, columns)]
    return _Faces(edges, plane, kept, *box)


def _range(axis: list[torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
    low = torch.minimum(torch.minimum(axis[0], axis[1]), axis[2])
    return low, torch.maximum(torch.maximum(axis[0], axis[1]), axis[2])


def _edge(
    x: list[torch.Tensor], y: list[torch.Tensor], start: int, end: int, side: torch.Tensor
) -> tuple[torch.Tensor, ...]:
    """Edge function from one corner to another, positive inside (see `_Faces.edges`)."""
    swapped = (x[end] < x[start]) | ((x[end] == x[start]) & (y[end] < y[start]))
    low_x, high_x = torch.where(swapped, x[end], x[start]), torch.where(swapped, x[start], x[end])
    low_y, high_y = torch.where(swapped, y[end], y[start]), torch.where(swapped, y[start], y[end])
    sign = torch.where(swapped, -side, side)
    a, b = sign * (low_y - high_y), sign * (high_x - low_x)
    return a, b, low_x, low_y, (a > 0) | ((a == 0) & (b > 0))


def _inverse_depth_plane(
    x: list[torch.Tensor], y: list[torch.Tensor], z: list[torch.Tensor], area: torch.Tensor
) -> tuple[torch.Tensor, ...]:
    """Inverse depth is affine in the image (Blinn 1992): its gradient, and value at corner 0."""
    inverse = [1.0 / v for v in z]
    first, second = inverse[1] - inverse[0], inverse[2] - inverse[0]
    safe = torch.where(area == 0, torch.ones_like(area), area)
    gx = (first * (y[2] - y[0]) - second * (y[1] - y[0])) / safe
    gy = (second * (x[1] - x[0]) - first * (x[2] - x[0])) / safe
    return gx, gy, x[0], y[0], inverse[0]


def _draw_all(buffer: torch.Tensor, faces: _Faces, height: int, width: int) -> None:
    """Draws every face into the key buffer (H * W), class by class."""
    size = torch.maximum(faces.rows, faces.columns)
    smaller = 0
    for window in _WINDOWS:
        members = ((size > smaller) & (size <= window)).nonzero().squeeze(1)
        smaller = window
        step = max(1, _CHUNK_CELLS // (window * window))
        for begin in range(0, len(members), step):
            chunk = faces.select(members[begin : begin + step])
            _draw_windows(buffer, chunk, window, height, width)
    large = (size > _TILE).nonzero().squeeze(1)
    if len(large):
        _draw_tiles(buffer, faces.select(large), height, width)


def _draw_tiles(buffer: torch.Tensor, faces: _Faces, height: int, width: int) -> None:
    """Faces larger than the largest window, cut into tiles; tiles outside an edge are skipped."""
    across = (faces.columns + _TILE - 1) // _TILE
    count = across * ((faces.rows + _TILE - 1) // _TILE)
    step = _CHUNK_CELLS // (_TILE * _TILE)
    ends = count.cumsum(0)
    total = int(ends[-1])
    for begin in range(0, total, step * 8):
        number = torch.arange(begin, min(begin + step * 8, total), device=count.device)
        owner = torch.searchsorted(ends, number, right=True)
        local = number - (ends - count).index_select(0, owner)
        wide = across.index_select(0, owner)
        tiles = faces.select(owner)
        row, column = tiles.row + local // wide * _TILE, tiles.column + local % wide * _TILE
        touched = torch.ones_like(owner, dtype=torch.bool)
        for a, b, x, y, _ in tiles.edges:
            # Largest value over the tile's pixel centres: the corner the gradient points to.
            best_x = column + 0.5 + torch.where(a > 0, _TILE - 1, 0) - x
            best_y = row + 0.5 + torch.where(b > 0, _TILE - 1, 0) - y
            touched &= a * best_x + b * best_y >= 0
        tiles = _Faces(tiles.edges, tiles.plane, tiles.index, row, column, row, column)
        kept = touched.nonzero().squeeze(1)
        for first in range(0, len(kept), step):
            chunk = tiles.select(kept[first : first + step])
            _draw_windows(buffer, chunk, _TILE, height, width)


def _draw_windows(
    buffer: torch.Tensor, faces: _Faces, window: int, height: int, width: int
) -> None:
    """Tests the window x window pixels from each face's first pixel and keeps the nearest hits."""
    tall, wide = min(window, height), min(window, width)
    row, column = faces.row.clamp(max=height - tall), faces.column.clamp(max=width - wide)
    steps_y = torch.arange(tall, device=buffer.device)[:, None]
    steps_x = torch.arange(wide, device=buffer.device)[:, None]
    py, px = (steps_y + row).double() + 0.5, (steps_x + column).double() + 0.5
    inside = None
    for a, b, x, y, inclusive in faces.edges:
        # a dx + b dy >= 0 (or > 0) as a comparison: exact, and no sum per pixel.
        limit = -(a * (px - x))
        limit = torch.where(inclusive, limit, torch.nextafter(limit, limit.new_tensor(torch.inf)))
        hit = (b * (py - y))[:, None] >= limit[None]
        inside = hit if inside is None else inside.logical_and_(hit)
    hits = inside.view(-1).nonzero().squeeze(1)
    gx, gy, x, y, value = faces.plane
    inverse = (gy * (py - y) + value)[:, None] + (gx * (px - x))[None]
    depth = inverse.view(-1).index_select(0, hits).reciprocal_().float()
    count = len(faces.index)
    cell = hits // count
    face = hits - cell * count
    offsets = (steps_y * width + steps_x.T).reshape(-1)
    pixel = (row * width + column).index_select(0, face) + offsets.index_select(0, cell)
    keys = (depth.view(torch.int32).long() << _INDEX_BITS) + faces.index.index_select(0, face)
    buffer.scatter_reduce_(0, pixel, keys, "amin")
