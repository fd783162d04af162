"""The small zip in a Blender of its own: the engine fetched online, with cancels, a photo,
nothing left. Run by hand, as it fetches 350 MB from the package indices that pip knows:
online_life.py ZIP PHOTO [--cancel PACKAGE]... [--index TEXT], with an empty BLENDER_USER_RESOURCES.

Prints one line of facts; ends with exit code 1 when one of them is not as it should be.
"""

import argparse
import importlib
import json
import os
import sys
import time
from pathlib import Path

import bpy

sys.path.insert(0, str(Path(__file__).parent))
from bundle_life import MODULE, install, remaining

HALF = 0.4
"""Part of a package after which it is cancelled."""


def watched(package: str, size: int) -> dict[str, object]:
    """Press Install Engine; with a package, cancel in the middle of it. How it went."""
    runtime = importlib.import_module(f"{MODULE}.uvapm_blender.install.runtime")
    run, begun, asked = runtime.ENGINE.installer, time.perf_counter(), 0.0
    laps: dict[str, float] = {}
    first: dict[str, int] = {}
    plain = type(run).pump

    def pump() -> bool:
        nonlocal asked
        changed = plain(run)
        step = run.status.step
        name = step.text or "start"
        laps[name] = round(time.perf_counter() - begun, 1)
        first.setdefault(name, step.done)
        if not asked and name == f"Fetching {package}" and step.done - first[name] > HALF * size:
            asked = time.perf_counter()
            run.cancel()
        return changed

    run.pump = pump
    try:
        done = bpy.ops.uvapm.install_engine()
    except RuntimeError as error:
        done = {str(error).strip()}
    del run.pump
    now = time.perf_counter()
    facts: dict[str, object] = {"ended": sorted(done), "seconds": round(now - begun, 1)}
    facts |= {"note": runtime.ENGINE.note, "until_second": laps}
    if asked:
        facts["cancel_seconds"] = round(now - asked, 2)
        facts["kept_bytes"] = runtime.current_plan().fetched
    return facts


def main() -> dict[str, object]:
    """Walk through it; each step's seconds and what it left."""
    parser = argparse.ArgumentParser()
    parser.add_argument("zip", type=Path)
    parser.add_argument("photo", type=Path)
    parser.add_argument("--cancel", action="append", default=[])
    parser.add_argument("--index", default="")
    chosen = parser.parse_args()
    facts: dict[str, object] = {"blender": bpy.app.version_string}
    install(chosen.zip)
    home = Path(os.environ["BLENDER_USER_RESOURCES"])
    bpy.context.preferences.system.use_online_access = True
    bpy.context.preferences.addons[MODULE].preferences.torch_index = chosen.index
    runtime = importlib.import_module(f"{MODULE}.uvapm_blender.install.runtime")
    plan = runtime.current_plan()
    facts["download"] = plan.download
    sizes = {wheel.name: wheel.size for wheel in plan.lacking}
    facts["cancelled"] = [watched(name, sizes[name]) for name in chosen.cancel]
    facts["installed"] = watched("", 0)
    begun = time.perf_counter()
    try:
        fitted = bpy.ops.uvapm.reconstruct(filepath=str(chosen.photo))
    except RuntimeError as error:
        fitted = {str(error)}
    facts |= {"fitted": sorted(fitted), "fit_seconds": round(time.perf_counter() - begun, 1)}
    begun = time.perf_counter()
    bpy.ops.uvapm.uninstall_engine()
    facts["uninstall_seconds"] = round(time.perf_counter() - begun, 1)
    facts["engine_left"] = [
        name for name in remaining(home) if "/engine-env" in name or "/engine-cache" in name
    ]
    return facts


if __name__ == "__main__":
    found = main()
    print("FACTS", json.dumps(found, indent=1), flush=True)
    good = found["fitted"] == ["FINISHED"] and not found["engine_left"]
    os._exit(0 if good else 1)  # Blender 4.2 crashes at its end
