"""The skin's colours: components of the albedo model, and tones that people have words for.

properties.py is saved on the head, model.py loads a pack's albedo model beside Blender's main
thread, values.py turns the sliders into coefficients, describe.py fills a new head. The picture
itself is composed in `detail/`, where all layers of the albedo come together.
"""
