"""The whole fit of a person's photos: the stages in order, as one function of values."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

import numpy as np

from ..beside import beside
from ..photo.load import Photo
from ..photo.prepare import PreparedPhoto
from ..protocol.albedo import decode_albedo
from ..protocol.landmarks68 import check_inside
from ..render.resize import resize_texture
from ..reporter import Reporter
from .albedo.occluders import fit_uncovered_albedos
from .albedo.stage import AlbedoFit
from .detail.layers import LayerTask, fit_layers
from .detail.stage import DetailFit
from .eyes.of_photos import eye_texture, with_gazes
from .hold import held_regions, hold_albedo, hold_identity
from .loaded import LoadedPack, evidence_mask
from .paper.run import fit_paper
from .request import FitRequest
from .seen.fitted_photo import FittedPhoto
from .seen.geometry import head_shape
from .seen.look import look_at
from .seen.observe import FittedView
from .seen.surfaces import PictureSurfaces
from .settings import FitSettings, shape_settings
from .several import PreparedPerson, prepare_person
from .shape.pins import missed_pins, pinned_points
from .shape.regressed import believed_view
from .shape.stage import HOLDABLE as SHAPE_PARTS
from .shape.stage import ShapeFit, fit_shapes
from .shape.start_net import net_start
from .shape.view import shape_view

STAGES = ("prepare", "shape", "albedo", "detail", "write")
"""Names in order; the last one belongs to the caller."""


@dataclass(frozen=True, eq=False)
class Reconstruction:
    """Everything the fit found.

    photos: those of the person, the main one first, and `indices` theirs among the photos given;
    neutral (V, 3) metres, model space; coarse (T, T, 3) sRGB; eye (S, S, 3) sRGB: texture of the
    eyes, None when the pack has none; layer_errors, skin, surfaces: see `FittedLayers`; seconds by
    stage. The properties are the main photo's.
    """

    photos: tuple[FittedPhoto, ...]
    indices: tuple[int, ...]
    neutral: np.ndarray
    coarse: np.ndarray
    eye: np.ndarray | None
    detail: DetailFit
    layer_errors: dict[str, float]
    skin: np.ndarray
    surfaces: PictureSurfaces | None
    seconds: dict[str, float]
    warnings: tuple[str, ...]

    @property
    def prepared(self) -> PreparedPhoto:
        """See FittedPhoto."""
        return self.photos[0].prepared

    @property
    def shape(self) -> ShapeFit:
        """See FittedPhoto."""
        return self.photos[0].shape

    @property
    def vertices(self) -> np.ndarray:
        """See FittedPhoto."""
        return self.photos[0].vertices

    @property
    def face(self) -> np.ndarray:
        """See FittedPhoto."""
        return self.photos[0].face

    @property
    def albedo(self) -> AlbedoFit:
        """See FittedPhoto."""
        return self.photos[0].albedo


class StageClock:
    """Announces stages and notes how long each took."""

    def __init__(self, reporter: Reporter) -> None:
        self._reporter = reporter
        self.seconds: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """One stage; raises Cancelled."""
        self._reporter.stage(name, STAGES.index(name), len(STAGES))
        start = time.perf_counter()
        yield
        self.seconds[name] = time.perf_counter() - start


MUCH_COVERED = 0.15
"""Share of the face from which the user is told that it is covered. Ours: a fringe is below."""


def _warnings(
    prepared: PreparedPhoto, shape: ShapeFit, covered: np.ndarray, face: np.ndarray
) -> Iterator[str]:
    """What the user should know. covered, face (S, S) in [0, 1]: of the skin's layout."""
    if prepared.faces > 1:
        yield (
            f"{prepared.faces} faces were found; this head is number {prepared.face} by size, "
            "counted from 0."
        )
    if shape.outer_eye_pixels < 60.0:
        yield "The face is small in the photo: expect a soft texture."
    yaw = np.degrees(np.arcsin(np.clip(-shape.rotation[2, 0], -1.0, 1.0)))
    if abs(yaw) > 40.0:
        yield "The face is turned far to the side: half of it is completed, not seen."
    if shape.relative_error > 0.04:
        yield "The landmarks fit badly; the shape may not look like the person."
    share = float((covered * face).sum() / face.sum())
    if share > MUCH_COVERED:
        yield (
            f"{share:.0%} of the face is covered in the photo (by hair, glasses, a hand or a hat) "
            "and was completed."
        )


def _missed_pins(
    prepared: PreparedPhoto,
    shape: ShapeFit,
    loaded: LoadedPack,
    request: FitRequest,
    settings: FitSettings,
) -> list[str]:
    """What the user should know of the pins."""
    pins = pinned_points(loaded.head, loaded.landmarks, request.pins)
    if pins is None:
        return []
    far = settings.shape.pin_missed
    return missed_pins(pins, shape_view(prepared), shape.identity, shape.state, far)


def _fit_shapes(
    prepared: Sequence[PreparedPhoto],
    loaded: LoadedPack,
    request: FitRequest,
    settings: FitSettings,
    reporter: Reporter,
) -> tuple[ShapeFit, ...]:
    """Stage 1 with what the request holds. Raises Cancelled."""
    views = [believed_view(one, loaded) for one in prepared]
    shape = shape_settings(settings.shape, loaded.pack.manifest.fit)
    basis, names, start = loaded.landmarks, loaded.head.expression_names, request.start
    shapes = None if start is None else start.shapes
    if start is None and request.net is not None:
        begin = net_start(request.net, loaded, prepared, views)
        views, shapes = begin.told(views), begin.fits
    held = request.held & SHAPE_PARTS
    pins = pinned_points(loaded.head, basis, request.pins)
    found = fit_shapes(basis, names, views, shape, reporter, shapes, held, pins)
    regions = held_regions(request.held)
    if start is None or shapes is None or not regions or "identity" in held:
        return found
    identity = hold_identity(loaded, found[0].identity, shapes[0].identity, regions)
    found = tuple(replace(one, identity=identity) for one in found)
    return fit_shapes(basis, names, views, shape, reporter, found, held | {"identity"}, pins)


