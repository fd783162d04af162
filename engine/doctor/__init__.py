"""Is everything that the engine needs here and in order? Standard library only until a check needs more."""
