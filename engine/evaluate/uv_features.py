"""Distances between sets of maps in what a network sees: identity embedding, Inception (FID)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from ..nets.bundle import ARRAYS_FILE, load_nets
from ..nets.crop import resample, to_batch
from ..nets.dlib_file import EMBEDDING_SIZE, INPUT_SIZE
from ..nets.identity import similarity_matrix
from ..nets.inception import FEATURES, load_inception
from ..packs.registry import DEFAULT_PACK, find_pack
from ..protocol.conventions import bytes_to_unit, unit_to_bytes
from ..protocol.errors import EngineError
from ..skin.curves import REFERENCE_SIZE
from ..skin.layout import landmarks_68
from .frechet import frechet_distance

FIVE_POINTS = (45, 42, 36, 39, 33)
"""Of the iBUG 68: outer and inner corner of the left eye and of the right, base of the nose."""


@dataclass(frozen=True, eq=False)
class FeatureNet:
    """A network that turns a map into numbers.

    extract: (S, S, 3) sRGB in [0, 1] to (D,). needed: fewest maps for a distance; advised: with
    fewer, figures compare only with figures from as many maps.
    """

    name: str
    extract: Callable[[np.ndarray], np.ndarray]
    needed: int
    advised: int


FeaturePair = tuple[np.ndarray, np.ndarray]
"""(D,) features of an original and of its reconstruction."""


@dataclass(frozen=True)
class FeatureDistance:
    """distance: None where there were too few maps. note: what to know about it, or ""."""

    distance: float | None
    maps: int
    note: str


def identity_net() -> FeatureNet | None:
    """The default pack's identity network on the face of a map; None without that pack.

    The map stands in for a photo: the face chip is cut by the places of five landmarks in the
    layout. The network never saw such pictures, so the distance goes by a name of its own.
    """
    try:
        folder = find_pack(DEFAULT_PACK)
        if not (folder / ARRAYS_FILE).is_file():
            return None
        net = load_nets(folder).identity
    except EngineError:
        return None
    points = landmarks_68()[list(FIVE_POINTS)] / REFERENCE_SIZE

    def extract(image: np.ndarray) -> np.ndarray:
        chip = resample(image, similarity_matrix(points * len(image)), INPUT_SIZE)
        with torch.no_grad():
            return net(to_batch([chip]))[0].numpy()

    # Below D + 1 maps the covariances are singular.
    return FeatureNet("FD identity", extract, EMBEDDING_SIZE + 1, EMBEDDING_SIZE + 1)


def inception_net(weights: Path) -> FeatureNet:
    """The network of the FID with the user's weights, on whole maps in 8 bits.

    Raises EngineError(BAD_INPUT), see `load_inception`.
    """
    net = load_inception(weights)

    def extract(image: np.ndarray) -> np.ndarray:
        picture = bytes_to_unit(unit_to_bytes(image))
        with torch.no_grad():
            return net(to_batch([picture]))[0].numpy()

    # The paper gives an FID of 500 maps, so singular covariances are no reason to refuse.
    return FeatureNet("FID", extract, 2, FEATURES + 1)


def feature_distance(net: FeatureNet, pairs: Sequence[FeaturePair]) -> FeatureDistance:
    """Frechet distance of originals and reconstructions, or why there is none."""
    count = len(pairs)
    if count < net.needed:
        return FeatureDistance(None, count, f"needs at least {net.needed} maps, there are {count}")
    few = f"compare only with figures from {count} maps" if count < net.advised else ""
    original, decoded = (np.stack(features) for features in zip(*pairs, strict=True))
    return FeatureDistance(frechet_distance(original, decoded), count, few)
