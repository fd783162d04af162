"""Panels draw what is known; they read no file and compute nothing."""
