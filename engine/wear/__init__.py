"""A result on somebody's own head mesh: maps baked to its UVs, shapes carried over."""
