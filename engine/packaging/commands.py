"""The commands of build_addon.py, each from the environment to the last line printed."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from engine.packaging.environment import GROUPS, EnvironmentOptions, environment
from engine.packaging.extension import build_zip, size_note
from engine.packaging.index import FOLDER as REPOSITORY
from engine.packaging.index import make_index
from engine.packaging.licences import LICENCE_FILE, licence_text
from engine.packaging.photo import astronaut_photo
from engine.packaging.problems import SetupError
from engine.packaging.progress import Progress
from engine.packaging.system import check_machine
from engine.packaging.test_run import run_all

_COMPARE = "compare.png"
_SHOWN_LINES = 15


def demo(options: EnvironmentOptions, photo: Path | None) -> int:
    """From a photo (None: the astronaut's) to 3D files in `output/<photo name>/`. Exit code."""
    progress = Progress()
    check_machine()
    root = options.root
    if photo is not None and not photo.is_file():
        raise SetupError(f"There is no photo {photo}.", "Give the path of a picture with a face.")
    python = environment(options, ("engine", "blender"), progress)
    _build_pack(root, python, progress)
    photo = photo or astronaut_photo(root / "build", python)
    folder = root / "output" / photo.stem
    result = folder / "result"
    progress.say(f"reconstructing {photo}")
    code = _engine(root, python, ["fit", str(photo.resolve()), "--out", str(result)])
    if code:
        return code
    progress.say("building the head in Blender, writing head.blend, head.glb, head.fbx")
    code = _in_blender(root, python, result, folder, ("blend", "glb", "fbx"))
    if code:
        return code
    shutil.copyfile(result / _COMPARE, folder / _COMPARE)
    progress.say("done")
    for name in (_COMPARE, "head.blend", "head.glb", "head.fbx", "result"):
        print(folder / name)
    return 0


def test(options: EnvironmentOptions, arguments: list[str]) -> int:
    """The test suite, its folders side by side; the last line sums up. Exit code.

    arguments: for pytest, which then runs alone in one process.
    """
    progress = Progress()
    check_machine()
    python = environment(options, GROUPS, progress)
    _build_pack(options.root, python, progress)
    progress.say("running the tests")
    required = os.environ | {"UVAPM_REQUIRE_PACK": "1"}
    if not arguments:
        return run_all(options.root, python, required)
    command = [str(python), "-m", "pytest", *arguments]
    return subprocess.call(command, cwd=options.root, env=required)


def index(options: EnvironmentOptions) -> int:
    """A repository folder `dist/repository` that Blender installs and updates from. Exit code."""
    progress = Progress()
    check_machine()
    python = environment(options, ("engine", "blender"), progress)
    _build_pack(options.root, python, progress)
    progress.say("writing and checking the extension")
    built = build_zip(options.root, options.root / "dist", python)
    print(make_index(built.path, options.root / "dist" / REPOSITORY, python))
    return 0


def write_licences(options: EnvironmentOptions) -> int:
    """Write THIRD_PARTY.md from the default pack and the lock. Exit code."""
    progress = Progress()
    check_machine()
    _build_pack(options.root, environment(options, ("engine",), progress), progress)
    path = options.root / LICENCE_FILE
    path.write_text(licence_text(options.root), encoding="utf-8")
    print(path)
    return 0


def lock_wheels(options: EnvironmentOptions, write: bool) -> int:
    """Write `wheels/engine-lock.json`, or compare it with the package index. Exit code: 1 when
    they differ, 3 when a pin has no wheel on some platform and Python."""
    progress = Progress()
    check_machine()
    python = environment(options, GROUPS, progress)
    progress.say("asking for the engine's wheels of every platform and Python")
    words = ["--write"] if write else []
    return _wheels("lock", python, options, words)


def make_bundle(options: EnvironmentOptions, platform: str, version: str, torch: str) -> int:
    """The extension with the wheels of one platform and Python inside. Exit code."""
    progress = Progress()
    check_machine()
    python = environment(options, GROUPS, progress)
    _build_pack(options.root, python, progress)
    progress.say("writing and checking the extension")
    built = build_zip(options.root, options.root / "dist", python)
    progress.say(f"fetching the wheels for {platform}, Python {version}, torch for {torch}")
    words = [str(built.path), "--platform", platform, "--python", version, "--torch", torch]
    return _wheels("bundle", python, options, words)


def _wheels(module: str, python: Path, options: EnvironmentOptions, words: list[str]) -> int:
    command = [str(python), "-m", f"engine.packaging.wheels.{module}", str(options.root), *words]
    command += ["--torch-index", options.torch_index] if options.torch_index else []
    return subprocess.call(command, cwd=options.root)


def make_zip(options: EnvironmentOptions) -> int:
    """The extension in `dist/`, validated. Exit code."""
    progress = Progress()
    check_machine()
    python = environment(options, ("engine", "blender"), progress)
    _build_pack(options.root, python, progress)
    progress.say("writing and checking the extension")
    built = build_zip(options.root, options.root / "dist", python)
    progress.say("done")
    print(f"size   {size_note(built)}")
    print(f"sha256 {built.sha256}")
    print(built.path)
    return 0


def export(
    options: EnvironmentOptions, result: Path, folder: Path, formats: tuple[str, ...]
) -> int:
    """Write head.<format> of a result directory into `folder`. Exit code."""
    progress = Progress()
    check_machine()
    if not (result / "result.json").is_file():
        raise SetupError(
            f"{result} is not a result directory: it has no result.json.",
            "Give the folder that `python -m engine fit PHOTO --out FOLDER` wrote.",
        )
    python = environment(options, ("engine", "blender"), progress)
    progress.say(f"building the head in Blender, writing {', '.join(formats)}")
    code = _in_blender(options.root, python, result, folder, formats)
    if code == 0:
        for name in formats:
            print(folder / f"head.{name}")
    return code


def _build_pack(root: Path, python: Path, progress: Progress) -> None:
    progress.say("looking after the default head pack")
    code = _engine(root, python, ["packs", "build", "default"])
    if code:
        raise SetupError("The default head pack was not built; the reason stands above.", "")


def _engine(root: Path, python: Path, arguments: list[str]) -> int:
    """Progress and complaints come through; the path that it prints at the end does not."""
    command = [str(python), "-m", "engine", *arguments]
    return subprocess.run(command, cwd=root, stdout=subprocess.DEVNULL).returncode


def _in_blender(
    root: Path, python: Path, result: Path, folder: Path, formats: tuple[str, ...]
) -> int:
    """Run the Blender job in a process of its own, with an empty Blender user folder."""
    command = [str(python), "-m", "engine.packaging.blender_job"]
    command += [str(result.resolve()), str(folder.resolve()), *formats]
    with tempfile.TemporaryDirectory(prefix="uvapm-blender-", ignore_cleanup_errors=True) as home:
        own = os.environ | {"BLENDER_USER_RESOURCES": home}
        done = subprocess.run(command, cwd=root, env=own, capture_output=True, text=True)
    if done.returncode:
        # Blender and its exporters talk a lot; on a failure the end of it is worth reading.
        talk = (done.stdout + done.stderr).strip().splitlines()
        print("\n".join(talk[-_SHOWN_LINES:]), file=sys.stderr)
    return done.returncode
