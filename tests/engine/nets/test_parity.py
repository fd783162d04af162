"""The converted networks against what LiteRT and dlib gave for the same inputs."""

import numpy as np
import pytest
import torch


def run(net, image):
    with torch.no_grad():
        outputs = net(torch.from_numpy(image.transpose(2, 0, 1)[None].copy()))
    return [out.permute(0, 2, 3, 1).numpy() if out.ndim == 4 else out.numpy() for out in outputs]


# Largest difference allowed per output. Landmarks: pixels of 192; detector: pixels of 128, logits;
# the mask was recorded in half floats, whose step near 1 is 5e-4.
@pytest.mark.parametrize(
    ("name", "limits"),
    [("detector", (3e-4, 3e-4)), ("landmarks", (1e-3, 1e-3)), ("segmentation", (1e-3,))],
)
@pytest.mark.parametrize("kind", ["noise", "portrait"])
def test_network_gives_what_litert_gives(
    nets, reference, reference_inputs, portrait_bytes, name, limits, kind
):
    image = reference_inputs.images(name, portrait_bytes)[kind]
    for number, (output, limit) in enumerate(
        zip(run(getattr(nets, name), image), limits, strict=True)
    ):
        expected = reference[f"{name}_{kind}_{number}"].astype(np.float32)
        assert np.abs(output - expected).max() < limit


@pytest.mark.parametrize("kind", ["noise", "portrait"])
def test_identity_gives_what_dlib_gives(nets, reference, reference_inputs, portrait_bytes, kind):
    chip = reference_inputs.chips(portrait_bytes)[kind].astype(np.float32) / 255
    (embedding,) = run(nets.identity, chip)
    assert np.abs(embedding - reference[f"identity_{kind}"]).max() < 1e-5


@pytest.mark.parametrize(
    ("name", "count"), [("landmarks", 2), ("detector", 2), ("segmentation", 1)]
)
def test_a_batch_gives_what_single_images_give(nets, name, count):
    net = getattr(nets, name)
    images = torch.rand(3, *net.input_shape, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        together, alone = net(images), net(images[1:2])
    assert len(together) == count
    for batch, single in zip(together, alone, strict=True):
        torch.testing.assert_close(batch[1:2], single, atol=2e-4, rtol=1e-4)


@pytest.mark.parametrize("name", ["landmarks", "identity"])
def test_gradients_reach_the_pixels(nets, name):
    """Compared with central differences along the gradient, where the slope is largest."""
    net = getattr(nets, name)
    size = 192 if name == "landmarks" else 150
    image = torch.rand(1, 3, size, size, generator=torch.Generator().manual_seed(1))
    net = net.double()
    image = image.double().requires_grad_()

    def value(x):
        output = net(x)
        return (output[0] if name == "landmarks" else output).square().mean()

    (gradient,) = torch.autograd.grad(value(image), image)
    direction = gradient / gradient.norm()
    step = 1e-5
    with torch.no_grad():
        slope = (value(image + step * direction) - value(image - step * direction)) / (2 * step)
    net.float()
    assert gradient.norm() > 0
    assert abs(slope - gradient.norm()) < 1e-3 * gradient.norm()
