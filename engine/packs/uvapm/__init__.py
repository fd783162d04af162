"""UVAPM's released albedo models, read without trusting their files."""
