"""Training of the detail model: samples, their variation, losses, statistics of the latent."""
