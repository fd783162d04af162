"""The four networks of a pack as one file pair: nets.safetensors and nets.json."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ..protocol.errors import EngineError, ErrorCode
from ..protocol.safetensors import read_safetensors
from ..protocol.strict import parse_json
from .arcface import ArcFace
from .dlib_file import read_dlib_face_net
from .face_detector import DetectedFace, DetectorSettings, detect_faces
from .face_mesh import FaceMesh, face_mesh
from .face_parsing import FaceParsing, bare_mask
from .identity import IdentityNet, embed
from .person_mask import person_mask
from .tflite_convert import convert_tflite
from .tflite_graph import GraphNet, load_graph

SCHEMA = 1
ARRAYS_FILE = "nets.safetensors"
GRAPHS_FILE = "nets.json"
IDENTITY = "identity"
MIN_PRESENCE = 0.3
"""Finds of the detector in which the landmark network sees less of a face are dropped. Ours: on 43
photos real faces were above 0.97 and false alarms below 0.06."""
# Network -> (file it is made from, its input (C, H, W)). The dlib file holds the identity net.
GRAPH_SOURCES = {
    "detector": ("face_detection_short_range.tflite", (3, 128, 128)),
    "landmarks": ("face_landmark.tflite", (3, 192, 192)),
    "segmentation": ("selfie_segmentation.tflite", (3, 256, 256)),
}
IDENTITY_SOURCE = "dlib_face_recognition_resnet_model_v1.dat"


Aligner = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""Photo and landmarks (468, 3) -> better landmarks (468, 3)."""


@dataclass(frozen=True, eq=False)
class Nets:
    """The networks, ready to run on the CPU. The methods take photos, the fields are modules.

    Photos are (H, W, 3) float32 RGB, sRGB-encoded, [0, 1]; points are continuous photo pixels.
    aligner: what moves the landmarks that the mesh network found, if anything. arcface: another
    identity network for losses and figures; parsing: what tells skin from what covers it. Both
    where the user has their weights.
    """

    detector: GraphNet
    landmarks: GraphNet
    segmentation: GraphNet
    identity: IdentityNet
    aligner: Aligner | None = None
    arcface: ArcFace | None = None
    parsing: FaceParsing | None = None

    def detect_faces(
        self, photo: np.ndarray, settings: DetectorSettings | None = None
    ) -> list[DetectedFace]:
        """Faces, largest first; finds in which the landmark network sees no face are left out."""
        return [
            face
            for face in detect_faces(self.detector, photo, settings)
            if self.face_mesh(photo, face).presence >= MIN_PRESENCE
        ]

    def face_mesh(self, photo: np.ndarray, face: DetectedFace) -> FaceMesh:
        """468 landmarks of one face; see `face_mesh.face_mesh`."""
        return face_mesh(self.landmarks, photo, face)

    def aligned(self, photo: np.ndarray, mesh: FaceMesh) -> FaceMesh:
        """The mesh with its points moved by the aligner, where there is one."""
        if self.aligner is None:
            return mesh
        return replace(mesh, points=self.aligner(photo, mesh.points))

    def person_mask(self, photo: np.ndarray, points: np.ndarray | None = None) -> np.ndarray:
        """(H, W) float32 mask of the person, see `person_mask.person_mask`; with a parsing network
        without what covers it: hair, glasses, hats, clothes."""
        mask = person_mask(self.segmentation, photo, points)
        return mask if self.parsing is None else mask * bare_mask(self.parsing, photo)

    def embed(self, photo: np.ndarray, points: np.ndarray) -> np.ndarray:
        """(128,) identity embedding of the face with these landmarks; see `identity.embed`."""
        return embed(self.identity, photo, points)


def build_nets(members: Mapping[str, bytes]) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Convert the networks from the files of their packages.

    Args: members: file name (of GRAPH_SOURCES and IDENTITY_SOURCE) -> content.
    Returns: (arrays for nets.safetensors, JSON-ready content of nets.json).
    Raises: EngineError PACK_INVALID if a file is missing or is not what was expected.
    """
    arrays: dict[str, np.ndarray] = {}
    graphs: dict[str, Any] = {}
    for name, (file, _) in GRAPH_SOURCES.items():
        tensors, graphs[name] = convert_tflite(_member(members, file))
        arrays.update({f"{name}.{key}": array for key, array in tensors.items()})
    identity = read_dlib_face_net(_member(members, IDENTITY_SOURCE))
    arrays.update({f"{IDENTITY}.{key}": array for key, array in identity.items()})
    return arrays, {"schema": SCHEMA, "graphs": graphs}


def _member(members: Mapping[str, bytes], name: str) -> bytes:
    if name not in members:
        raise EngineError(
            ErrorCode.PACK_INVALID, f"The file {name} is missing.", "Build the pack again."
        )
    return members[name]


def _invalid(why: str) -> EngineError:
    return EngineError(
        ErrorCode.PACK_INVALID,
        f"The pack's networks cannot be read: {why}.",
        "Build the pack again.",
    )


def _read_graphs(path: Path) -> Mapping[str, Any]:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise _invalid(f"{path.name}: {error.strerror}") from error
    content = parse_json(data, lambda why: _invalid(f"{path.name}: {why}"))
    if not isinstance(content, dict) or content.get("schema") != SCHEMA:
        raise _invalid(f"{path.name} is not of schema {SCHEMA}")
    graphs = content.get("graphs")
    if not isinstance(graphs, dict) or set(graphs) != set(GRAPH_SOURCES):
        raise _invalid(f"{path.name} does not hold the networks {', '.join(GRAPH_SOURCES)}")
    return graphs


def load_nets(folder: Path) -> Nets:
    """Read the networks of a pack folder.

    Returns: Nets in evaluation mode, float32, on the CPU.
    Raises: EngineError PACK_INVALID if the files are missing, malformed or of another form.
    """
    arrays = read_safetensors(folder / ARRAYS_FILE)
    graphs = _read_graphs(folder / GRAPHS_FILE)

    def part(name: str) -> dict[str, np.ndarray]:
        prefix = name + "."
        return {key.removeprefix(prefix): a for key, a in arrays.items() if key.startswith(prefix)}

    nets = {}
    for name, (_, shape) in GRAPH_SOURCES.items():
        nets[name] = load_graph(part(name), graphs[name])
        if nets[name].input_shape != shape:
            raise _invalid(f"{name} takes {nets[name].input_shape} where {shape} was expected")
    return Nets(
        nets["detector"],
        nets["landmarks"],
        nets["segmentation"],
        IdentityNet(part(IDENTITY)).eval(),
    )
