"""Three stages: shape, pose and light; then the coarse albedo; then the detail. Adam throughout."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from ...nets import arcface
from ...nets.bundle import Nets
from ...nets.dlib_file import INPUT_SIZE
from ...nets.identity import chip_matrix
from ...protocol.detail import add_detail
from ...reporter import Reporter
from ..loaded import LoadedPack
from ..request import FitRequest
from ..seen.fitted_photo import FittedPhoto
from ..seen.geometry import head_shape
from ..seen.look import look_at
from ..state import FitState
from .losses import (
    consistency_loss,
    even_light_loss,
    feature_loss,
    feature_maps,
    identity_loss,
    landmark_loss,
    landmark_weights,
    photometric_loss,
    prior_loss,
)
from .scene import (
    IBUG_68,
    PaperScene,
    Picture,
    Values,
    camera_of,
    chip_of,
    landmarks_of,
    paper_scene,
    render,
    vertices_of,
)
from .settings import PaperSettings

STAGES = (
    ("identity", "expression", "turn", "shift", "light"),
    ("albedo",),
    ("detail",),
)
"""What each stage improves; the rest stays (the paper's code freezes it too)."""


@dataclass(frozen=True, eq=False)
class _Target:
    """Of the photo, found once: embedding (1, 128) and feature maps."""

    embedding: torch.Tensor
    features: list[torch.Tensor]


@dataclass(frozen=True, eq=False)
class PaperFit:
    """values: what the stages found; costs: of each stage at each step."""

    values: dict[str, torch.Tensor]
    costs: tuple[tuple[float, ...], ...]


def _start(loaded: LoadedPack, photo: FittedPhoto) -> dict[str, torch.Tensor]:
    """Shape, pose and light of our first stages; albedo and detail at their mean."""
    net = loaded.detail
    latent = (1, 1, 1) if net is None else net.model.latent_mean.shape
    return {
        "identity": torch.from_numpy(photo.shape.identity).float(),
        "expression": torch.from_numpy(photo.shape.expression).float(),
        "turn": torch.zeros(3),
        "shift": torch.zeros(3),
        "light": torch.from_numpy(photo.albedo.light).float(),
        "albedo": torch.zeros(loaded.solver.basis.shape[:2]),
        "detail": torch.zeros(latent),
    }


def _coarse(loaded: LoadedPack, coefficients: torch.Tensor) -> torch.Tensor:
    """(S, S, 3) sRGB of the albedo model, at the size it is solved in."""
    model = loaded.solver
    mean, basis = torch.from_numpy(model.mean), torch.from_numpy(model.basis)
    texels = mean + torch.einsum("ckn,ck->cn", basis, coefficients)
    image = torch.zeros(*model.valid.shape, 3)
    return image.index_put((torch.from_numpy(model.valid.astype(bool)),), texels.T)


def _picture(scene: PaperScene, values: Values, stage: int) -> tuple[Picture, torch.Tensor]:
    """The render over the photo, and the albedo it has."""
    albedo = _coarse(scene.loaded, values["albedo"])
    if stage == 2 and scene.loaded.detail is not None:
        detail = scene.loaded.detail.decode(values["detail"])
        size = len(detail)
        large = torch.nn.functional.interpolate(
            albedo.permute(2, 0, 1)[None], size=(size, size), mode="bilinear"
        )[0].permute(1, 2, 0)
        albedo = add_detail(large, detail, xp=torch)
    camera = camera_of(scene, values)
    vertices = vertices_of(scene, values)
    return render(scene, vertices, albedo, values["light"], camera, scene.picture), albedo


def _embed(nets: Nets, picture: torch.Tensor, points: np.ndarray) -> torch.Tensor:
    """(1, D) of a picture (H, W, 3) with landmarks (468, 2), by ArcFace where it is there."""
    if nets.arcface is not None:
        return nets.arcface(chip_of(picture, arcface.chip_matrix(points), arcface.INPUT_SIZE))
    return nets.identity(chip_of(picture, chip_matrix(points), INPUT_SIZE))


def _view_embeddings(
    scene: PaperScene, values: Values, albedo: torch.Tensor, settings: PaperSettings
) -> torch.Tensor:
    """(V, D): embeddings of the face from the settings' views, on grey."""
    nets, vertices = scene.loaded.nets, vertices_of(scene, values)
    found = []
    for yaw in settings.views:
        camera = camera_of(scene, values, yaw)
        shown = render(scene, vertices, albedo, values["light"], camera, None)
        points = landmarks_of(scene, values, camera).detach().numpy().astype(np.float64)
        found.append(_embed(nets, shown.rgb, points)[0])
    return torch.stack(found)


def stage_loss(
    scene: PaperScene, target: _Target, values: Values, stage: int, settings: PaperSettings
) -> torch.Tensor:
    """The multilevel loss of a stage: sums of the terms of `losses` that its parameters reach."""
    weights, nets = settings.weights, scene.loaded.nets
    picture, albedo = _picture(scene, values, stage)
    mask = picture.weight * scene.person
    total = weights.photometric * photometric_loss(picture.rgb, scene.picture, mask)
    if weights.identity:
        embedding = _embed(nets, picture.rgb, scene.all_points)
        total = total + weights.identity * identity_loss(embedding, target.embedding)
    if weights.feature and stage > 0:
        maps = feature_maps(nets.identity, picture.rgb.permute(2, 0, 1)[None])
        total = total + weights.feature * feature_loss(maps, target.features, picture.covered)
    if weights.consistency and stage == 1:
        views = _view_embeddings(scene, values, albedo, settings)
        total = total + weights.consistency * consistency_loss(views, target.embedding[0])
    if stage == 0:
        points = landmarks_of(scene, values, camera_of(scene, values))[list(IBUG_68)]
        trust = scene.trust * landmark_weights()
        total = total + weights.landmarks * landmark_loss(points, scene.points, trust)
        total = total + weights.identity_prior * prior_loss(values["identity"])
        total = total + weights.expression_prior * prior_loss(values["expression"])
        total = total + weights.even_light * even_light_loss(values["light"])
    prior = (0.0, weights.albedo_prior, weights.detail_prior)[stage]
    return total + prior * prior_loss(values[STAGES[stage][0]])


def _descend(
    loss: Callable[[Values], torch.Tensor],
    values: dict[str, torch.Tensor],
    names: Sequence[str],
    steps: int,
    rate: float,
    reporter: Reporter,
) -> tuple[dict[str, torch.Tensor], tuple[float, ...]]:
    """Adam (Kingma & Ba 2015) on some of the values; expressions stay in [0, 1]."""
    free = {name: values[name].clone().requires_grad_(True) for name in names}
    optimiser, costs = torch.optim.Adam(list(free.values()), lr=rate), []
    for step in range(steps):
        reporter.progress(step + 1, steps)
        optimiser.zero_grad()
        cost = loss(values | free)
        cost.backward()
        optimiser.step()
        costs.append(float(cost.detach()))
        if "expression" in free:
            with torch.no_grad():
                free["expression"].clamp_(0.0, 1.0)
    return values | {name: value.detach() for name, value in free.items()}, tuple(costs)


def paper_stages(
    loaded: LoadedPack, photo: FittedPhoto, settings: PaperSettings, reporter: Reporter
) -> PaperFit:
    """All stages on one photo, from our landmark fit. Raises Cancelled."""
    scene = paper_scene(loaded, photo, settings.feature_weight)
    nets, values = loaded.nets, _start(loaded, photo)
    with torch.no_grad():
        target = _Target(
            _embed(nets, scene.picture, scene.all_points),
            feature_maps(nets.identity, scene.picture.permute(2, 0, 1)[None]),
        )
    costs = []
    for stage, names in enumerate(STAGES):
        if names == ("detail",) and loaded.detail is None:
            continue
        values, found = _descend(
            lambda free, stage=stage: stage_loss(scene, target, free, stage, settings),
            values,
            names,
            settings.steps[stage],
            settings.rates[stage],
            reporter,
        )
        costs.append(found)
    return PaperFit(values, tuple(costs))


def fit_paper(
    loaded: LoadedPack,
    photos: tuple[FittedPhoto, ...],
    request: FitRequest,
    settings: PaperSettings,
    reporter: Reporter,
) -> tuple[tuple[FittedPhoto, ...], FitRequest]:
    """The main photo by the paper's recipe, and the request with its detail held.

    Our photo layer can go over it as over any other detail. Raises Cancelled.
    """
    main = photos[0]
    found = paper_stages(loaded, main, settings, reporter).values
    numbers = {name: value.double().numpy() for name, value in found.items()}
    scene = paper_scene(loaded, main, settings.feature_weight)
    camera = camera_of(scene, found)
    shape = replace(
        main.shape,
        identity=numbers["identity"],
        expression=numbers["expression"],
        rotation=camera.rotation.double().numpy(),
        translation=camera.translation.double().numpy(),
    )
    albedo = replace(main.albedo, coefficients=numbers["albedo"], light=numbers["light"])
    vertices, _ = head_shape(loaded.head, shape.identity, shape.expression)
    view, face = look_at(main.prepared, shape, vertices, loaded)
    fitted = FittedPhoto(main.prepared, shape, vertices, view, face, albedo, main.covered)
    start = FitState((), (), (), found["detail"].numpy(), np.zeros((1, 1, 3), np.float32))
    return (fitted, *photos[1:]), replace(request, start=start, held=frozenset({"detail"}))


def paper_picture(scene: PaperScene, fit: PaperFit) -> Picture:
    """The photo's face as the last stage that ran renders it, over the photo."""
    with torch.no_grad():
        return _picture(scene, fit.values, len(fit.costs) - 1)[0]
