"""Stage 2 tells light and albedo apart on a synthetic face whose truth is known."""

from dataclasses import replace

import numpy as np
import pytest

from engine.fit.albedo.light import solve_light
from engine.fit.albedo.stage import AlbedoFit, fit_albedo, fit_albedos
from engine.fit.seen.texels import TexelObservation
from engine.fit.settings import AlbedoSettings
from engine.protocol.albedo_pack import AlbedoModel
from engine.protocol.conventions import ambient_light, sh_basis, srgb_to_linear
from engine.protocol.errors import EngineError
from engine.reporter import NullReporter

SIZE, COMPONENTS = 32, 6


def dome() -> tuple[np.ndarray, np.ndarray]:
    """Normals (S, S, 3) of a dome that faces the camera, and its facing cosine."""
    line = np.linspace(-0.85, 0.85, SIZE)
    x, y = np.meshgrid(line, -line)
    z = np.sqrt(np.maximum(1.0 - 0.8 * x**2 - 0.8 * y**2, 0.05))
    normals = np.stack([x, y, z], -1)
    normals /= np.linalg.norm(normals, axis=-1, keepdims=True)
    return normals, normals[..., 2]


def skin_model() -> AlbedoModel:
    """A tone axis shared by the channels plus smooth patterns, per channel as in the paper."""
    rng = np.random.default_rng(1)
    line = np.linspace(0, 1, SIZE)
    patterns = [np.ones((SIZE, SIZE))]
    for _ in range(COMPONENTS - 1):
        a, b, c = rng.uniform(1, 6, 2).tolist() + [rng.uniform(0, 6)]
        patterns.append(np.sin(a * line[:, None] + b * line[None, :] + c) * 0.3)
    basis = np.stack([np.stack(patterns).reshape(COMPONENTS, -1) * 0.1] * 3)
    mean = np.repeat(np.array([[0.75], [0.55], [0.46]]), SIZE * SIZE, axis=1)
    covariance = np.eye(3 * COMPONENTS)
    tone = [0, COMPONENTS, 2 * COMPONENTS]
    covariance[np.ix_(tone, tone)] = 0.9 + 0.1 * np.eye(3)
    return AlbedoModel(
        mean=mean.astype(np.float32),
        basis=basis.astype(np.float32),
        sigma=np.full((3, COMPONENTS), 1.0, np.float32),
        valid=np.ones((SIZE, SIZE), bool),
        covariance=covariance.astype(np.float32),
    )


def photograph(model: AlbedoModel, coefficients: np.ndarray, light: np.ndarray) -> TexelObservation:
    normals, facing = dome()
    albedo = model.mean + np.einsum("ck,ckn->cn", coefficients, model.basis)
    albedo = srgb_to_linear(albedo.T.reshape(SIZE, SIZE, 3))
    ones = np.ones((SIZE, SIZE))
    colour = albedo * np.maximum(sh_basis(normals) @ light, 0.0)
    return TexelObservation(normals * 0.1, normals, colour, facing, ones.astype(bool), ones)


def side_light(tint: tuple[float, float, float] = (1.0, 1.0, 1.0)) -> np.ndarray:
    light = ambient_light(0.9)
    light[3] = 1.0
    light[1] = 0.4
    return light * np.array(tint)


def test_light_is_recovered_when_the_albedo_is_known() -> None:
    normals, _ = dome()
    normals, truth = normals.reshape(-1, 3), side_light((1.1, 1.0, 0.9))
    albedo = np.random.default_rng(0).uniform(0.2, 0.8, (len(normals), 3))
    colour = albedo * (sh_basis(normals) @ truth)
    settings = AlbedoSettings(correlation=0.01)
    light = solve_light(colour, albedo, normals, np.ones((len(normals), 3)), np.ones(3), settings)
    shading, expected = sh_basis(normals) @ light, sh_basis(normals) @ truth
    assert np.abs(shading - expected).max() < 0.02


@pytest.mark.parametrize("tone", [-2.0, 0.0, 1.2])
def test_side_light_does_not_enter_the_albedo(tone: float) -> None:
    model = skin_model()
    truth = np.zeros((3, COMPONENTS))
    truth[:, 0] = tone
    truth[0, 2] = 1.0
    observation = photograph(model, truth, side_light())
    mask = np.ones((SIZE, SIZE))
    fit = fit_albedo(model, observation, mask, AlbedoSettings(correlation=1.0), NullReporter())
    decoded = model.mean + np.einsum("ck,ckn->cn", fit.coefficients, model.basis)
    expected = model.mean + np.einsum("ck,ckn->cn", truth, model.basis)
    difference = decoded - expected
    left_right = difference.reshape(3, SIZE, SIZE)
    assert np.abs(left_right[..., :8].mean() - left_right[..., -8:].mean()) < 0.04
    assert fit.residual < 0.03


