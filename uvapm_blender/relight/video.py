"""Frames to a video, through Blender's sequencer in a scene of our own."""

import math
from collections.abc import Sequence
from pathlib import Path

import bpy

from .shots import BACKGROUND
from .studio import MARK


def open_cutting_room(
    frames: Sequence[Path], size: int, rate: float, target: Path
) -> bpy.types.Scene:
    """A scene whose animation, when rendered, is the video of `frames` in `target` (.mp4).

    size: pixels a side, even; rate: frames a second. `close_studio` removes the scene.
    """
    scene = bpy.data.scenes.new("UVAPM Video")
    scene[MARK] = True
    editor = scene.sequence_editor_create()
    strips = editor.strips if hasattr(editor, "strips") else editor.sequences  # 4.4 renamed them
    _add_background(strips, len(frames))
    strip = strips.new_image("frames", str(frames[0]), channel=2, frame_start=1)
    for frame in frames[1:]:
        strip.elements.append(frame.name)
    strip.blend_type = "ALPHA_OVER"
    scene.view_settings.view_transform = "Standard"  # the frames have been graded
    scene.frame_start, scene.frame_end = 1, len(frames)
    render = scene.render
    render.resolution_x = render.resolution_y = size
    render.fps = max(1, math.ceil(rate))
    render.fps_base = render.fps / rate
    render.use_compositing = False
    settings = render.image_settings
    if hasattr(settings, "media_type"):  # Blender 5
        settings.media_type = "VIDEO"
    settings.file_format = "FFMPEG"
    render.ffmpeg.format, render.ffmpeg.codec = "MPEG4", "H264"
    render.ffmpeg.constant_rate_factor = "HIGH"
    render.filepath = str(target)
    return scene


def _add_background(strips: bpy.types.bpy_prop_collection, count: int) -> None:
    common = {"name": "background", "type": "COLOR", "channel": 1, "frame_start": 1}
    try:
        strip = strips.new_effect(**common, length=count)  # Blender 5
    except TypeError:
        strip = strips.new_effect(**common, frame_end=1 + count)
    strip.color = (BACKGROUND,) * 3
