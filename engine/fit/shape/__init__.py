"""Stage 1: identity, expression, pose and camera."""
