"""A job from its photo to its result directory: the only place of the fit that touches files."""

import tempfile
from functools import lru_cache
from pathlib import Path

import numpy as np

from ..beside import beside
from ..device import choose_device
from ..nets.deep3d import read_deep3d
from ..protocol.conventions import signed_to_unit, unit_to_shorts
from ..protocol.edits import Edits, read_edits
from ..protocol.history import FitStep, edits_to_plain, with_step
from ..protocol.job import FILE_SETS, FitJob
from ..protocol.result import ResultMesh
from ..protocol.result_schema import MeshInfo, PackInfo
from ..reporter import Reporter
from ..result.contents import ResultContents
from ..result.folder import check_output
from ..result.metrics import psnr
from ..result.write import ENCODERS, png_bytes, write_result
from .backends import Backends, with_fallback
from .fine_maps import fine_pictures
from .light_meter import read_light_meter
from .loaded import LoadedPack, stored_expression
from .pictures import (
    compare_picture,
    over_photo,
    pad_seams,
    painted,
    preview_picture,
    render_crop,
    residual_picture,
    sheet_views,
)
from .reconstruct import Reconstruction, StageClock, reconstruct_person
from .request import FitRequest
from .session import Session
from .settings import with_preset
from .shape.start_net import check_net
from .state import read_state, with_edits

PREVIEW_SIZE = 320


def run_fit(job: FitJob, reporter: Reporter, session: Session) -> Path:
    """Run a job and return its result directory. Raises EngineError and Cancelled.

    Nothing is written before the fit is done but a preview in a temporary folder of its own.
    """
    if choose_device(job.device) != "cpu" and job.device != "auto":
        reporter.warning("The fit runs on the CPU: a graphics card is not used yet.")
    output = Path(job.output)
    check_output(output)
    loaded = session.pack(job.pack, job.albedo, job.detail, Backends.of_job(job))
    start = None if job.start is None else read_state(Path(job.start), loaded)
    edits = None if job.edits is None else read_edits(Path(job.edits))
    if start is not None and edits is not None:
        start = with_edits(start, edits)
    held = frozenset(job.locks)
    sheet = job.files == FILE_SETS[0]
    net = None if job.start_net is None else read_deep3d(Path(job.start_net))
    if net is not None:
        check_net(net, loaded)
    request = FitRequest(job.face, job.texture_size, job.seed, start, held, job.pins, sheet, net)
    clock, settings = StageClock(reporter), with_preset(session.settings, job.preset)
    with clock.stage("prepare"):
        person = session.person(job.photos, loaded, job.face, settings, reporter)
    loaded = with_fallback(loaded, reporter)
    with tempfile.TemporaryDirectory(prefix="uvapm-preview-") as folder:

        def show(vertices: np.ndarray) -> None:
            path = Path(folder, "preview.png")
            path.write_bytes(png_bytes(preview_picture(vertices, loaded, PREVIEW_SIZE)))
            reporter.preview(str(path))

        result = reconstruct_person(person, loaded, request, settings, reporter, clock, show)
        with clock.stage("write"):
            history = with_step(() if start is None else start.history, _step(job, edits))
            contents = result_contents(job, result, loaded, reporter, history)
            reporter.progress(4, 5)
            return write_result(output, contents)


def _step(job: FitJob, edits: Edits | None) -> FitStep:
    told = dict(edits_to_plain(edits))
    return FitStep(job.seed, job.texture_size, job.fine_size, job.locks, job.pins, told)


