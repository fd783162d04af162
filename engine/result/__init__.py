"""The result directory: what is in it, and how it is written in one piece.

contents.py the values, obj.py and glb.py the mesh files, write.py the folder.
"""