def _fit_albedos(
    views: Sequence[FittedView],
    loaded: LoadedPack,
    request: FitRequest,
    settings: FitSettings,
    reporter: Reporter,
) -> tuple[tuple[AlbedoFit, ...], tuple[np.ndarray, ...]]:
    """Stage 2 with what the request holds, and what covers the skin. Raises Cancelled."""
    start = request.start
    albedos = None if start is None else start.albedos
    held = request.held & {"albedo", "light"}
    found, covers = fit_uncovered_albedos(loaded, views, settings, reporter, albedos, held)
    regions = held_regions(request.held)
    if albedos is None or not regions or "albedo" in held:
        return found, covers
    free, old = found[0].coefficients, albedos[0].coefficients
    coefficients = hold_albedo(loaded, free, old, regions)
    return tuple(replace(one, coefficients=coefficients) for one in found), covers


def _fit_skins(
    prepared: Sequence[PreparedPhoto],
    shapes: Sequence[ShapeFit],
    posed: Sequence[tuple[np.ndarray, np.ndarray]],
    loaded: LoadedPack,
    request: FitRequest,
    settings: FitSettings,
    reporter: Reporter,
) -> tuple[FittedPhoto, ...]:
    """Stage 2. posed: of each photo the vertices (V, 3), see `head_shape`. Raises Cancelled."""
    three = zip(prepared, shapes, posed, strict=True)
    looks = [look_at(one, shape, both[0], loaded) for one, shape, both in three]
    reporter.progress(0, settings.albedo.rounds)
    views = [view for view, _ in looks]
    albedos, covers = _fit_albedos(views, loaded, request, settings, reporter)
    return tuple(
        FittedPhoto(one, shape, both[0], *look, albedo, cover)
        for one, shape, both, look, albedo, cover in zip(
            prepared, shapes, posed, looks, albedos, covers, strict=True
        )
    )


def reconstruct(
    photos: Sequence[Photo],
    loaded: LoadedPack,
    request: FitRequest,
    settings: FitSettings,
    reporter: Reporter,
    clock: StageClock,
    show: Callable[[np.ndarray], None],
) -> Reconstruction:
    """`prepare_person` and `reconstruct_person`: see there."""
    with clock.stage("prepare"):
        person = prepare_person(
            photos, loaded.nets, request.face, settings.prepare, settings.several, reporter
        )
    return reconstruct_person(person, loaded, request, settings, reporter, clock, show)


def reconstruct_person(
    person: PreparedPerson,
    loaded: LoadedPack,
    request: FitRequest,
    settings: FitSettings,
    reporter: Reporter,
    clock: StageClock,
    show: Callable[[np.ndarray], None],
) -> Reconstruction:
    """Fit shape, camera, light, coarse albedo, detail and the photo layer to photos of a person.

    show: called with the vertices (V, 3) in the first photo as soon as the shape stands, perhaps
    in another thread. Raises EngineError (BAD_INPUT, BAD_SETTINGS) and Cancelled.
    """
    prepared = person.photos
    if request.start is not None:
        request.start.check_photos([one.photo.sha256 for one in prepared])
    check_inside(request.pins, prepared[0].photo.width, prepared[0].photo.height)
    with beside() as start:
        with clock.stage("shape"):
            shapes = _fit_shapes(prepared, loaded, request, settings, reporter)
            posed = [head_shape(loaded.head, one.identity, one.expression) for one in shapes]
            shown = start(show, posed[0][0])
        with clock.stage("albedo"):
            fitted = _fit_skins(prepared, shapes, posed, loaded, request, settings, reporter)
            shown.result()
            if settings.paper is not None:
                fitted, request = fit_paper(loaded, fitted, request, settings.paper, reporter)
            fitted, eyes = with_gazes(loaded, fitted, request.held, settings.eyes)
        with clock.stage("detail"):
            coarse = coarse_albedo(loaded, fitted[0].albedo.coefficients, request.texture_size)
            eye = start(eye_texture, loaded, eyes)
            task = LayerTask(loaded, fitted, coarse, request)
            layers = fit_layers(task, settings, reporter, start)
    main = fitted[0].shape
    covered = fitted[0].covered
    warnings = (
        *person.warnings,
        *_warnings(prepared[0], main, covered, evidence_mask(loaded.head, len(covered))),
        *_missed_pins(prepared[0], main, loaded, request, settings),
    )
    for text in warnings:
        reporter.warning(text)
    return Reconstruction(
        fitted,
        person.indices,
        head_shape(loaded.head, main.identity, main.expression)[1],
        coarse,
        eye.result(),
        layers.fit,
        layers.errors,
        layers.skin,
        layers.surfaces,
        clock.seconds,
        warnings,
    )


def coarse_albedo(loaded: LoadedPack, coefficients: np.ndarray, size: int) -> np.ndarray:
    """(size, size, 3) sRGB albedo of the model, in [0, 1]."""
    model = loaded.albedo
    small = decode_albedo(model.mean, model.basis, model.valid, coefficients)
    return np.clip(resize_texture(small, size), 0.0, 1.0)
