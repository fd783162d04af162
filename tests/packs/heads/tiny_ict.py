"""A folder as ICT-FaceKit's, of a head of some dozens of vertices, for tests of its adapter."""

from pathlib import Path

import numpy as np

from engine.packs.heads.ict import NEUTRAL, SHAPES, IctLayout

MODES = 2
_SIDES = ("Left", "Right")


class _Mesh:
    def __init__(self) -> None:
        self.vertices: list[tuple[float, float, float]] = []
        self.lines: list[str] = []
        self.slices: dict[str, slice] = {}

    def add(self, name: str, material: str, grid: np.ndarray, last: bool = False) -> None:
        """A grid (m, n, 3) of quads; last: the last of them is a triangle."""
        start = len(self.vertices)
        rows, columns = grid.shape[:2]
        self.vertices += [tuple(point) for point in grid.reshape(-1, 3)]
        self.slices[name] = slice(start, len(self.vertices))
        self.lines.append(f"usemtl {material}")
        for row in range(rows - 1):
            for column in range(columns - 1):
                a = start + row * columns + column + 1
                face = [a, a + 1, a + columns + 1, a + columns]
                if last and (row, column) == (rows - 2, columns - 2):
                    face = face[:3]
                self.lines.append("f " + " ".join(f"{v}/{v}/{v}" for v in face))


def _sheet(x: tuple[float, float], y: tuple[float, float], z: float, n: int = 4) -> np.ndarray:
    across, up = np.meshgrid(np.linspace(*x, n), np.linspace(*y, n))
    return np.stack([across, up, np.full_like(across, z)], axis=-1)


def _ball(x: float, out: float) -> np.ndarray:
    """An eyeball at (x, 3, 8) whose cornea bulges `out` radians outwards of straight ahead."""
    polar, turn = np.meshgrid(np.linspace(0.05, 3.0, 9), np.linspace(0, 2 * np.pi, 9))
    radius = np.where(polar < 0.5, 1.65, 1.5)
    sine = np.sin(polar) * radius
    ball = np.stack([sine * np.cos(turn), sine * np.sin(turn), np.cos(polar) * radius], axis=-1)
    side = out * np.sign(x)
    spin = np.array([[np.cos(side), 0, np.sin(side)], [0, 1, 0], [-np.sin(side), 0, np.cos(side)]])
    return np.asarray(ball @ spin.T + np.array([x, 3.0, 8.0]))


def ict_mesh() -> _Mesh:
    """Face and neck first, then the mouth bag; then eyes, teeth, tongue, lashes, films."""
    mesh = _Mesh()
    mesh.add("face", "M_Face", _sheet((-7, 7), (-8, 10), 10.0, 6), last=True)
    mesh.add("back", "M_BackHead", _sheet((7, -7), (-15, 12), -8.0))
    mesh.add("bag", "M_BackHead", _sheet((-2, 2), (-4, -3), 7.0))
    mesh.add("tongue", "M_GumsTongue", _sheet((-1, 1), (-4, -3.5), 8.0))
    mesh.add("upper", "M_Teeth", _sheet((-2, 2), (-3, -2.5), 9.0))
    mesh.add("lower", "M_Teeth", _sheet((-2, 2), (-4, -3.5), 9.0))
    for side, x in zip(_SIDES, (3.0, -3.0), strict=True):
        mesh.add(f"eye{side}", f"M_Sclera{side}", _ball(x, 0.1))
        mesh.add(f"iris{side}", f"M_Iris{side}", _sheet((x - 1, x + 1), (2, 4), 9.0))
        mesh.add(f"lash{side}", "M_EyeLashes", _sheet((x - 2, x + 2), (3.5, 4.0), 10.0))
        mesh.add(f"film{side}", "M_LacrimalFluid", _sheet((x - 1, x + 1), (2, 2.2), 9.7))
    return mesh


def tiny_layout() -> IctLayout:
    """Of `ict_mesh`."""
    mesh = ict_mesh()
    surface = mesh.slices["bag"].start
    return IctLayout(len(mesh.vertices), surface, MODES, tuple(k % surface for k in range(68)))


def obj_text(vertices: np.ndarray, lines: list[str]) -> str:
    """An OBJ file with a UV for each vertex."""
    rows = [f"v {x:.6f} {y:.6f} {z:.6f}" for x, y, z in vertices]
    rows += [f"vt {3.0 + k / len(vertices):.5f} 0.5" for k in range(len(vertices))]
    return "\n".join([*rows, *lines]) + "\n"


def write_ict(folder: Path) -> Path:
    """`FaceXModel` inside `folder`: modes widen the head and raise it, jawOpen lowers the jaw's
    parts, each other shape moves vertex 7 forwards by a centimetre. Returns FaceXModel."""
    mesh = ict_mesh()
    rest = np.array(mesh.vertices)
    out = folder / "FaceXModel"
    out.mkdir(parents=True)
    meshes = {NEUTRAL: rest}
    meshes["identity000"] = rest * np.array([1.1, 1.0, 1.0])
    meshes["identity001"] = rest + np.array([0.0, 1.0, 0.0])
    for file in {file for files in SHAPES.values() for file in files}:
        moved = rest.copy()
        if file == "jawOpen":
            for name in ("lower", "tongue"):
                moved[mesh.slices[name]] -= np.array([0.0, 2.0, 0.0])
        else:
            moved[7, 2] += 1.0
        meshes[file] = moved
    for name, vertices in meshes.items():
        (out / f"{name}.obj").write_text(obj_text(vertices, mesh.lines), encoding="utf-8")
    return out
