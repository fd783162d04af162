"""What one standard deviation of each component of the identity does to the vertices of a head.

Read from the head pack. Everything is linear, so a change of the sliders is one displacement of
all vertices, equal for the neutral head and for each expression.
"""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ...engine.protocol.errors import EngineError, ErrorCode
from ...engine.protocol.pack_manifest import HEAD_FILE, file_sha256, read_manifest
from ...engine.protocol.safetensors import read_safetensors
from ...engine.protocol.sparse import apply_operator

MOST_COLUMNS = 12
"""Components that change at once up to which each is taken from the columns; more are summed on
the control mesh and subdivided together (ours: where the two ways take equally long)."""
_TENSORS = {
    "control_identity": (np.float16, 3),
    "subdivision_rows": (np.int32, 1),
    "subdivision_columns": (np.int32, 1),
    "subdivision_values": (np.float32, 1),
    "mirror": (np.int32, 1),
}


@dataclass(frozen=True, eq=False)
class IdentityBasis:
    """control (K, V0, 3) f32: metres per standard deviation, model space, on the control mesh.
    rows, columns, values: the sparse (V, V0) subdivision operator. count: V. model: sha256 of
    the file. Columns that were asked for stay: 0.24 MB each at 20,207 vertices."""

    control: np.ndarray
    rows: np.ndarray
    columns: np.ndarray
    values: np.ndarray
    count: int
    model: str
    _fine: dict[int, np.ndarray] = field(default_factory=dict)

    def column(self, index: int) -> np.ndarray:
        """(V, 3) f32 displacement of component `index`, metres per standard deviation."""
        if index not in self._fine:
            self._fine[index] = self._subdivide(self.control[index])
        return self._fine[index]

    def shift(self, change: np.ndarray) -> np.ndarray:
        """(V, 3) f32 displacement in metres, model space, of a change (K,) of the components.

        Components that the model does not have, or that `change` lacks, do not move.
        """
        moved = [k for k in np.flatnonzero(change) if k < len(self.control)]
        if len(moved) > MOST_COLUMNS:
            part = np.asarray(change[moved], np.float32)
            return self._subdivide(np.tensordot(part, self.control[moved], 1))
        total = np.zeros((self.count, 3), np.float32)
        for index in moved:
            total += np.float32(change[index]) * self.column(index)
        return total

    def _subdivide(self, coarse: np.ndarray) -> np.ndarray:
        return apply_operator(self.rows, self.columns, self.values, coarse, self.count)


def load_basis(folder: Path, pack: str, model: str) -> IdentityBasis:
    """Read the identity of the head pack in `folder`, which must be the head's own.

    pack: sha256 of its pack.json when the head was made. model: sha256 of its head file, ""
    when the pack was not there then. Raises EngineError(PACK_MISSING, PACK_INVALID).
    """
    if not folder.is_dir():
        raise EngineError(
            ErrorCode.PACK_MISSING,
            f"The head pack {folder.name} was not found: shape sliders need it.",
            "Build or import it, then press Look Again.",
        )
    manifest, sha = read_manifest(folder)
    path = folder / HEAD_FILE
    listed = manifest.files.get(HEAD_FILE)
    own = listed == model if model else sha == pack
    if not own or manifest.head is None or file_sha256(path, HEAD_FILE) != listed:
        raise EngineError(
            ErrorCode.PACK_INVALID,
            f"The head pack {folder.name} is not the one that this head was made with.",
            "Put that pack back, or reconstruct the head again.",
        )
    table = read_safetensors(path)
    for name, (kind, dimensions) in _TENSORS.items():
        if name not in table or table[name].dtype != kind or table[name].ndim != dimensions:
            raise EngineError(ErrorCode.PACK_INVALID, f"{HEAD_FILE} has no proper {name}.")
    rows, columns = table["subdivision_rows"], table["subdivision_columns"]
    count, coarse = len(table["mirror"]), table["control_identity"].shape[1]
    if not len(rows) == len(columns) == len(table["subdivision_values"]):
        raise EngineError(ErrorCode.PACK_INVALID, f"{HEAD_FILE} has a broken subdivision.")
    if len(rows) and (rows.max() >= count or not 0 <= columns.min() <= columns.max() < coarse):
        raise EngineError(ErrorCode.PACK_INVALID, f"{HEAD_FILE} has a broken subdivision.")
    values = table["subdivision_values"]
    control = table["control_identity"].astype(np.float32)
    return IdentityBasis(control, rows, columns, values, count, listed)
