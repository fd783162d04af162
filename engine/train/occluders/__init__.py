"""Training of the network that tells skin from what covers it, on made up occluders."""
