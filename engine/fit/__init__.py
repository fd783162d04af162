"""The stages of the fit: each a function from values to a value."""
