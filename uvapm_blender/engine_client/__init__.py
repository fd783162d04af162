"""The add-on's side of the engine process. No bpy here: it runs and is tested without Blender.

launch.py chooses the interpreter, process.py owns one process, pipes.py its lines, session.py
runs jobs in it, status.py says how they go, decoding.py asks for detail maps beside them.
"""
