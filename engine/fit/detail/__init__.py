"""Stage 3: the detail map, and the photo layer over it."""
