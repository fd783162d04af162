"""Makes the small tables of `engine/packs/data` from outside data. Never needed at run time.

Needs scipy (development only). See `python -m engine.packs.calibrate --help`.
"""
