"""How far the eyeLook expressions of the default pack turn the eyes."""

LOOKS = {
    "eyeLookOutLeft": (0.262, 0.0),
    "eyeLookInLeft": (-0.269, 0.0),
    "eyeLookInRight": (0.269, 0.0),
    "eyeLookOutRight": (-0.262, 0.0),
    "eyeLookUpLeft": (0.0, 0.173),
    "eyeLookUpRight": (0.0, 0.173),
    "eyeLookDownLeft": (0.0, -0.199),
    "eyeLookDownRight": (0.0, -0.199),
}
"""Radians to the subject's left and upwards that an eyeball turns at weight 1: measured on the
default pack as the rotation that best carries its vertices (Kabsch 1976)."""
