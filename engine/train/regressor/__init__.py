"""Training of the shape regressor: random photos of random heads, what a net reads off them."""
