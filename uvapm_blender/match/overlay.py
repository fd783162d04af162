"""Pictures in front of and behind the photo's camera."""

import bpy

from ...engine.protocol.errors import EngineError
from ..declarations import PROPERTY
from ..scene.images import COLOUR, load_packed
from ..scene.result_file import result_file

RESIDUAL = "residual.png"
MARK = "uvapm_overlay"
"""Custom property of the image of the differences: backgrounds have no name of their own."""


def refresh(root: bpy.types.Object) -> None:
    """Show photo and differences of a head as its properties say."""
    head = getattr(root, PROPERTY)
    if head.camera is None:
        return
    match, camera = head.match, head.camera.data
    photo = photo_of(root)
    for background in camera.background_images:
        if photo is not None and background.image == photo:
            background.show_background_image = match.photo != "HIDDEN"
            background.display_depth = "FRONT" if match.photo == "FRONT" else "BACK"
            background.alpha = match.opacity
    camera.show_background_images = True
    _show_residual(root, camera)


def renew(root: bpy.types.Object) -> None:
    """The head has another result: its differences are another picture."""
    camera = getattr(root, PROPERTY).camera
    if camera is None:
        return
    backgrounds = camera.data.background_images
    for background in [each for each in backgrounds if each.image and MARK in each.image]:
        image = background.image
        backgrounds.remove(background)
        if not image.users:
            bpy.data.images.remove(image)
    refresh(root)


def photo_of(root: bpy.types.Object) -> bpy.types.Image | None:
    """The photo of a head's camera, None where it has none."""
    camera = getattr(root, PROPERTY).camera
    pictures = [each.image for each in camera.data.background_images] if camera else []
    return next((image for image in pictures if image is not None and MARK not in image), None)


def _show_residual(root: bpy.types.Object, camera: bpy.types.Camera) -> None:
    match = getattr(root, PROPERTY).match
    match.problem = ""
    shown = [each for each in camera.background_images if each.image and MARK in each.image]
    if shown or not match.residual:
        for background in shown:
            background.show_background_image = match.residual
        return
    try:
        image = load_packed(result_file(root, RESIDUAL), f"{root.name} differences", COLOUR)
    except EngineError as error:
        match.problem = error.message
        return
    image[MARK] = RESIDUAL
    background = camera.background_images.new()
    background.image = image
    background.frame_method = "STRETCH"
    background.display_depth = "FRONT"
    background.alpha = 1.0
