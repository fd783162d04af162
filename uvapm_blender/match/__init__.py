"""Photo against head: what lies over the photo's camera, what the skin shows, the fit's report.

properties.py is saved on the head; overlay.py fills the camera's backgrounds, views.py the skin's
material, wipe.py draws in the viewport, report.py finds words.
"""
