"""One part's surface in a box is that of the whole head there, to the bit."""

import torch

from engine.head.camera import Camera
from engine.render.surface import head_surface, part_surface

SIZE, SAMPLES, PART = 24, 2, 0


def two_sheets() -> tuple[torch.Tensor, ...]:
    """A square of part 0, half of it behind a smaller one of part 1, and a card of part 2."""
    squares = []
    for half, depth, shift in ((0.4, 1.0, 0.0), (0.2, 0.9, 0.2), (0.1, 0.8, -0.2)):
        corners = torch.tensor([[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]]) * half
        corners = corners + torch.tensor([shift, 0.03])
        squares.append(torch.cat([corners, torch.full((4, 1), depth)], -1))
    one = torch.tensor([[0, 1, 2], [0, 2, 3]])
    triangles = torch.cat([one, one + 4, one + 8])
    vertices = torch.cat(squares)
    corner_uv = vertices[triangles][..., :2] + 0.5
    return vertices, triangles, corner_uv, torch.tensor([0, 0, 1, 1, 2, 2])


def test_a_part_in_a_box_is_the_whole_surface_there() -> None:
    intrinsics = torch.tensor([[22.0, 0.0, 12.0], [0.0, 22.0, 12.0], [0.0, 0.0, 1.0]])
    camera = Camera(intrinsics, torch.eye(3), torch.zeros(3), SIZE, SIZE)
    top, bottom, left, right = 3, 18, 5, 22
    whole = head_surface(*two_sheets(), [2], camera, SAMPLES).solid
    box = (top, bottom, left, right)
    found = part_surface(*two_sheets(), [2], camera, SAMPLES, PART, box)
    row, column = (
        torch.div(whole.fragments.covered, SIZE * SAMPLES, rounding_mode="floor"),
        whole.fragments.covered % (SIZE * SAMPLES),
    )
    kept = (whole.parts == PART) & (row >= top * SAMPLES) & (row < bottom * SAMPLES)
    kept &= (column >= left * SAMPLES) & (column < right * SAMPLES)
    assert 0 < int(kept.sum()) < len(kept)
    assert torch.equal(found.fragments.covered, whole.fragments.covered[kept])
    assert torch.equal(found.normals, whole.normals[kept])
    assert torch.equal(found.uv, whole.uv[kept])
    assert torch.equal(found.parts, whole.parts[kept])
