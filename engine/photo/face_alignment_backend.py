"""68 landmarks by the optional package face-alignment, laid under the dense ones.

The 468 points of the mesh network say where the whole surface is; the 68 of Bulat and Tzimiropoulos
2017 (FAN) are drawn by people at the lids, the lips, the nose and the brows. The mesh is moved so
that it agrees with the 51 inner points (`landmark_link.py`). The 17 points of the jaw follow the
outline that is seen, not a place on the skin, and are left out.

The package fetches its weights from its authors' site. That happens with consent only.
"""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..nets.bundle import Aligner
from ..protocol.conventions import unit_to_bytes
from ..protocol.errors import EngineError, ErrorCode
from .landmark_link import NOISE, LandmarkLink, link_points, move_dense

if TYPE_CHECKING:
    from face_alignment import FaceAlignment

JAW = 17
"""The first points of the 68."""
NETWORK = "2DFAN-4"
REQUIREMENT = "face-alignment==1.5.0"

Locate68 = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""Photo (H, W, 3) sRGB in [0, 1] and box (x0, y0, x1, y1) of the face -> (68, 2) photo pixels."""


def link_landmarks(dense: np.ndarray, points: np.ndarray, trust: np.ndarray) -> LandmarkLink:
    """dense (468, 3), points (68, 3): both on the mean head, metres; trust (68,) in (0, 1]."""
    return link_points(dense, points[JAW:], NOISE / trust[JAW:])


def move_mesh(mesh: np.ndarray, points: np.ndarray, link: LandmarkLink) -> np.ndarray:
    """The mesh (468, 3), moved in the picture to agree with `points` (68, 2); depth stays."""
    return move_dense(mesh, points[JAW:], link)


def make_aligner(link: LandmarkLink, locate: Locate68) -> Aligner:
    """Photo and mesh (468, 3) -> the mesh that agrees with the 68 points."""

    def align(photo: np.ndarray, mesh: np.ndarray) -> np.ndarray:
        box = np.concatenate([mesh[:, :2].min(axis=0), mesh[:, :2].max(axis=0)])
        return move_mesh(mesh, locate(photo, box), link)

    return align


def load_locator(allow_download: bool) -> Locate68:
    """The package's network on the CPU.

    Raises EngineError(ENGINE_MISSING) without the package, and without its weights where a
    download was not allowed or failed.
    """
    try:
        import face_alignment
        from face_alignment import api, utils
    except ImportError as error:
        raise EngineError(
            ErrorCode.ENGINE_MISSING,
            f"The landmarks of face-alignment need that package ({error}).",
            f'Run: "{sys.executable}" -m pip install {REQUIREMENT}',
        ) from error
    weights = Path(utils.get_dir(), "checkpoints", Path(api.models_urls[NETWORK]).name)
    if not weights.is_file() and not allow_download:
        raise EngineError(
            ErrorCode.ENGINE_MISSING,
            f"The landmarks of face-alignment need the file {weights}.",
            "Give --allow-download to fetch it once from its authors' site, or put it there.",
        )
    try:
        # "folder" is the one detector of the package that loads nothing; our own box is used.
        net = face_alignment.FaceAlignment(
            face_alignment.LandmarksType.TWO_D,
            device="cpu",
            flip_input=False,
            face_detector="folder",
            compile=False,
        )
    except (OSError, RuntimeError) as error:
        raise EngineError(
            ErrorCode.ENGINE_MISSING,
            f"The network of face-alignment cannot be loaded: {error}.",
            f"Check the connection, or delete {weights} and try again.",
        ) from error
    return _locator(net)


def _locator(net: "FaceAlignment") -> Locate68:
    def locate(photo: np.ndarray, box: np.ndarray) -> np.ndarray:
        (points,) = net.get_landmarks_from_image(unit_to_bytes(photo), detected_faces=[box])
        return np.asarray(points, dtype=np.float64)

    return locate
