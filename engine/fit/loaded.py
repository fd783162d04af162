"""A pack made ready for fitting: read once, kept between jobs."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
import torch
from PIL import Image

from ..nets.bundle import ARRAYS_FILE, Nets, load_nets
from ..nets.detail import DetailNet
from ..packs.registry import find_pack
from ..protocol.albedo_pack import AlbedoModel, AlbedoPack, read_albedo_pack
from ..protocol.conventions import bytes_to_unit
from ..protocol.detail_pack import DetailPack, read_detail_pack
from ..protocol.headpack import HeadPack, Pack, read_pack
from ..protocol.pack_manifest import read_manifest
from ..protocol.result_schema import PackInfo
from ..render.atlas import Atlas, build_atlas, padding_sources
from ..render.rasterize import Rasterizer, rasterize
from .albedo.model_size import reduce_model
from .shape.landmark_basis import LandmarkBasis, landmark_basis

SKIN_PART = "skin"
EYE_PARTS = ("eye_left", "eye_right")
CUTOUT_PARTS = ("lashes_left", "lashes_right")
"""Cards with an alpha texture: they must not hide the skin behind them."""
SEAM_MARGIN = 64
"""Texels that colours bleed over the seams of a 1024 map. Ours: six mip levels; with eight texels
dots of what lies outside showed along the scalp in Blender."""


@dataclass(frozen=True, eq=False)
class LoadedPack:
    """A pack with everything derived from it. eq by identity, so that it can key caches.

    albedo: the model that the maps are made of; solver: the same for solving, see
    `model_size.reduce_model`; detail: the detail network, None where no pack has one; albedo_pack,
    detail_pack: where these models come from, None for the head pack itself;
    triangles (2F, 3) int64; skin (F,) bool: quads that carry the UV layout; solid (n,) int64: the
    triangles that hide what is behind them; textures: the pack's
    pictures of other parts by name, (H, W, 3 or 4) sRGB in [0, 1]; rasterizer: of the fit.
    """

    pack: Pack
    albedo: AlbedoModel
    solver: AlbedoModel
    albedo_pack: PackInfo | None
    detail: DetailNet | None
    detail_pack: PackInfo | None
    nets: Nets
    landmarks: LandmarkBasis
    triangles: torch.Tensor
    skin: torch.Tensor
    solid: torch.Tensor
    textures: Mapping[str, np.ndarray]
    rasterizer: Rasterizer = rasterize

    @property
    def head(self) -> HeadPack:
        """The head model."""
        return self.pack.head


def load_pack(folder: Path, albedo: Path | None = None, detail: Path | None = None) -> LoadedPack:
    """Read a pack folder with its networks.

    albedo, detail: folders of packs whose albedo or detail model is used instead of the head
    pack's own. A head pack without an albedo model, as imported ones are, borrows both from the
    default pack, which the result then names, and one without networks borrows those. A fit without
    any detail model leaves the detail out. Raises EngineError: PACK_INVALID, and PACK_MISSING
    where the default pack is needed and not there.
    """
    pack = read_pack(folder)
    head = pack.head
    if pack.albedo is None:
        base = find_pack()
        albedo = albedo or base
        if detail is None and read_manifest(base)[0].detail is not None:
            detail = base
    albedo_pack = None if albedo is None else read_albedo_pack(albedo)
    detail_pack = None if detail is None else read_detail_pack(detail)
    model = pack.albedo if albedo_pack is None else albedo_pack.model
    detail_model = pack.detail if detail_pack is None else detail_pack.model
    skin = head.face_part == head.part_names.index(SKIN_PART)
    cutout = np.isin(head.face_part, [head.part_names.index(name) for name in CUTOUT_PARTS])
    return LoadedPack(
        pack,
        model,
        reduce_model(model),
        None if albedo_pack is None else _info(albedo_pack),
        None if detail_model is None else DetailNet(detail_model),
        None if detail_pack is None else _info(detail_pack),
        load_nets(folder if ARRAYS_FILE in pack.manifest.files else find_pack()),
        landmark_basis(head, head.landmarks468),
        torch.from_numpy(head.triangles.astype(np.int64)),
        torch.from_numpy(skin),
        torch.from_numpy(np.flatnonzero(~np.repeat(cutout, 2))),
        _read_textures(folder, pack.manifest.files),
    )


def _info(pack: AlbedoPack | DetailPack) -> PackInfo:
    return PackInfo(pack.manifest.id, pack.manifest.version, pack.sha)


def _read_textures(folder: Path, files: Iterable[str]) -> dict[str, np.ndarray]:
    """textures/*.png among the files of a pack that was checked already."""
    textures = {}
    for name in sorted(files):
        if name.startswith("textures/") and name.endswith(".png"):
            with Image.open(folder / name, formats=["PNG"]) as image:
                textures[Path(name).stem] = bytes_to_unit(np.asarray(image))
    return textures


@lru_cache(maxsize=4)
def skin_atlas(loaded: LoadedPack, size: int) -> Atlas:
    """The UV atlas of the pack's skin at `size` texels a side. Built once a size."""
    return build_atlas(torch.from_numpy(loaded.head.corner_uv), size, loaded.skin)


@lru_cache(maxsize=4)
def stored_expression(loaded: LoadedPack) -> np.ndarray:
    """(E, V, 3) float16: the head's expressions as results hold them. The same array each time."""
    return loaded.head.expression.astype(np.float16)


@lru_cache(maxsize=4)
def seam_sources(loaded: LoadedPack, size: int) -> torch.Tensor:
    """(size, size) flat index of the texel to copy, see `atlas.padding_sources`. Once a size."""
    margin = max(1, SEAM_MARGIN * size // 1024)
    return padding_sources(skin_atlas(loaded, size).valid, margin)


def uv_mask(head: HeadPack, names: tuple[str, ...], size: int) -> np.ndarray:
    """(size, size) float32 union of named UV masks, in [0, 1]."""
    union = np.maximum.reduce([head.uv_masks[name] for name in names])
    method = cv2.INTER_AREA if size < union.shape[0] else cv2.INTER_LINEAR
    return cv2.resize(union, (size, size), interpolation=method)


def evidence_mask(head: HeadPack, size: int) -> np.ndarray:
    """(size, size): skin from which light and coarse albedo are solved."""
    hidden = uv_mask(head, ("scalp", "sockets", "mouth"), size)
    return uv_mask(head, ("face", "ears"), size) * (1.0 - hidden)


def feature_mask(head: HeadPack, size: int) -> np.ndarray:
    """(size, size): brows, lids and lips, by which faces are told apart."""
    return uv_mask(head, ("brows", "lids", "lips"), size)


def writable_mask(head: HeadPack, size: int) -> np.ndarray:
    """(size, size): where the photo layer may write: all skin but sockets and mouth."""
    hidden = uv_mask(head, ("sockets", "mouth"), size)
    return uv_mask(head, ("skin",), size) * (1.0 - hidden)


GLASSES_REACH = 0.09
"""How far from the eyelids glasses sit, over the map's side. Ours, on photos."""


@lru_cache(maxsize=4)
def closable_mask(loaded: LoadedPack, size: int) -> np.ndarray:
    """(size, size): where thin dark things are skin: not where glasses sit, but on the brows.

    Read-only, the same array each time: the wide disc is slow.
    """
    reach = 2 * round(GLASSES_REACH * size) + 1
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach, reach))
    lids = (uv_mask(loaded.head, ("lids",), size) > 0.5).astype(np.float32)
    mask = np.maximum(1.0 - cv2.dilate(lids, disc), uv_mask(loaded.head, ("brows",), size))
    mask.setflags(write=False)
    return mask
