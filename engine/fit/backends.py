"""Optional packages and networks in place of our own landmarks, rasteriser and identity net."""

from dataclasses import dataclass, replace
from pathlib import Path

from ..nets.arcface import load_arcface
from ..nets.face_parsing import load_face_parsing
from ..photo.face_alignment_backend import link_landmarks, load_locator, make_aligner
from ..protocol.job import LANDMARKS, RASTERIZERS, FitJob
from ..render.fallback import falling_back
from ..render.rasterize import rasterize
from ..reporter import Reporter
from .loaded import LoadedPack
from .shape.landmark_basis import landmark_basis

_MEDIAPIPE, _FACE_ALIGNMENT = LANDMARKS
_TORCH, _NVDIFFRAST = RASTERIZERS


@dataclass(frozen=True)
class Backends:
    """See `FitJob`. arcface: file of its weights; it takes the place of the pack's identity net in
    the paper's losses and in figures of likeness. parsing: file of BiSeNet's weights, which tell
    skin from what covers it."""

    landmarks: str = _MEDIAPIPE
    rasterizer: str = _TORCH
    allow_download: bool = False
    arcface: Path | None = None
    parsing: Path | None = None

    @classmethod
    def of_job(cls, job: FitJob) -> "Backends":
        """Those that a job names."""
        arcface, parsing = (
            None if file is None else Path(file) for file in (job.arcface, job.parsing)
        )
        return cls(job.landmarks, job.rasterizer, job.allow_download, arcface, parsing)


def with_backends(loaded: LoadedPack, backends: Backends) -> LoadedPack:
    """The pack with other landmarks and another rasteriser, where they are asked for.

    Raises EngineError: ENGINE_MISSING where a package or its weights are absent, BAD_SETTINGS
    without a card that it needs, BAD_INPUT for weights of another network.
    """
    if backends.landmarks == _FACE_ALIGNMENT:
        head, dense = loaded.head, loaded.landmarks
        sparse = landmark_basis(head, head.landmarks68)
        link = link_landmarks(dense.mean, sparse.mean, sparse.weight)
        align = make_aligner(link, load_locator(backends.allow_download))
        loaded = replace(loaded, nets=replace(loaded.nets, aligner=align))
    if backends.arcface is not None:
        found = load_arcface(backends.arcface)
        loaded = replace(loaded, nets=replace(loaded.nets, arcface=found))
    if backends.parsing is not None:
        parsing = load_face_parsing(backends.parsing)
        loaded = replace(loaded, nets=replace(loaded.nets, parsing=parsing))
    if backends.rasterizer == _NVDIFFRAST:
        from ..render.nvdiffrast_backend import load_nvdiffrast

        loaded = replace(loaded, rasterizer=load_nvdiffrast())
    return loaded


def with_fallback(loaded: LoadedPack, reporter: Reporter) -> LoadedPack:
    """The pack for one job: where a card draws, our rasteriser goes on when its memory ends, and
    the reporter hears of it. The same object where ours draws anyway."""
    if loaded.rasterizer is rasterize:
        return loaded

    def tell() -> None:
        reporter.warning("The graphics card ran out of memory: the fit goes on without it.")

    return replace(loaded, rasterizer=falling_back(loaded.rasterizer, tell))
