"""Rasteriser, interpolation, textures, the UV atlas and pictures, in pure torch."""
