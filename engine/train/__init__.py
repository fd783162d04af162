"""Training of the albedo model on generated skins."""
