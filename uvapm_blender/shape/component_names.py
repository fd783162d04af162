"""Names of the components of the identity."""

DEFAULT_PACK = "default"
DEFAULT_COUNT = 120
WORDS = (
    "Size",
    "Face Forward",
    "Width",
    "Depth",
    "Sharp Nose",
    "Low Crown",
    "Flat Top, Strong Jaw",
    "Small Nose, Full Lips",
    "Slim Jaw, Flat Nose",
    "Broad Jaw, Flat Nose",
    "Youth",
)
"""What the first components of the default pack do at positive values (ours, by looking at
renders at -3 and +3; a test measures them with the landmarks)."""


def component_names(pack: str, count: int) -> list[str]:
    """`count` names for the sliders of a head pack: numbers, with words where we have them."""
    known = WORDS if (pack, count) == (DEFAULT_PACK, DEFAULT_COUNT) else ()
    plain = (f"Component {index + 1}" for index in range(len(known), count))
    return [*(f"{index + 1} {word}" for index, word in enumerate(known)), *plain]
