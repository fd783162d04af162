"""The exact projection of an area of a skin map onto an albedo model, and the detail it leaves."""

from dataclasses import dataclass

import numpy as np

from ..protocol.albedo import AlbedoEncoder, decode_albedo, prepare_encoder
from ..protocol.albedo_pack import AlbedoModel
from ..protocol.detail import DETAIL_SIZE, detail_of
from .uv_areas import MeasuredMap, resample_mask, resample_valid


@dataclass(frozen=True, eq=False)
class Projection:
    """One area of a map and its coarse albedo.

    coarse: (S, S, 3) sRGB in [0, 1], the exact projection, at the albedo model's size. texels:
    (S, S) bool, the area. image: (512, 512, 3) sRGB, the map; chosen: (512, 512) bool, the area.
    """

    coarse: np.ndarray
    texels: np.ndarray
    image: np.ndarray
    chosen: np.ndarray

    def coarse_at(self, side: int) -> np.ndarray:
        """(side, side, 3) the coarse albedo as the fit enlarges it, in [0, 1]."""
        return np.clip(resample_valid(self.coarse, self.texels, side), 0.0, 1.0)

    def detail(self) -> np.ndarray:
        """(512, 512) signed: V of the map minus V of the coarse albedo, 0 outside the area."""
        return np.where(self.chosen, detail_of(self.image, self.coarse_at(DETAIL_SIZE)), 0.0)


class Projector:
    """Projects maps onto one albedo model.

    Keeps the last encoder of each area: maps mostly share their texels, and preparing is slow.
    """

    def __init__(self, model: AlbedoModel) -> None:
        self.model = model
        self._last: dict[str, tuple[np.ndarray, AlbedoEncoder]] = {}

    def project(self, area: str, own: MeasuredMap, fine: MeasuredMap) -> Projection:
        """The area of a map. own: the map at the model's size; fine: at 512, or what it has."""
        model, texels = self.model, own.areas[area]
        coefficients = self._encoder(area, texels).encode(own.image)
        coarse = decode_albedo(model.mean, model.basis, model.valid, coefficients)
        chosen = fine.areas[area]
        image = np.clip(resample_valid(fine.image, chosen, DETAIL_SIZE), 0.0, 1.0)
        chosen = resample_mask(chosen, DETAIL_SIZE)
        return Projection(np.clip(coarse, 0.0, 1.0), texels, image, chosen)

    def _encoder(self, area: str, texels: np.ndarray) -> AlbedoEncoder:
        last = self._last.get(area)
        if last is None or not np.array_equal(last[0], texels):
            model = self.model
            weights = texels.astype(np.float32)
            encoder = prepare_encoder(model.mean, model.basis, model.valid, weights)
            last = self._last[area] = (texels, encoder)
        return last[1]
