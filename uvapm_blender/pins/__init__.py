"""Landmark pins: points of the face that a person puts in their places in the photo.

properties.py is saved on the head, values.py reads and writes it, points.py says where the head
has its points, photo_plane.py is the way between photo and view, draw.py draws while
`operators/pins.py` edits.
"""
