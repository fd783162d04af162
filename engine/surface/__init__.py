"""Fine maps of the skin's surface: detail -> height -> normal and roughness maps. numpy and cv2.

metric.py the size of texels, height.py the relief that the detail shows, pores.py and creases.py
the relief finer than it, normals.py and roughness.py the maps, maps.py all of it in order.
"""
