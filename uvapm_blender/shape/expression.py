"""Names of expressions: words for people, groups for panels, pairs of left and right.

The 52 names are those of Apple's ARKit (ARFaceAnchor.BlendShapeLocation). A pack with other names
gets them all in one group.
"""

import re

GROUPS = (
    ("brows", "Brows", ("brow",)),
    ("eyes", "Eyes", ("eye",)),
    ("jaw", "Jaw", ("jaw",)),
    ("mouth", "Mouth", ("mouth",)),
    ("cheeks", "Cheeks, Nose", ("cheek", "nose")),
    ("tongue", "Tongue", ("tongue",)),
    ("other", "Other", ("",)),
)
"""Id, label, beginnings of the names; the first that fits takes a name."""

SIDES = ("Left", "Right")
ONE_SIDED = ("jaw", "mouth")
"""With these, Left and Right are directions of one movement, not two halves of the face."""
PARALLEL = {"eyeLookIn": "eyeLookOut", "eyeLookOut": "eyeLookIn"}
"""Both eyes look the same way: In of one goes with Out of the other."""


def group_of(name: str) -> str:
    """Id of the group of an expression."""
    return next(key for key, _, starts in GROUPS if name.startswith(starts))


def words(name: str) -> str:
    """mouthSmileLeft -> Mouth Smile Left."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name.replace("_", " "))
    return spaced[:1].upper() + spaced[1:]


def short_words(name: str) -> str:
    """Words without those that the group's label and the side say: mouthSmileLeft -> Smile."""
    base, _ = split_side(name)
    spaced = words(base)
    first, _, rest = spaced.partition(" ")
    plain = group_of(name) not in ("other", "cheeks") and bool(rest)
    return rest if plain and first.lower() == name[: len(first)].lower() else spaced


def split_side(name: str) -> tuple[str, str]:
    """Name without its side, and the side: "Left", "Right" or "" for both halves."""
    for side in SIDES:
        base = name.removesuffix(side)
        if base != name and base not in ONE_SIDED:
            return base, side
    return name, ""


def partner_of(name: str) -> str:
    """The expression of the other half that goes with this one; "" for none."""
    base, side = split_side(name)
    if not side:
        return ""
    return PARALLEL.get(base, base) + SIDES[side == SIDES[0]]


def found(name: str, search: str) -> bool:
    """True when every word that was searched for is in the expression's name."""
    text = f"{name} {words(name)}".lower()
    return all(word in text for word in search.lower().split())
