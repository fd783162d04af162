"""Packs: which are here, which one a new head is made with, what licences they carry."""
