"""The identity and the expressions of a head: what is saved, and how its meshes follow.

properties.py is saved on the head's root, describe.py fills it, values.py reads it as numpy,
basis.py has the head model's displacements, apply.py moves the meshes, expression.py and
mirror.py know the names of the expressions, handlers.py follows what others change.
"""
