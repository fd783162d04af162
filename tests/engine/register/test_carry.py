import numpy as np
import pytest

from engine.register.carry import (
    face_matched,
    transfer_shapes,
    transfer_uv,
    uv_faults,
)

from .heads import as_it_is, load_head, skin_quads


@pytest.fixture(scope="module")
def itself(default_pack):
    head, _ = load_head(default_pack)
    return head, *as_it_is(head)


def test_a_head_on_itself_keeps_its_layout(itself):
    """Seams too: at the back of the head and round lids and lips a vertex has several UVs."""
    head, mesh, found = itself
    uv = transfer_uv(found, mesh, head)
    away = np.abs(uv - head.corner_uv[: len(mesh.faces)]).max(axis=(1, 2))
    assert np.percentile(away, 99) < 0.002
    # A face at the end of the cut, on the crown, may lie on one side of it alone.
    assert (away > 0.02).sum() < 12
    assert face_matched(found, mesh).all()
    flipped, stretched = uv_faults(uv, found, mesh)
    assert flipped == 0
    assert stretched < 0.01 * len(mesh.faces)


def test_a_head_on_itself_keeps_its_shapes(itself):
    head, _, found = itself
    names = [head.expression_names.index(name) for name in ("eyeBlinkLeft", "jawOpen")]
    shapes = head.expression[names]
    carried = transfer_shapes(found, shapes, head)
    skin = np.unique(skin_quads(head))
    assert np.abs(carried[:, skin] - shapes[:, skin]).max() < 2e-4
