"""How long a detail slider takes in Blender: `python tests/blender/bench_sliders.py [SIZE ...]`.

A benchmark, no test: a head with random maps of each size (default 512 1024 2048), a slider moved
as Blender moves it, milliseconds until the image holds the new pixels. Redraw not included.
"""

import importlib.util
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MOVES = 12


def main(sizes: list[int]) -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory(prefix="uvapm-bench-", ignore_cleanup_errors=True) as scratch:
        os.environ["BLENDER_USER_RESOURCES"] = scratch
        bpy, tiny, build = _blender()
        print(f"Blender {bpy.app.version_string}, {os.cpu_count()} cores")
        print("size  first ms  median ms  longest ms  CPU ms")
        for size in sizes:
            folder = _result(tiny, Path(scratch, str(size)), size)
            detail = build(folder).root.uvapm.detail
            first, _ = _move(detail, 0.0)
            times = [_move(detail, 0.1 + step / MOVES) for step in range(MOVES)]
            clock, processor = zip(*times, strict=True)
            figures = (first, statistics.median(clock), max(clock), statistics.median(processor))
            print(f"{size:<5}" + "".join(f"{1e3 * figure:10.1f}" for figure in figures), flush=True)
    sys.stdout.flush()
    os._exit(0)  # Blender as a module tells about its memory at length


def _move(detail: object, value: float) -> tuple[float, float]:
    start, begun = time.perf_counter(), time.process_time()
    detail.pores = value
    return time.perf_counter() - start, time.process_time() - begun


def _blender():
    """bpy with the add-on, the tiny result's writer, and build(folder)."""
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
    return bpy, tiny, lambda folder: scene.build_scene(read(folder), bpy.context)


def _result(tiny, folder: Path, size: int) -> Path:
    """A tiny result whose maps have `size` texels a side."""
    tiny.SIZE = size
    return tiny.write_tiny_result(folder, folder.parent / "portrait.png")


if __name__ == "__main__":
    main([int(size) for size in sys.argv[1:]] or [512, 1024, 2048])
