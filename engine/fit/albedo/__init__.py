"""Stage 2: the coarse albedo, the light, and what covers the skin."""
