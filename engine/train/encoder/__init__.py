"""Training of the coarse encoder: maps to albedo coefficients, with B_alb as the fixed decoder."""
