"""The recipe of the UVAPM paper, to compare with: three stages of Adam through the renderer."""
