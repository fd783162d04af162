"""Readers of the kinds of file that head models come in. Nothing in a file is executed."""
