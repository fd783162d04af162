"""How long a slider takes in Blender: `python tests/blender/bench_sliders.py [SIZE ...]`.

A benchmark, no test. Shape: the head of the default pack, a component moved as Blender moves it,
milliseconds until all meshes and their shape keys have the new points. Pictures: a head with
random maps of each size (default 512 1024 2048), milliseconds until the image holds the new pixels,
and how long the timer holds Blender up at a time after that.
Evaluation and redraw are Blender's and are given apart. Run it with the Python of any Blender
module: 4.2 to 5.2.
"""

import dataclasses
import importlib.util
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
MOVES = 12
SHAPE_MOVES = 60


def main(sizes: list[int]) -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory(prefix="uvapm-bench-", ignore_cleanup_errors=True) as scratch:
        os.environ["BLENDER_USER_RESOURCES"] = scratch
        bpy, tiny, build, read = _blender()
        machine = f"{_processor()}, {os.cpu_count()} cores, Python {platform.python_version()}"
        print(f"Blender {bpy.app.version_string}, numpy {np.__version__}, {machine}")
        print("milliseconds             first    median   longest  CPU median")
        result = read(_result(tiny, Path(scratch, "shape"), 64))
        _measure_shape(bpy, build, result)
        for size in sizes:
            tiny_result = read(_result(tiny, Path(scratch, str(size)), size))
            _measure_pictures(build(_default_albedo(tiny_result)).root.uvapm, size)
    sys.stdout.flush()
    os._exit(0)  # Blender as a module tells about its memory at length


def _measure_shape(bpy: object, build: Callable, tiny_result: object) -> None:
    """One component dragged, then all 120 at once, then an expression; the real mesh."""
    if not (ROOT / "packs" / "default" / "pack.json").is_file():
        print("shape: no default pack, run `python -m engine packs build default`")
        return
    result = _default_result(tiny_result)
    root = build(result).root
    components = root.uvapm.shape.components
    skin = next(item for item in root.children_recursive if item.uvapm.role == "SKIN")
    vertices = sum(len(o.data.vertices) for o in root.children_recursive if o.type == "MESH")
    keys = skin.data.shape_keys.key_blocks

    def drag(step: int) -> None:
        components[0].value = 3.0 * np.sin(step / 5.0)

    first = _timed(lambda: drag(1))
    _report("shape, one component", first, [_timed(lambda s=s: drag(s)) for s in _steps()])
    evaluations = []
    for step in _steps():
        drag(step)
        evaluations.append(_timed(bpy.context.view_layer.update))
    _report("  Blender's evaluation", evaluations[0], evaluations[1:])
    draws = [
        _timed(lambda s=s: bpy.ops.uvapm.randomise_shape(seed=s, amount=1.0)) for s in range(MOVES)
    ]
    _report(f"shape, all {len(components)}", draws[0], draws[1:])

    def smile(step: int) -> None:
        keys["mouthSmileLeft"].value = 0.5 + 0.5 * np.sin(step / 5.0)
        bpy.context.view_layer.update()

    steps = [_timed(lambda s=s: smile(s)) for s in _steps()]
    _report("expression, evaluated", steps[0], steps[1:])
    root.uvapm.shape.symmetric = True
    steps = [_timed(lambda s=s: smile(s)) for s in _steps()]
    _report("the same, symmetric", steps[0], steps[1:])
    print(f"({vertices} vertices, {len(keys)} shape keys on the skin)")


def _measure_pictures(head: object, size: int) -> None:
    """Sliders that change pictures, as with a window: a sketch at once, the rest by the timer."""
    settle = importlib.import_module("uvapm.uvapm_blender.detail.settle")
    settle.at_once = lambda: False

    def rest() -> list[tuple[float, float]]:
        ticks = []
        while settle.waits(head.id_data.session_uid):
            wait = []
            ticks.append(_timed(lambda w=wait: w.append(settle.tick())))
            time.sleep(wait[0] or 0.0)
        return ticks

    def drag(name: str, move: Callable[[float], None]) -> None:
        steps = [_timed(lambda s=step: move(0.1 + s / MOVES)) for step in range(MOVES)]
        _report(f"{name} at {size}", steps[0], steps[1:])
        ticks = rest()
        _report("  timer, at rest", ticks[0], ticks[1:] or ticks)

    _report(f"first touch at {size}", _timed(lambda: setattr(head.detail, "pores", 0.5)), rest())
    drag("detail", lambda value: setattr(head.detail, "pores", value))
    if head.skin.components:
        head.skin.lighter = 1.0
        rest()  # the model is read
        drag("component", lambda value: setattr(head.skin.components[3], "value", value))
        drag("tone", lambda value: setattr(head.skin, "lighter", 10.0 * value))


