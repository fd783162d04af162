"""UVAPM reconstruction engine. Importing this package imports neither torch nor bpy."""
