"""What to fit and how: the one description of a job, for the command line and the worker."""

import json
from collections.abc import Iterable
from dataclasses import dataclass

from .detail_regions import REGIONS
from .errors import EngineError, ErrorCode
from .landmarks68 import Pin, check_pins
from .names import PACK_ID
from .strict import from_plain, parse_json, shown, to_plain

DEVICES = ("auto", "cpu", "cuda", "mps")
TEXTURE_SIZES = (256, 512, 1024, 2048, 4096)
"""Side of the albedo maps in texels. The albedo model itself is coarser; see the pack."""
FINE_SIZES = (512, 2048)
"""Side of the normal and roughness maps in texels: as fine as the detail, or with pores added."""

LANDMARKS = ("mediapipe", "face-alignment")
RASTERIZERS = ("torch", "nvdiffrast")

LOCKS = ("identity", "expression", "pose", "albedo", "light", "detail", *REGIONS)
"""What a fit that starts from a result can leave as it is there; the last ones are regions of the
face, in shape and albedo."""

PRESETS = ("default", "paper")
FILE_SETS = ("all", "blender")
MAX_PHOTOS = 16
MAX_SEED = 2**31 - 1
"""A Blender integer property holds it."""


def refused_job(why: str) -> EngineError:
    """The error for a job with a value out of range."""
    return EngineError(ErrorCode.BAD_SETTINGS, f"The job cannot be run: {why}.")


def check_paths(paths: Iterable[str]) -> None:
    """Raises EngineError(BAD_SETTINGS) for a path that no system can have."""
    for path in paths:
        if not path.strip() or "\0" in path:
            raise refused_job("a path is empty or holds a zero character")


def check_pack_id(pack: str) -> None:
    """Raises EngineError(BAD_SETTINGS) for a text that is no pack id."""
    if not PACK_ID.fullmatch(pack):
        raise refused_job(f"{shown(pack)} is not a pack id (lower-case letters, digits, - _)")


@dataclass(frozen=True)
class FitJob:
    """Settings of one fit. Raises EngineError(BAD_SETTINGS) on a value out of range.

    photos: paths of one to 16 photos of the same person; the first is the main one.
    output: path of the result directory to write.
    pack: id of the head pack. albedo, detail: ids or folders of packs whose albedo or detail
    model is used instead of the head pack's own. device: one of `DEVICES`. seed: 0 to 2**31 - 1.
    face: index of the face in the main photo by size, 0 the largest; None takes the largest.
    texture_size: side of the albedo maps in texels, one of `TEXTURE_SIZES`.
    start: result directory of the same photos to go on from, or None; locks: what stays as it is
    there, of `LOCKS`. edits: .safetensors file with coefficients to put in the place of those of
    `start` (see `edits.py`), or None: what is locked stays as edited.
    pins: where points of the face are in the main photo; the shape follows them.
    start_net: file of a network of Deep3D's kind, of the pack's own head model, that tells where
    the shape fit begins, or None; not together with `start`.
    arcface: file of ArcFace's weights, for the identity loss of the paper's recipe, or None: the
    pack's own network; with that preset only. parsing: file of BiSeNet's weights, which tell skin
    from what covers it, or None.
    landmarks: one of `LANDMARKS`; rasterizer: of the fit, one of `RASTERIZERS`: the second ones are
    optional packages. allow_download: whether such a package may fetch its weights.
    fine_size: side of the normal and roughness maps in texels, one of `FINE_SIZES`.
    files: one of `FILE_SETS`: all, or without what Blender does not read (see `result_schema`).
    preset: one of `PRESETS`: our own fit, or the UVAPM paper's recipe to compare with.
    """

    photos: tuple[str, ...]
    output: str
    pack: str = "default"
    device: str = "auto"
    seed: int = 0
    face: int | None = None
    texture_size: int = 1024
    albedo: str | None = None
    detail: str | None = None
    fine_size: int = 512
    start: str | None = None
    locks: tuple[str, ...] = ()
    landmarks: str = LANDMARKS[0]
    rasterizer: str = RASTERIZERS[0]
    allow_download: bool = False
    preset: str = PRESETS[0]
    pins: tuple[Pin, ...] = ()
    edits: str | None = None
    files: str = FILE_SETS[0]
    start_net: str | None = None
    arcface: str | None = None
    parsing: str | None = None

    def __post_init__(self) -> None:
        if isinstance(self.photos, str):
            raise refused_job("photos must be several paths, got one text")
        object.__setattr__(self, "photos", tuple(self.photos))
        if not 1 <= len(self.photos) <= MAX_PHOTOS:
            raise refused_job(f"expected 1 to {MAX_PHOTOS} photos, got {len(self.photos)}")
        object.__setattr__(self, "locks", tuple(self.locks))
        object.__setattr__(self, "pins", tuple(self.pins))
        given = (self.albedo, self.detail, self.start, self.edits)
        given += (self.start_net, self.arcface, self.parsing)
        check_paths((*self.photos, self.output, *(path for path in given if path is not None)))
        check_pack_id(self.pack)
        for name, known in (
            ("device", DEVICES),
            ("landmarks", LANDMARKS),
            ("rasterizer", RASTERIZERS),
            ("preset", PRESETS),
            ("files", FILE_SETS),
        ):
            if (value := getattr(self, name)) not in known:
                raise refused_job(f"{name} must be one of {', '.join(known)}, got {shown(value)}")
        if not 0 <= self.seed <= MAX_SEED:
            raise refused_job(f"seed must be 0 to {MAX_SEED}, got {shown(self.seed)}")
        if self.face is not None and self.face < 0:
            raise refused_job(f"face must be 0 or more, got {shown(self.face)}")
        if self.texture_size not in TEXTURE_SIZES:
            sizes = ", ".join(map(str, TEXTURE_SIZES))
            raise refused_job(
                f"texture_size must be one of {sizes}, got {shown(self.texture_size)}"
            )
        if self.fine_size not in FINE_SIZES:
            sizes = ", ".join(map(str, FINE_SIZES))
            raise refused_job(f"fine_size must be one of {sizes}, got {shown(self.fine_size)}")

        unknown = [name for name in self.locks if name not in LOCKS]
        if unknown:
            raise refused_job(f"{shown(unknown[0])} cannot be locked (can: {', '.join(LOCKS)})")
        if self.locks and self.start is None:
            raise refused_job("something is locked, but there is no result to start from")
        if self.edits is not None and self.start is None:
            raise refused_job("there are edits, but there is no result to start from")
        if self.start_net is not None and (self.start is not None or self.preset != PRESETS[0]):
            raise refused_job(
                "start_net goes neither with a result to start from nor with a preset"
            )
        if self.arcface is not None and self.preset == PRESETS[0]:
            raise refused_job(f"arcface goes with the preset {PRESETS[1]} only")
        check_pins(self.pins)

    def to_json(self) -> str:
        """One line of JSON (ASCII, so that any path survives)."""
        return json.dumps(to_plain(self), allow_nan=False)

    @classmethod
    def from_json(cls, text: str | bytes) -> "FitJob":
        """Strict inverse of `to_json`. Raises EngineError(BAD_SETTINGS)."""
        job: FitJob = from_plain(cls, parse_json(text, refused_job), "job", refused_job)
        return job
