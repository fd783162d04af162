"""How the product is set up, tried and zipped: the parts of build_addon.py. Stdlib only."""
