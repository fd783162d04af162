"""The networks' files out of their packages, read in memory; converted by `engine/nets`."""

import json
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from ...protocol.errors import EngineError, ErrorCode
from ...protocol.pack_manifest import PackPart
from .download import SOURCES

_MODULES = "mediapipe/modules/"
MEDIAPIPE_MEMBERS = (
    _MODULES + "face_detection/face_detection_short_range.tflite",
    _MODULES + "face_landmark/face_landmark.tflite",
    _MODULES + "selfie_segmentation/selfie_segmentation.tflite",
)
IDENTITY_MEMBER = (
    "face_recognition_models-0.3.0/face_recognition_models/models/"
    "dlib_face_recognition_resnet_model_v1.dat"
)
MAX_MEMBER_BYTES = 64 * 2**20

NetFiles = tuple[dict[str, dict[str, np.ndarray]], dict[str, bytes], tuple[PackPart, ...]]


def read_members(mediapipe: Path, face_recognition: Path) -> dict[str, bytes]:
    """File name -> content of the networks. Nothing is unpacked to disk."""
    members = {}
    try:
        with zipfile.ZipFile(mediapipe) as wheel:
            for name in MEDIAPIPE_MEMBERS:
                members[name.rsplit("/", 1)[1]] = wheel.read(name)
        with tarfile.open(face_recognition, "r:gz") as archive:
            entry = archive.getmember(IDENTITY_MEMBER)
            stream = archive.extractfile(entry) if entry.size <= MAX_MEMBER_BYTES else None
            if stream is None:
                raise KeyError(IDENTITY_MEMBER)
            members[IDENTITY_MEMBER.rsplit("/", 1)[1]] = stream.read()
    except (OSError, KeyError, zipfile.BadZipFile, tarfile.TarError) as error:
        raise EngineError(
            ErrorCode.PACK_INVALID,
            f"The networks cannot be read from the downloaded packages: {error}.",
            "Delete the downloaded files and build the pack again.",
        ) from error
    return members


def build_networks(sources: Mapping[str, Path]) -> NetFiles:
    """Tensors and files of the networks, and where they come from."""
    from ...nets.bundle import ARRAYS_FILE, GRAPHS_FILE, build_nets

    members = read_members(sources["mediapipe"], sources["face_recognition_models"])
    arrays, graphs = build_nets(members)
    text = json.dumps(graphs, separators=(",", ":"), sort_keys=True)
    mediapipe, dlib = SOURCES["mediapipe"], SOURCES["face_recognition_models"]
    parts = (
        PackPart(
            "face detector, landmarks, person mask",
            "MediaPipe networks, converted to plain arrays",
            "Apache-2.0",
            f"Python package mediapipe {mediapipe.version}, {mediapipe.file}",
            mediapipe.sha256,
        ),
        PackPart(
            "identity network",
            "dlib face recognition ResNet by Davis King, converted to plain arrays",
            "CC0-1.0",
            f"Python package face_recognition_models {dlib.version}, {dlib.file}",
            dlib.sha256,
        ),
    )
    return {ARRAYS_FILE: arrays}, {GRAPHS_FILE: text.encode()}, parts
