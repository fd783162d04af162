"""A result directory becomes Blender data. `build.py` is the door; the rest is one noun a file."""
