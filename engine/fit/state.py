"""A finished fit as the start of another one: what a result directory remembers."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from ..protocol.conventions import bytes_to_unit, unit_to_signed
from ..protocol.edits import Edits, check_sizes
from ..protocol.errors import EngineError, ErrorCode
from ..protocol.history import FitStep
from ..protocol.recipe import history_of
from ..protocol.result import read_coefficients, read_manifest
from ..protocol.result_schema import ResultManifest, ViewInfo
from .albedo.stage import AlbedoFit
from .loaded import LoadedPack
from .shape.stage import ShapeFit

PHOTO_LAYER = "maps/photo_layer.png"


@dataclass(frozen=True, eq=False)
class FitState:
    """shapes, albedos: one a photo, in the order of `photos`, the sha256 of their files.

    Of the albedo fits only coefficients and light are known. alpha (C, s, s) or None; layer
    (T, T, 3) signed, sRGB units; seed: of what was drawn in alpha; history: how it came about.
    """

    photos: tuple[str, ...]
    shapes: tuple[ShapeFit, ...]
    albedos: tuple[AlbedoFit, ...]
    alpha: np.ndarray | None
    layer: np.ndarray
    seed: int = 0
    history: tuple[FitStep, ...] = ()

    def check_photos(self, photos: Sequence[str]) -> None:
        """Raises EngineError(BAD_SETTINGS) unless the photos (sha256) are the same."""
        if tuple(photos) != self.photos:
            raise EngineError(
                ErrorCode.BAD_SETTINGS,
                "The result to start from was made from other photos than those given.",
                "Give the same photos in the same order, or reconstruct anew.",
            )


def read_state(folder: Path, loaded: LoadedPack) -> FitState:
    """What the result directory `folder` holds of its fit. loaded: the packs it was made with.

    Raises EngineError: BAD_INPUT for a folder that cannot be read, BAD_SETTINGS for other packs.
    """
    manifest = read_manifest(folder)
    _check_packs(manifest, loaded)
    arrays = read_coefficients(folder, manifest)
    first = ViewInfo(
        manifest.photo, manifest.camera, manifest.light, tuple(map(float, arrays["expression"]))
    )
    views = (first, *manifest.others)
    return FitState(
        tuple(view.photo.sha256 for view in views),
        tuple(_shape(view, arrays["identity"]) for view in views),
        tuple(_albedo(view, arrays["albedo"]) for view in views),
        arrays.get("detail"),
        _read_layer(folder / PHOTO_LAYER),
        manifest.seed,
        history_of(folder, manifest),
    )


def with_edits(state: FitState, edits: Edits) -> FitState:
    """The state with what a person changed on the head: identity and albedo in all photos, the
    expression in the first. Raises EngineError(BAD_INPUT) for sizes of other packs."""
    first = state.shapes[0]
    check_sizes(
        edits,
        {
            "identity": first.identity.shape,
            "expression": first.expression.shape,
            "albedo": state.albedos[0].coefficients.shape,
        },
    )
    shapes, albedos = state.shapes, state.albedos
    if edits.identity is not None:
        shapes = tuple(replace(one, identity=edits.identity) for one in shapes)
    if edits.expression is not None:
        shapes = (replace(shapes[0], expression=edits.expression), *shapes[1:])
    if edits.albedo is not None:
        albedos = tuple(replace(one, coefficients=edits.albedo) for one in albedos)
    return replace(state, shapes=shapes, albedos=albedos)


def _check_packs(manifest: ResultManifest, loaded: LoadedPack) -> None:
    own = (loaded.head.sha, loaded.albedo_pack, loaded.detail_pack)
    if (manifest.pack.sha256, manifest.albedo_pack, manifest.detail_pack) != own:
        raise EngineError(
            ErrorCode.BAD_SETTINGS,
            f"The result to start from was made with another head pack ({manifest.pack.id}) or "
            "another albedo or detail model than this one.",
            "Choose the packs it was made with, or reconstruct anew.",
        )


def _shape(view: ViewInfo, identity: np.ndarray) -> ShapeFit:
    camera = view.camera
    return ShapeFit(
        identity.astype(np.float64),
        np.asarray(view.expression, np.float64),
        np.asarray(camera.R, np.float64),
        np.asarray(camera.t, np.float64),
        np.asarray(camera.K, np.float64),
        np.full(1, np.nan),
        0.0,
    )


def _albedo(view: ViewInfo, coefficients: np.ndarray) -> AlbedoFit:
    light = np.asarray(view.light.sh, np.float64)
    return AlbedoFit(coefficients.astype(np.float64), light, np.zeros((1, 1), np.float32), 0.0)


def _read_layer(path: Path) -> np.ndarray:
    picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if picture is None:
        raise EngineError(
            ErrorCode.BAD_INPUT,
            f"{path.name} of the result to start from cannot be read.",
            "Reconstruct the photo again.",
        )
    return unit_to_signed(bytes_to_unit(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)))
