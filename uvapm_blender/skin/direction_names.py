"""Words for the directions of whole colours, found by looking at pictures of 3 deviations."""

from collections.abc import Mapping

NAMES: Mapping[str, tuple[str, ...]] = {
    "4bb8ace303da8e3b3c313e7892d5bfcef4900c39da4d31b0f6ecd896982179ff": (
        "Fair Skin",
        "Fair Hair",
        "Warm Skin",
        "Faint Brows",
        "Shaven",
        "Pink, not Olive",
        "Olive, Fair Brows",
        "Brown Hair",
        "High Hairline",
        "Dark Eyes, Lips",
        "Red Lips",
    ),
}
"""By the sha256 of an albedo model's file: what is more there at positive values."""


def direction_names(model: str, count: int) -> tuple[str, ...]:
    """A name for each of `count` directions; model: sha256 of the albedo model's file."""
    known = NAMES.get(model, ())
    words = (*known, *("Direction" for _ in range(count - len(known))))
    return tuple(f"{number + 1} {word}" for number, word in enumerate(words[:count]))
