"""What a worker can be asked to do besides a fit: wear a result, import a pack, register a mesh."""

from dataclasses import dataclass

from .job import TEXTURE_SIZES, FitJob, check_pack_id, check_paths, refused_job
from .strict import shown

EXPRESSION_SETS = ("arkit", "both")
"""Of an imported head: the ARKit shapes, or the model's own ones after them."""
MAX_IMPORT_PATHS = 16


@dataclass(frozen=True)
class WearJob:
    """Put a result onto somebody's own head mesh. Raises EngineError(BAD_SETTINGS).

    result: result directory. mesh: .obj, .glb or .gltf, or a .safetensors file with vertices
    (V, 3) f32, faces (F, 4) i32 (a triangle repeats its last corner) and, where there are UVs,
    corner_uv (F, 4, 2) f32; any unit, any axes. output: directory to write, see `wear.py`.
    size: side of the maps in texels, of `TEXTURE_SIZES`. textures: folder with albedo.png,
    normal.png or roughness.png that take the place of the result's own, or None. maps, shapes:
    which of the two to make.
    """

    result: str
    mesh: str
    output: str
    size: int = 2048
    textures: str | None = None
    maps: bool = True
    shapes: bool = True

    def __post_init__(self) -> None:
        given = () if self.textures is None else (self.textures,)
        check_paths((self.result, self.mesh, self.output, *given))
        if self.size not in TEXTURE_SIZES:
            sizes = ", ".join(map(str, TEXTURE_SIZES))
            raise refused_job(f"size must be one of {sizes}, got {shown(self.size)}")
        if not (self.maps or self.shapes):
            raise refused_job("it asks for neither maps nor shapes")


@dataclass(frozen=True)
class ImportJob:
    """Make a pack of a model that others released. Raises EngineError(BAD_SETTINGS).

    kind: name of a kind of model. paths: its files or folder, 1 to 16. output: folder of the new
    pack. accept_licence: the user knows the model's terms. expressions: of `EXPRESSION_SETS`.
    """

    kind: str
    paths: tuple[str, ...]
    output: str
    accept_licence: bool = False
    expressions: str = EXPRESSION_SETS[0]

    def __post_init__(self) -> None:
        if isinstance(self.paths, str):
            raise refused_job("paths must be several paths, got one text")
        object.__setattr__(self, "paths", tuple(self.paths))
        if not 1 <= len(self.paths) <= MAX_IMPORT_PATHS:
            raise refused_job(f"expected 1 to {MAX_IMPORT_PATHS} paths, got {len(self.paths)}")
        check_paths((*self.paths, self.output))
        check_pack_id(self.kind)
        if self.expressions not in EXPRESSION_SETS:
            known = ", ".join(EXPRESSION_SETS)
            raise refused_job(f"expressions must be one of {known}, got {shown(self.expressions)}")


@dataclass(frozen=True)
class RegisterJob:
    """Find how a head mesh (as in `WearJob`) corresponds to the head of `pack`.

    output: directory to write: the report and a picture. Raises EngineError(BAD_SETTINGS).
    """

    mesh: str
    output: str
    pack: str = "default"

    def __post_init__(self) -> None:
        check_paths((self.mesh, self.output))
        check_pack_id(self.pack)


Job = FitJob | WearJob | ImportJob | RegisterJob

JOB_KINDS: dict[str, type[Job]] = {
    "fit": FitJob,
    "wear": WearJob,
    "import": ImportJob,
    "register": RegisterJob,
}
"""Kinds of jobs by the type of the message that asks for one."""
