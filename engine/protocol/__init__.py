"""The boundary between Blender and the engine: standard library and numpy only.

Both sides import this package. Nothing else of the engine may be imported by the add-on.
"""
