"""The engine's own environment: what is there, what would be installed, the installer and the
doctor as processes. No bpy but in `runtime.py`.
"""