def result_contents(
    job: FitJob,
    result: Reconstruction,
    loaded: LoadedPack,
    reporter: Reporter,
    history: tuple[FitStep, ...] = (),
) -> ResultContents:
    """Everything that the result directory holds. Raises Cancelled."""
    head, shape = loaded.head, result.shape
    paths = [job.photos[index] for index in result.indices]
    main, *others = (one.info(path) for one, path in zip(result.photos, paths, strict=True))
    people, render, compare = job.files == FILE_SETS[0], None, None
    with beside(ENCODERS) as start:
        if people:
            materials = painted(result, loaded, result.detail.albedo)
            views = start(sheet_views, result, loaded, materials)
        fine_maps = start(_fine_maps, job, result, loaded)
        layer_maps = _layer_maps(result, loaded)
        eye = {} if result.eye is None else {"eye": result.eye}
        encoding = {name: start(png_bytes, each) for name, each in (layer_maps | eye).items()}
        own = sorted(loaded.textures.keys() - eye.keys())
        encoding |= {name: start(_texture_png, loaded, name) for name in own}
        baked, baked_map = read_light_meter(result, loaded)
        reporter.progress(1, 5)
        residual = residual_picture(result, result.skin)
        reporter.progress(2, 5)
        if people:
            rgb, alpha = render_crop(result, materials)
            render = over_photo(result, rgb, alpha)
            compare = compare_picture(result, views.result(), rgb, alpha)
        pack_maps = dict(loaded.textures) | eye
        maps = layer_maps | fine_maps.result() | pack_maps | {"baked_light": baked_map}
    encoded = {f"maps/{name}.png": waiting.result() for name, waiting in encoding.items()}
    reporter.progress(3, 5)
    expression = stored_expression(loaded)
    return ResultContents(
        pack=PackInfo(head.id, head.version, head.sha),
        seed=job.seed,
        photo=main.photo,
        camera=main.camera,
        light=main.light,
        others=tuple(others),
        history=history,
        mesh=ResultMesh(result.neutral, expression, head.quads, head.corner_uv, head.face_part),
        mesh_info=MeshInfo(head.expression_names, head.part_names),
        coefficients={
            "identity": shape.identity,
            "expression": shape.expression,
            "albedo": result.albedo.coefficients,
            **({} if result.detail.alpha is None else {"detail": result.detail.alpha}),
        },
        maps=maps,
        render=render,
        compare=compare,
        residual=residual,
        stages=dict(result.seconds),
        metrics={**measure(result, result.skin), "baked_light": baked},
        warnings=result.warnings,
        albedo_pack=loaded.albedo_pack,
        detail_pack=loaded.detail_pack,
        encoded=encoded,
    )


def measure(result: Reconstruction, rgb: np.ndarray) -> dict[str, float]:
    """Figures of the fit.

    rgb: render of the head on the working crop, sRGB. landmark_error: over the outer-eye
    distance; render_psnr: dB over the face's skin, photo layer included; seen_share: of the
    layout; coarse_residual: rms over the skin in UV space, sRGB; presence: the mesh net's score;
    residual_... and share_...: see `layer_errors`.
    """
    crop = result.prepared.crop
    seen = (result.detail.origin > 0.9).sum() / max(int((result.detail.origin > 0).sum()), 1)
    return {
        "landmark_error": result.shape.relative_error,
        "render_psnr": psnr(rgb, crop.image, result.face),
        "seen_share": float(seen),
        "coarse_residual": result.albedo.residual,
        "presence": float(result.prepared.presence),
        **result.layer_errors,
    }


def _layer_maps(result: Reconstruction, loaded: LoadedPack) -> dict[str, np.ndarray]:
    """The maps of the albedo's layers."""
    found = result.detail
    return {
        "albedo_coarse": pad_seams(result.coarse, loaded),
        "albedo_detail": unit_to_shorts(signed_to_unit(found.detail)),
        "photo_layer": pad_seams(signed_to_unit(found.layer), loaded),
        "albedo": pad_seams(found.albedo, loaded),
        "origin": found.origin,
        "confidence": found.confidence,
    }


def _fine_maps(job: FitJob, result: Reconstruction, loaded: LoadedPack) -> dict[str, np.ndarray]:
    """See `fine_pictures`."""
    found = result.detail
    detail = None if found.alpha is None else found.detail
    return fine_pictures(
        loaded, result.neutral, result.coarse, detail, job.fine_size, job.seed, found.origin
    )


@lru_cache(maxsize=8)
def _texture_png(loaded: LoadedPack, name: str) -> bytes:
    """The pack's picture of a part as a file: once a pack."""
    return png_bytes(loaded.textures[name])
