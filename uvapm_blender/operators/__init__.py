"""Operators read properties, call one function, and report."""
