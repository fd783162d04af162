"""*Wear it*: a reconstructed head's textures and expressions on the artist's own mesh.

target.py reads the mesh, keys.py and surface.py put on what the engine made for it.
"""
