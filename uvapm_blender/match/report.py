"""The figures of a fit in plain words."""

from collections.abc import Mapping

PERCENT = 100.0


def parse_metrics(text: str) -> dict[str, float]:
    """Figures by name, from the lines "name: value" that a head keeps; odd lines are left out."""
    figures = {}
    for line in text.splitlines():
        name, _, value = line.partition(": ")
        try:
            figures[name] = float(value)
        except ValueError:
            continue
    return figures


def sentences(figures: Mapping[str, float]) -> list[str]:
    """One line a figure that says something to an artist, the most telling first."""
    lines = [
        words.format(figures[name] * scale)
        for name, words, scale in (
            (
                "landmark_error",
                "Points of the face lie {:.1f} % of the eyes' distance off",
                PERCENT,
            ),
            ("render_psnr", "Likeness of the skin: {:.1f} dB (20 is close, 25 very close)", 1.0),
            ("seen_share", "Seen in the photo: {:.0f} % of the texture", PERCENT),
            ("baked_light", "Light left in the texture: {:.0f} %", PERCENT),
            ("residual_photo", "Colour differs by {:.1f} % on average", PERCENT),
        )
        if name in figures
    ]
    shares = [figures.get(f"share_{layer}") for layer in ("coarse", "detail", "photo")]
    if all(share is not None for share in shares):
        coarse, detail, photo = (max(0.0, share) * PERCENT for share in shares)
        lines.append(f"Explained: model {coarse:.0f} %, detail {detail:.0f} %, photo {photo:.0f} %")
    return lines
