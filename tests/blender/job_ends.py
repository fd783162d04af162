"""A job runs while scripts are reloaded ("reload"), or while the script ends by an exception
("raise"). Run by test_blender_enable.py in a process of its own, as an extension from this folder.

    python job_ends.py HOW FAKE_ENGINE PHOTO OUT
"""

import importlib
import json
import os
import sys
import time
from pathlib import Path

import bpy

HOW, FAKE_ENGINE, PHOTO, OUT = sys.argv[1:]
ROOT = Path(__file__).resolve().parents[2]
PACKAGE = "bl_ext.uvapm_dev.uvapm"


def enable() -> None:
    """The repository as an extension of Blender."""
    Path(OUT, "repository").mkdir()
    Path(OUT, "repository", "uvapm").symlink_to(ROOT, target_is_directory=True)
    bpy.ops.wm.read_factory_settings(use_empty=True)
    bpy.context.preferences.extensions.repos.new(
        name="dev", module="uvapm_dev", custom_directory=str(Path(OUT, "repository"))
    )
    bpy.ops.preferences.addon_enable(module=PACKAGE)
    settings = bpy.context.preferences.addons[PACKAGE].preferences
    settings.results_folder = str(Path(OUT, "results"))


def begin(runtime) -> int:
    """A job without an end; returns the process id of its engine."""
    launch = importlib.import_module(f"{PACKAGE}.uvapm_blender.engine_client.launch").Launch
    made = launch((sys.executable, "-u", FAKE_ENGINE, "well"), str(ROOT), ())
    runtime.make_launch = lambda context: made
    runtime.start_job(bpy.context, [Path(PHOTO)])
    session, end = runtime.RUNTIME.session, time.monotonic() + 20.0
    while not session.status.stage and time.monotonic() < end:
        session.pump()
        time.sleep(0.01)
    return session._process.pid


def main() -> None:
    enable()
    runtime = importlib.import_module(f"{PACKAGE}.uvapm_blender.runtime")
    engine = begin(runtime)
    if HOW == "raise":
        print(f"ENGINE {engine}", flush=True)
        raise RuntimeError("the end")
    bpy.utils.load_scripts(reload_scripts=True)  # what the operator does a moment later
    facts = {
        "engine": engine,
        "words": str(runtime.RUNTIME.error),
        "busy": runtime.RUNTIME.session.busy,
        "panel": hasattr(bpy.types, "UVAPM_PT_main"),
        "same": sys.modules[runtime.__name__] is runtime,
    }
    facts["again"] = begin(runtime) != engine and runtime.RUNTIME.session.busy
    runtime.close()
    print("FACTS " + json.dumps(facts), flush=True)
    os._exit(0)  # Blender 4.5 and before hang or crash at exit once scripts were reloaded


main()
