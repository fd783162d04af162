"""The fast picture of a detail map against `FaceView.picture`: values and gradients."""

import numpy as np
import pytest
import torch
from tiny_detail import LIGHT, SIZE, coarse_map, flat_face, photo_of

from engine.fit.detail.picture import DetailPicture
from engine.protocol.detail import add_detail


@pytest.mark.parametrize("samples", [1, 3])
def test_values_and_gradients_are_those_of_the_slow_twin(samples: int) -> None:
    """With details that reach black and white, and a coarse albedo that is black in places."""
    coarse = coarse_map().astype(np.float32)
    coarse[: SIZE // 4, : SIZE // 4] = 0.0
    view = flat_face(24, LIGHT).look(
        photo_of(np.zeros((SIZE, SIZE))), np.ones((1, 1), np.float32), 1.0, samples
    )
    on_skin = view.sample(torch.from_numpy(coarse))
    rng = np.random.default_rng(5)
    detail = torch.from_numpy(rng.normal(0.0, 0.2, len(view.uv)).astype(np.float32))
    detail[::7] = -1.5
    detail[3::7] = 1.5
    pull = torch.from_numpy(rng.standard_normal((24, 24, 3)).astype(np.float32))

    fast, slow = (detail.clone().requires_grad_(True) for _ in range(2))
    maker = DetailPicture(view, on_skin)
    found = maker(fast)
    wanted = view.picture(add_detail(on_skin, slow, xp=torch))
    (found * pull).sum().backward()
    (wanted * pull).sum().backward()

    torch.testing.assert_close(found, wanted, rtol=0.0, atol=1e-5)
    torch.testing.assert_close(fast.grad, slow.grad, rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(maker.still(detail.numpy()), wanted.detach(), rtol=0.0, atol=1e-5)
