"""Optional packages in place of our own landmarks and rasteriser."""

from dataclasses import dataclass, replace

from ..photo.face_alignment_backend import link_landmarks, load_locator, make_aligner
from ..protocol.job import LANDMARKS, RASTERIZERS, FitJob
from .landmark_basis import landmark_basis
from .loaded import LoadedPack

_MEDIAPIPE, _FACE_ALIGNMENT = LANDMARKS
_TORCH, _NVDIFFRAST = RASTERIZERS


@dataclass(frozen=True)
class Backends:
    """See `FitJob`."""

    landmarks: str = _MEDIAPIPE
    rasterizer: str = _TORCH
    allow_download: bool = False

    @classmethod
    def of_job(cls, job: FitJob) -> "Backends":
        """Those that a job names."""
        return cls(job.landmarks, job.rasterizer, job.allow_download)


def with_backends(loaded: LoadedPack, backends: Backends) -> LoadedPack:
    """The pack with other landmarks and another rasteriser, where they are asked for.

    Raises EngineError: ENGINE_MISSING where a package or its weights are absent, BAD_SETTINGS
    without a card that it needs.
    """
    if backends.landmarks == _FACE_ALIGNMENT:
        head, dense = loaded.head, loaded.landmarks
        sparse = landmark_basis(head, head.landmarks68)
        link = link_landmarks(dense.mean, sparse.mean, sparse.weight)
        align = make_aligner(link, load_locator(backends.allow_download))
        loaded = replace(loaded, nets=replace(loaded.nets, aligner=align))
    if backends.rasterizer == _NVDIFFRAST:
        from ..render.nvdiffrast_backend import load_nvdiffrast

        loaded = replace(loaded, rasterizer=load_nvdiffrast())
    return loaded
