"""A head for other programs."""
