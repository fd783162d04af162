"""What differs between versions of Blender."""

import bpy

BLEND_RELATIVE = {"PATH_SUPPORTS_BLEND_RELATIVE"} if bpy.app.version >= (4, 5, 0) else set()
"""Option of a path property that may begin with //; before 4.5 every path property may."""
