"""Fingerprint of the control topology that a table belongs to."""

import hashlib

import numpy as np

from ..build.makehuman import ControlHead

TOPOLOGY_KEY = "topology_sha256"


def topology_sha256(control: ControlHead) -> np.ndarray:
    """(32,) u8: sha256 over the control quads (i32, little endian) and the part of each face.

    Vertex positions are left out: tables stay valid when the shape space is calibrated.
    """
    digest = hashlib.sha256()
    digest.update(np.ascontiguousarray(control.quads, dtype="<i4").tobytes())
    digest.update(np.ascontiguousarray(control.face_part, dtype=np.uint8).tobytes())
    return np.frombuffer(digest.digest(), dtype=np.uint8).copy()
