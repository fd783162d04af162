"""The paper's recipe: its losses go down, gradients reach what a stage improves, and nothing else
moves."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from engine.fit.loaded import load_pack
from engine.fit.paper import run
from engine.fit.paper.scene import IBUG_68, camera_of, landmarks_of, paper_scene
from engine.fit.paper.settings import PaperSettings
from engine.fit.pipeline import Session
from engine.fit.reconstruct import StageClock, reconstruct
from engine.fit.request import FitRequest
from engine.fit.settings import FitSettings
from engine.nets.arcface import MESH_POINTS, TEMPLATE
from engine.photo.load import load_photo
from engine.reporter import NullReporter

pytestmark = pytest.mark.slow
SETTINGS = PaperSettings(rates=(2e-5, 0.02, 0.02), steps=(3, 3, 2))


@pytest.fixture(scope="module")
def loaded(default_pack):
    return load_pack(default_pack)


@pytest.fixture(scope="module")
def fitted(loaded, astronaut):
    reporter = NullReporter()
    settings = FitSettings(paper=SETTINGS)
    return reconstruct(
        (load_photo(astronaut),),
        loaded,
        FitRequest(texture_size=256),
        settings,
        reporter,
        StageClock(reporter),
        lambda vertices: None,
    )


def test_the_recipe_gives_a_whole_reconstruction(fitted, loaded) -> None:
    assert fitted.detail.alpha is not None and np.abs(fitted.detail.alpha).max() > 0.0
    assert fitted.layer_errors["residual_photo"] < fitted.layer_errors["residual_detail"]
    assert (fitted.shape.expression >= 0.0).all() and (fitted.shape.expression <= 1.0).all()
    assert fitted.shape.rotation @ fitted.shape.rotation.T == pytest.approx(np.eye(3), abs=1e-5)


def test_costs_fall_and_only_a_stages_own_values_move(fitted, loaded) -> None:
    found = run.paper_stages(loaded, fitted.photos[0], SETTINGS, NullReporter())
    assert len(found.costs) == 3
    for costs in found.costs:
        assert costs[-1] < costs[0]
    still = run.paper_stages(
        loaded, fitted.photos[0], replace(SETTINGS, steps=(0, 0, 1)), NullReporter()
    )
    start = fitted.photos[0].shape.identity
    assert still.values["identity"].numpy() == pytest.approx(start, abs=1e-6)
    assert float(still.values["albedo"].abs().max()) == 0.0
    assert float(still.values["detail"].abs().max()) > 0.0


def test_the_68_points_lie_on_the_face_in_their_order(fitted, loaded) -> None:
    scene = paper_scene(loaded, fitted.photos[0], 3.0)
    assert len(set(IBUG_68)) == 68
    values = run._start(loaded, fitted.photos[0])
    with torch.no_grad():
        points = landmarks_of(scene, values, camera_of(scene, values))[list(IBUG_68)]
    trusted = scene.trust > 0.0
    distance = (points - scene.points).norm(dim=-1)[trusted]
    assert float(distance.mean()) < 4.0
    x, y = points.numpy().T
    assert x[0] < x[8] < x[16] and y[8] > y[0]  # jaw from the picture's left to its right
    assert y[27] < y[30] < y[51] < y[57] < y[8]  # down the middle
    assert x[36] < x[39] < x[42] < x[45]  # corners of the eyes


def test_a_session_takes_the_preset_of_its_job() -> None:
    from engine.fit.settings import with_preset

    settings = Session().settings
    assert with_preset(settings, "default") == settings
    assert with_preset(settings, "paper").paper == PaperSettings()


def test_arcface_embeds_where_the_user_has_it() -> None:
    """Chips of its own size and places; slopes reach the picture."""
    seen = []

    def arcface(chips: torch.Tensor) -> torch.Tensor:
        seen.append(tuple(chips.shape))
        return chips.mean((2, 3))

    nets = SimpleNamespace(arcface=arcface, identity=lambda chips: chips.mean((2, 3)))
    picture = torch.rand(224, 224, 3).requires_grad_()
    points = np.full((468, 2), 100.0)
    for chosen, place in zip(MESH_POINTS, TEMPLATE, strict=True):
        points[list(chosen)] = 60.0 + place
    found = run._embed(nets, picture, points)
    found.sum().backward()
    assert seen == [(1, 3, 112, 112)] and found.shape == (1, 3)
    inside = picture.grad[60:172, 60:172]
    assert (inside > 0).all() and float(picture.grad[:50].abs().sum()) == 0.0
