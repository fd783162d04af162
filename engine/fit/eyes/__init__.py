"""Gaze, and the colours of the eyes."""
