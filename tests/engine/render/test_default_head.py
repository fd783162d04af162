"""The render core on the real head."""

import pytest
import torch

from engine.head.camera import project
from engine.head.normals import vertex_normals
from engine.protocol.headpack import HeadPack, read_pack
from engine.render.atlas import build_atlas, texel_values, visible_texels
from engine.render.rasterize import rasterize
from engine.render.render import clay_materials, orbit_camera, render_views


@pytest.fixture(scope="module")
def head(default_pack) -> HeadPack:
    return read_pack(default_pack).head


@pytest.fixture(scope="module")
def mesh(head):
    return torch.tensor(head.mean), torch.tensor(head.triangles)


def test_texels_and_corner_uvs_agree(head, mesh):
    """Each texel's surface point has that texel's UV."""
    skin = torch.tensor(head.face_part) == head.part_names.index("skin")
    atlas = build_atlas(torch.tensor(head.corner_uv), 256, skin)
    assert atlas.valid.float().mean() > 0.15
    corners = torch.tensor(head.triangle_uv)[atlas.triangle[atlas.valid].long()]
    uv = (atlas.barycentric[atlas.valid][..., None] * corners).sum(1)
    row, column = atlas.valid.nonzero().T
    wanted = torch.stack([(column + 0.5) / 256, 1 - (row + 0.5) / 256], -1)
    torch.testing.assert_close(uv, wanted, atol=1e-5, rtol=0)


def test_profile_sees_one_half_of_the_face(head, mesh):
    vertices, triangles = mesh
    skin = torch.tensor(head.face_part) == head.part_names.index("skin")
    atlas = build_atlas(torch.tensor(head.corner_uv), 256, skin)
    position = texel_values(vertices, triangles, atlas)
    normal = texel_values(vertex_normals(vertices, triangles), triangles, atlas)
    face = torch.tensor(head.groups["face"])[:, None]
    # Lashes, eyeballs and teeth are left out: they hide a little skin, which is not the question.
    shell = triangles[skin.repeat_interleave(2)]
    for yaw, side in ((90.0, 1), (-90.0, -1)):
        camera = orbit_camera(vertices, yaw, 0, 400)
        pixels, depth = project(vertices, camera)
        buffer = rasterize(pixels, depth, shell, 400, 400).depth
        seen = visible_texels(position, normal, atlas, camera, buffer)
        on_face = texel_values(face, triangles, atlas)[..., 0] > 0.9
        near = on_face & (side * position[..., 0] > 0.02) & (seen.cosine > 0.4)
        far = on_face & (side * position[..., 0] < -0.03)
        assert int(near.sum()) > 50 and int(far.sum()) > 50
        assert seen.visible[near].float().mean() > 0.97
        assert not seen.visible[far].any()


def test_clay_front_view_is_nearly_symmetric_in_shape(head, mesh):
    vertices, triangles = mesh
    part = torch.tensor(head.face_part).repeat_interleave(2)
    uv = torch.tensor(head.triangle_uv)
    materials = clay_materials(len(head.part_names))
    picture = render_views(vertices, triangles, uv, part, materials, [(0, 0)], 96)[0]
    background = picture[0, 0]
    covered = ((picture - background).abs() > 0.02).any(-1)
    assert 0.2 < covered.float().mean() < 0.7
    assert (covered == covered.flip(1)).float().mean() > 0.97
