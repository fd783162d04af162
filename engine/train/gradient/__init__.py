"""Training of networks by gradients: one loop for every network that this project trains."""
