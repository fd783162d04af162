"""What is written down about a training: a sentence for pack.json, all of it for the report."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from .albedo_pca import TrainedAlbedo
from .settings import TrainSettings

SCHEMA = 1


def recipe_text(trained: TrainedAlbedo, weights: str) -> str:
    """How the model was made, in one sentence."""
    size, components = len(trained.model.valid), trained.model.sigma.shape[1]
    how = (
        "exact PCA"
        if trained.exact
        else f"randomised PCA with {trained.passes} power passes over {trained.width} directions"
    )
    return (
        f"{how} of {trained.count} skin maps at {size} x {size}, 3 x {components} components, "
        f"{weights} texel weights, {100 * min(trained.explained):.2f} % of the variance"
    )


def report_of(
    trained: TrainedAlbedo,
    maps: Path,
    found: int,
    weights: str,
    settings: TrainSettings,
    machine: Mapping[str, object],
) -> dict[str, object]:
    """All facts of a training as plain JSON types.

    maps: the folder given. found: files in it that were looked at.
    """
    size, components = len(trained.model.valid), trained.model.sigma.shape[1]
    return {
        "schema": SCHEMA,
        "maps": str(maps),
        "found": found,
        "count": trained.count,
        "left_out": [
            {"file": item.file.as_posix(), "reason": item.reason} for item in trained.left_out
        ],
        "size": size,
        "components": components,
        "texels": int(trained.model.valid.sum()),
        "weights": weights,
        "exact": trained.exact,
        "explained": list(trained.explained),
        "power_passes": trained.passes,
        "directions": trained.width,
        "settings": asdict(settings),
        "seconds": round(trained.seconds, 1),
        "machine": dict(machine),
    }
