"""A half tube for a face, whose texels have a known size, and detail maps drawn on it."""

import cv2
import numpy as np
import pytest

SIZE = 512
WIDTH, HEIGHT = 0.30, 0.24
"""Metres that the layout covers along u and along v."""


def tube(shear: float = 0.0) -> np.ndarray:
    """(512, 512, 3) surface points, u round a tube, v up; shear: along u for each step of v."""
    centre = (np.arange(SIZE) + 0.5) / SIZE
    u, v = np.meshgrid(centre, 1.0 - centre)
    around = u * WIDTH + shear * v * HEIGHT
    radius = WIDTH / np.pi
    angle = around / radius
    return np.stack([-np.cos(angle) * radius, v * HEIGHT, np.sin(angle) * radius], -1)


def drawn(*strokes: tuple[str, tuple[int, int], tuple[int, int], int]) -> np.ndarray:
    """(512, 512) detail of -0.1 where lines or discs are drawn: kind, from, to or radius, width."""
    canvas = np.zeros((SIZE, SIZE), np.uint8)
    for kind, start, end, width in strokes:
        if kind == "line":
            cv2.line(canvas, start, end, 255, width, cv2.LINE_AA)
        else:
            cv2.circle(canvas, start, width, 255, -1, cv2.LINE_AA)
    return np.float32(-0.1 / 255) * canvas.astype(np.float32)


@pytest.fixture
def value() -> np.ndarray:
    return np.full((SIZE, SIZE), 0.7, np.float32)


@pytest.fixture
def valid() -> np.ndarray:
    return np.ones((SIZE, SIZE), bool)
