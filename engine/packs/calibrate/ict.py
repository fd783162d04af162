"""ICT-FaceKit Light (MIT, 2020, USC Institute for Creative Technologies): the scan statistics
that the identity space is calibrated with. Only read; nothing of it is kept."""

import tarfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

SURFACE_VERTICES = 11248
"""Face, then head and neck; sockets, teeth and eyes come after (its README, topology table)."""
MODES = 100
METRES = 0.01
"""Its unit is the centimetre."""
LANDMARKS_68 = (
    (1225, 1888, 1052, 367, 1719, 1722, 2199, 1447, 966)
    + (3661, 4390, 3927, 3924, 2608, 3272, 4088, 3443)
    + (268, 493, 1914, 2044, 1401, 3615, 4240, 4114, 2734, 2509)
    + (978, 4527, 4942, 4857, 1140, 2075, 1147, 4269, 3360)
    + (1507, 1542, 1537, 1528, 1518, 1511, 3742, 3751, 3756, 3721, 3725, 3732)
    + (5708, 5695, 2081, 0, 4275, 6200, 6213, 6346, 6461, 5518, 5957, 5841)
    + (5702, 5711, 5533, 6216, 6207, 6470, 5517, 5966)
)
"""Vertices of the 68 landmarks (its README, facial landmarks)."""


@dataclass(frozen=True)
class IctModel:
    """mean (V, 3) f64 metres; modes (100, V, 3) f32 metres per standard deviation; triangles
    (T, 3): of face, head and neck."""

    mean: np.ndarray
    modes: np.ndarray
    triangles: np.ndarray


def load_ict(archive: Path) -> IctModel:
    """Read FaceXModel/*.obj out of the archive as distributed (.tar.xz), in memory."""
    wanted = {f"identity{k:03d}.obj": k for k in range(MODES)}
    modes: list[np.ndarray | None] = [None] * MODES
    mean, triangles = None, None
    with tarfile.open(archive) as members:
        for member in members:
            name = Path(member.name).name
            if name not in wanted and name != "generic_neutral_mesh.obj":
                continue
            file = members.extractfile(member)
            text = file.read().decode() if file else ""
            if name in wanted:
                modes[wanted[name]] = _positions(text)
            else:
                mean, triangles = _positions(text), _triangles(text)
    if mean is None or triangles is None or any(mode is None for mode in modes):
        raise ValueError(f"{archive.name} holds no complete ICT-FaceKit model")
    deltas = np.stack([mode - mean for mode in modes])
    return IctModel(mean * METRES, (deltas * METRES).astype(np.float32), triangles)


def _positions(text: str) -> np.ndarray:
    rows = []
    for line in text.splitlines():
        if line.startswith("v "):
            rows.append(line[2:].split())
            if len(rows) == SURFACE_VERTICES:
                break
    return np.array(rows, dtype=np.float64)


def _triangles(text: str) -> np.ndarray:
    out = []
    for line in text.splitlines():
        if line.startswith("f "):
            face = [int(word.split("/")[0]) - 1 for word in line[2:].split()]
            if max(face) < SURFACE_VERTICES:
                out += [(face[0], face[k], face[k + 1]) for k in range(1, len(face) - 1)]
    return np.array(out)