def _default_albedo(tiny_result: object) -> object:
    """The tiny result with the albedo model of the default pack, where that is built."""
    from engine.protocol.pack_manifest import read_manifest

    folder = ROOT / "packs" / "default"
    if not (folder / "pack.json").is_file():
        return tiny_result
    manifest, sha = read_manifest(folder)
    pack = dataclasses.replace(tiny_result.manifest.pack, id=manifest.id, sha256=sha)
    return dataclasses.replace(
        tiny_result,
        manifest=dataclasses.replace(tiny_result.manifest, albedo_pack=pack),
        coefficients=tiny_result.coefficients
        | {"albedo": np.zeros((3, manifest.albedo.components), np.float32)},
    )


def _steps() -> range:
    return range(1, SHAPE_MOVES + 1)


def _default_result(tiny_result: object) -> object:
    """The tiny result with mesh and coefficients of the default pack's average head."""
    from engine.protocol.headpack import read_pack

    pack = read_pack(ROOT / "packs" / "default").head
    manifest = dataclasses.replace(
        tiny_result.manifest,
        pack=dataclasses.replace(
            tiny_result.manifest.pack, id=pack.id, version=pack.version, sha256=pack.sha
        ),
        mesh=dataclasses.replace(
            tiny_result.manifest.mesh,
            expression_names=pack.expression_names,
            part_names=pack.part_names,
        ),
    )
    mesh = dataclasses.replace(
        tiny_result.mesh,
        neutral=pack.mean,
        expression=pack.expression.astype(np.float16),
        quads=pack.quads,
        corner_uv=pack.corner_uv,
        face_part=pack.face_part,
    )
    coefficients = {
        **tiny_result.coefficients,
        "identity": np.zeros(len(pack.identity), np.float32),
        "expression": np.zeros(len(pack.expression), np.float32),
    }
    return dataclasses.replace(tiny_result, manifest=manifest, mesh=mesh, coefficients=coefficients)


def _timed(move: Callable[[], object]) -> tuple[float, float]:
    """Seconds by the wall clock and by the processor."""
    start, begun = time.perf_counter(), time.process_time()
    move()
    return time.perf_counter() - start, time.process_time() - begun


def _report(name: str, first: tuple[float, float], times: list[tuple[float, float]]) -> None:
    clock, processor = zip(*times, strict=True)
    figures = (first[0], statistics.median(clock), max(clock), statistics.median(processor))
    print(f"{name:<21}" + "".join(f"{1e3 * figure:10.1f}" for figure in figures), flush=True)


def _processor() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
        lines = (line for line in text.splitlines() if line.startswith("model name"))
        return next(lines).partition(":")[2].strip()
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def _blender():
    """bpy with the add-on, the tiny result's writer, build(result) and read(folder)."""
    sys.path.insert(0, str(ROOT))
    from engine.packaging.outer_package import name_outer_package

    name_outer_package(ROOT)
    import bpy

    spec = importlib.util.spec_from_file_location(
        "tiny_result", Path(__file__).parent / "tiny_result.py"
    )
    tiny = sys.modules["tiny_result"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tiny)
    bpy.ops.wm.read_factory_settings(use_empty=True)
    bpy.context.preferences.addons.new().module = "uvapm"
    importlib.import_module("uvapm.uvapm_blender").register()
    scene = importlib.import_module("uvapm.uvapm_blender.scene.build")
    read = importlib.import_module("uvapm.engine.protocol.result").read_result
    return bpy, tiny, lambda result: scene.build_scene(result, bpy.context), read


def _result(tiny, folder: Path, size: int) -> Path:
    """A tiny result whose maps have `size` texels a side."""
    tiny.SIZE = size
    return tiny.write_tiny_result(folder, folder.parent / "portrait.png")


if __name__ == "__main__":
    main([int(size) for size in sys.argv[1:]] or [512, 1024, 2048])
