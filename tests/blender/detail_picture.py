"""Looking at the picture that the detail sliders make."""

import numpy as np

LEVEL = 1.5 / 255
"""A byte is rounded twice on its way to the image and back."""


def seen(addon, built_or_root):
    root = getattr(built_or_root, "root", built_or_root)
    return addon.images.read_pixels(root.uvapm.detail.albedo)[..., :3].copy()


def root_of(bpy, name="portrait"):
    return bpy.data.objects[name]


def assert_seen(addon, root, picture):
    np.testing.assert_allclose(seen(addon, root), picture, atol=LEVEL)