def test_hair_over_the_skin_is_not_believed() -> None:
    model = skin_model()
    observation = photograph(model, np.zeros((3, COMPONENTS)), side_light())
    colour = observation.colour.copy()
    colour[:6, :16] = 0.004
    dirty = TexelObservation(
        observation.position,
        observation.normal,
        colour,
        observation.facing,
        observation.visible,
        observation.person,
    )
    mask = np.ones((SIZE, SIZE))
    fit = fit_albedo(model, dirty, mask, AlbedoSettings(correlation=1.0), NullReporter())
    assert fit.skin[:5, :15].mean() < 0.2 * fit.skin[12:].mean()


def test_unseen_texels_get_no_trust() -> None:
    model = skin_model()
    observation = photograph(model, np.zeros((3, COMPONENTS)), side_light())
    visible = observation.visible.copy()
    visible[:, :10] = False
    hidden = TexelObservation(
        observation.position,
        observation.normal,
        observation.colour,
        observation.facing,
        visible,
        observation.person,
    )
    mask = np.ones((SIZE, SIZE))
    fit = fit_albedo(model, hidden, mask, AlbedoSettings(), NullReporter())
    assert fit.skin[:, :10].max() == 0.0
    assert fit.skin[:, 12:].min() > 0.0


def test_photos_of_one_person_share_the_albedo_and_keep_their_own_light() -> None:
    model, mask = skin_model(), np.ones((SIZE, SIZE))
    truth = np.zeros((3, COMPONENTS))
    truth[:, 0], truth[1, 2] = -1.0, 1.0
    other = side_light((1.1, 1.0, 0.9))
    other[3] *= -1.0
    photos = [photograph(model, truth, light) for light in (side_light(), other)]
    settings = AlbedoSettings(correlation=1.0)
    fits = fit_albedos(model, photos, mask, settings, NullReporter())
    assert fits[0].coefficients is fits[1].coefficients
    assert fits[0].light[3, 1] > 0.3 and fits[1].light[3, 1] < -0.3
    alone = fit_albedo(model, photos[0], mask, settings, NullReporter())
    off = [np.abs(one.coefficients - truth)[:, 1:].mean() for one in (fits[0], alone)]
    assert off[0] < off[1] + 0.02


@pytest.mark.parametrize("held", ["albedo", "light"])
def test_what_is_held_stays_as_it_was(held: str) -> None:
    model, mask = skin_model(), np.ones((SIZE, SIZE))
    photo = photograph(model, np.zeros((3, COMPONENTS)), side_light())
    settings = AlbedoSettings(correlation=1.0)
    first = fit_albedo(model, photo, mask, settings, NullReporter())
    start = replace(
        first, coefficients=first.coefficients + 0.5, light=first.light + 0.1 * ambient_light()
    )
    again = fit_albedos(model, [photo], mask, settings, NullReporter(), [start], frozenset({held}))
    same = {
        "albedo": np.array_equal(again[0].coefficients, start.coefficients),
        "light": np.array_equal(again[0].light, start.light),
    }
    assert [name for name, kept in same.items() if kept] == [held]


def test_a_start_that_does_not_fit_the_photos_is_refused() -> None:
    model, mask = skin_model(), np.ones((SIZE, SIZE))
    photo = photograph(model, np.zeros((3, COMPONENTS)), side_light())
    for start, held in ((None, {"light"}), ([], set()), (None, {"pose"})):
        with pytest.raises(EngineError):
            fit_albedos(
                model, [photo], mask, AlbedoSettings(), NullReporter(), start, frozenset(held)
            )


def test_channels_that_the_camera_cut_off_do_not_dim_the_light() -> None:
    model, mask = skin_model(), np.ones((SIZE, SIZE))
    truth = side_light() * 1.6
    photo = photograph(model, np.zeros((3, COMPONENTS)), truth)
    burnt = replace(photo, colour=np.minimum(photo.colour, 1.0))
    assert (photo.colour > 1.0).mean() > 0.04
    settings = AlbedoSettings(correlation=0.01)
    start = AlbedoFit(np.zeros((3, COMPONENTS)), side_light(), mask, 0.0)
    held = frozenset({"albedo"})
    found = fit_albedos(model, [burnt], mask, settings, NullReporter(), [start], held)[0]
    np.testing.assert_allclose(found.light[[0, 1, 3]], truth[[0, 1, 3]], atol=0.3)
