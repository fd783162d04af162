"""CIELAB both ways."""

import numpy as np

from engine.protocol.colour import lab_to_srgb, srgb_to_lab


def test_known_colours():
    lab = srgb_to_lab(np.array([[1.0, 1.0, 1.0], [1.0, 0.0, 0.0], [0.0, 0.0, 0.0]]))
    # red under D65: L* 53.24, a* 80.09, b* 67.20 (published to two digits)
    np.testing.assert_allclose(lab, [[100, 0, 0], [53.24, 80.09, 67.20], [0, 0, 0]], atol=0.05)


def test_there_and_back_and_out_of_gamut_is_clipped():
    colours = np.random.default_rng(0).random((500, 3))
    np.testing.assert_allclose(lab_to_srgb(srgb_to_lab(colours)), colours, atol=1e-6)
    wild = lab_to_srgb(np.array([[120.0, 0.0, 0.0], [50.0, 200.0, 0.0], [-5.0, 0.0, 0.0]]))
    assert wild.min() >= 0.0 and wild.max() <= 1.0
