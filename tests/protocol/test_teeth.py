"""Single teeth on the bands of the default pack."""

import numpy as np

from engine.protocol.headpack import read_pack
from engine.protocol.teeth import HEIGHT, WIDTH, teeth_picture


def test_the_packs_teeth_wear_their_picture(default_pack):
    head = read_pack(default_pack).head
    assert (default_pack / "textures/teeth.png").is_file()
    for name, low in (("teeth_upper", 0.5), ("teeth_lower", 0.0)):
        faces = head.face_part == head.part_names.index(name)
        uv = head.corner_uv[faces]
        assert uv[..., 1].min() >= low and uv[..., 1].max() <= low + 0.5
        corners = head.mean[head.quads[faces]]
        outside = np.abs(corners[..., 0]) > 0.002
        left = (uv[..., 0] > 0.5) == (corners[..., 0] > 0.0)
        assert left[outside].all(), "u runs from the right to the left of the face"


def test_front_teeth_are_bright_with_gums_above_and_darker_ones_behind():
    picture = teeth_picture()
    assert picture.shape == (HEIGHT, WIDTH, 3) and 0.0 <= picture.min() and picture.max() <= 1.0
    np.testing.assert_allclose(picture, picture[:, ::-1], atol=1e-9)
    first, last = int(0.538 * WIDTH), int(0.965 * WIDTH)
    crown, gum = HEIGHT // 2 - 20, 10
    assert picture[crown, first].min() > 0.7 > 1.25 * picture[crown, last].min()
    red, green, _ = picture[gum, first]
    assert red > 1.6 * green
    edge = picture[HEIGHT // 2 - 2]
    assert edge[first].min() > 0.6 > 2.0 * edge[WIDTH // 2].max(), "edges are rounded"
