"""What a fit hands over for writing."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from ..protocol.history import FitStep
from ..protocol.result import ResultMesh
from ..protocol.result_schema import (
    CameraInfo,
    EngineInfo,
    LightInfo,
    MeshInfo,
    PackInfo,
    PhotoInfo,
    ResultManifest,
    ViewInfo,
)
from ..protocol.version import RESULT_SCHEMA, engine_version


@dataclass(frozen=True, eq=False)
class ResultContents:
    """Everything in a result directory, as values.

    coefficients: identity (K,), expression (E,), albedo (3, K), detail (C, H, W) when a detail
    model was used, and further arrays by name;
    rotation, translation and light are added from `camera` and `light`.
    mesh: neutral shape and expression deltas of all parts; mesh_info: their names.
    maps: picture by name without suffix (becomes `maps/<name>.png`): those of REQUIRED_FILES;
    eye, lash and albedo_detail_fine are optional. Each is (H, W) or (H, W, 3 or 4), RGB order:
    float in [0, 1] (stored with 8 bits), uint8, or uint16 (stored with 16 bits).
    residual: likewise, (H, W, 3 or 4); render, compare: too, or None for a result without the
    `OTHER_FILES`. stages: seconds by stage name.
    albedo_pack, detail_pack: whose model was used, None for the head pack's own. others: further
    photos of the person. history: the fit and each refit that led here. encoded: PNG files of some
    of the pictures by path in the directory, where `png_bytes` was already called of them; the
    others are encoded when written.
    """

    pack: PackInfo
    seed: int
    photo: PhotoInfo
    camera: CameraInfo
    light: LightInfo
    mesh: ResultMesh
    mesh_info: MeshInfo
    coefficients: Mapping[str, np.ndarray]
    maps: Mapping[str, np.ndarray]
    residual: np.ndarray
    render: np.ndarray | None
    compare: np.ndarray | None
    stages: Mapping[str, float] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    albedo_pack: PackInfo | None = None
    detail_pack: PackInfo | None = None
    others: tuple[ViewInfo, ...] = ()
    history: tuple[FitStep, ...] = ()
    encoded: Mapping[str, bytes] = field(default_factory=dict)

    @property
    def pictures(self) -> dict[str, np.ndarray]:
        """The pictures beside the maps, by file name."""
        found = {"render": self.render, "compare": self.compare, "residual": self.residual}
        return {f"{name}.png": image for name, image in found.items() if image is not None}

    @property
    def complete(self) -> bool:
        """Whether the `OTHER_FILES` are wanted."""
        return self.render is not None and self.compare is not None

    def all_coefficients(self) -> dict[str, np.ndarray]:
        """The arrays of coefficients.safetensors, f32."""
        derived = {
            "rotation": np.asarray(self.camera.R),
            "translation": np.asarray(self.camera.t),
            "light": np.asarray(self.light.sh),
        }
        both = {**self.coefficients, **derived}
        return {name: np.asarray(array, dtype=np.float32) for name, array in both.items()}

    def manifest(self, files: Mapping[str, str]) -> ResultManifest:
        """result.json for files with these sha256 sums."""
        arrays = self.all_coefficients()
        return ResultManifest(
            schema=RESULT_SCHEMA,
            engine=EngineInfo(engine_version()),
            pack=self.pack,
            seed=self.seed,
            photo=self.photo,
            stages=dict(self.stages),
            camera=self.camera,
            light=self.light,
            metrics=dict(self.metrics),
            warnings=tuple(self.warnings),
            mesh=self.mesh_info,
            coefficients={name: tuple(array.shape) for name, array in sorted(arrays.items())},
            files=dict(files),
            albedo_pack=self.albedo_pack,
            detail_pack=self.detail_pack,
            others=self.others,
            history=self.history,
        )
