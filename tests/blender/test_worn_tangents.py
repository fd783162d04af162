"""The frames in which normal maps are baked are those in which Blender reads them."""

import numpy as np
import pytest

from engine.protocol.headpack import split_quads

pytest.importorskip("torch", reason="what it compares with belongs to the engine")

from engine.wear.tangents import frames_of
from tests.engine.wear.worn_sheet import sheet


@pytest.mark.parametrize("mirrored", [False, True])
def test_frames_are_those_of_blender(bpy, mirrored: bool) -> None:  # type: ignore[no-untyped-def]
    """On a curved sheet with a layout that shears and bends, smooth shaded."""
    vertices, faces, uv = sheet(side=9, bend=0.05)
    warped = uv + 0.1 * np.sin(3.0 * uv[..., ::-1])
    warped[..., 0] *= -1.0 if mirrored else 1.0
    item = bpy.data.meshes.new("sheet")
    item.from_pydata(vertices.tolist(), [], faces.tolist())
    item.shade_smooth()
    layer = item.uv_layers.new(name="own")
    layer.data.foreach_set("uv", warped.reshape(-1).astype(np.float32))
    item.calc_tangents(uvmap="own")
    count = len(item.loops)
    theirs, normals = np.zeros(3 * count), np.zeros(3 * count)
    signs = np.zeros(count)
    item.loops.foreach_get("tangent", theirs)
    item.loops.foreach_get("normal", normals)
    item.loops.foreach_get("bitangent_sign", signs)
    bpy.data.meshes.remove(item)

    corner = normals.reshape(-1, 4, 3)
    smooth = np.zeros_like(vertices)
    smooth[faces] = corner
    frames = frames_of(vertices, smooth, split_quads(faces), warped)
    first = frames.tangents.reshape(-1, 2, 3, 3)[:, 0]  # corners 0, 1, 2 of each quad
    cosine = (first * theirs.reshape(-1, 4, 3)[:, :3]).sum(axis=-1)
    assert np.median(cosine) > 0.9999 and cosine.min() > 0.998
    assert (frames.hand.reshape(-1, 2)[:, 0] == signs.reshape(-1, 4)[:, 0]).all()
