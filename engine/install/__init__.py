"""Makes the engine's own environment from locked wheels. Standard library only.

Runs in a process of its own: `python -E -s -m engine.install`.
"""
