"""The detail sliders of a head: what is saved, what is loaded, how the picture follows.

properties.py is saved on the head, sources.py reads a result's maps, cache.py keeps them for the
session, live.py recomposes the albedo's image, handlers.py does so after undo and loading.
"""
