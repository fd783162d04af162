"""The lock and the bundle, with a stand-in for pip and wheels of a few bytes."""

import json
import shutil
import sys
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from engine.packaging.problems import SetupError
from engine.packaging.wheels import bundle, collect, lock
from engine.protocol.errors import EngineError
from engine.protocol.wheel_lock import LOCK_FILE, PLATFORMS, PYTHONS, lock_text, read_lock

PIP = """
import re, shutil, sys
from pathlib import Path
words = sys.argv[1:]
dest = Path(words[words.index("--dest") + 1])
platforms = [b for a, b in zip(words, words[1:]) if a == "--platform"]
python = "cp" + words[words.index("--python-version") + 1].replace(".", "")
for pin in [word for word in words if "==" in word]:
    name, version = pin.split("==")
    found = [
        path for path in Path(__file__).parent.glob(f"{name}-{version}*.whl")
        if path.stem.endswith("-any") or (
            python in path.stem and any(path.stem.endswith(p) for p in platforms))
    ]
    if not found:
        sys.exit(1)
    shutil.copy(found[-1], dest)
"""


def make_wheel(folder: Path, name: str, version: str, tag: str, *needs: str) -> Path:
    """A wheel with METADATA and one file."""
    path = folder / f"{name}-{version}-{tag}.whl"
    lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}", "License: MIT"]
    lines += [f"Requires-Dist: {need}" for need in needs]
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{name}-{version}.dist-info/METADATA", "\n".join(lines) + "\n")
        archive.writestr(f"{name}.py", f"# {tag}")
    return path


def make_index(folder: Path) -> Path:
    """A package index in a folder: torch for every target, with CUDA on one of them."""
    folder.mkdir()
    tags = {"linux-x64": "manylinux_2_28_x86_64", "windows-x64": "win_amd64"}
    tags["macos-arm64"] = "macosx_14_0_arm64"
    for platform in PLATFORMS:
        for python in PYTHONS:
            cp = "cp" + python.replace(".", "")
            cuda = ["nvidia-cudnn>=9"] if (platform, python) == ("linux-x64", "3.13") else []
            make_wheel(folder, "torch", "2.0", f"{cp}-{cp}-{tags[platform]}", "sympy>=1", *cuda)
    make_wheel(folder, "sympy", "1.14", "py3-none-any")
    make_wheel(folder, "pip", lock.INSTALLER.partition("==")[2], "py3-none-any")
    (folder / "pip.py").write_text(PIP)
    return folder


def make_project(root: Path) -> Path:
    """A root with a requirement file."""
    (root / "wheels").mkdir(parents=True)
    text = '# pins\ntorch==2.0\nsympy==1.14  # of torch\ncolorama==0.4; sys_platform == "haiku"\n'
    (root / "wheels" / lock.REQUIREMENTS).write_text(text)
    return root


def use_index(patch: pytest.MonkeyPatch, folder: Path) -> None:
    command = (sys.executable, str(folder / "pip.py"))
    patch.setattr(lock, "PIP", command)
    patch.setattr(bundle, "PIP", command)


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    """A folder with an index, a project whose lock was collected from it, and the cache."""
    folder = tmp_path_factory.mktemp("made")
    with pytest.MonkeyPatch.context() as patch:
        use_index(patch, make_index(folder / "index"))
        project = make_project(folder / "root")
        found = lock.collect(project, folder / "cache", "", Silent())
    (project / "wheels" / LOCK_FILE).write_text(lock_text(found))
    return folder


@pytest.fixture
def index(made, tmp_path, monkeypatch):
    """A copy of the index that a test may change."""
    use_index(monkeypatch, Path(shutil.copytree(made / "index", tmp_path / "index")))
    return tmp_path / "index"


@pytest.fixture
def project(made, tmp_path):
    """A copy of the project, with its lock."""
    return Path(shutil.copytree(made / "root", tmp_path / "root"))


class Silent:
    """In the place of `Progress`."""

    def __init__(self) -> None:
        self.lines = []

    def say(self, text: str) -> None:
        self.lines.append(text)


def lock_in(project: Path) -> Path:
    return project / "wheels" / LOCK_FILE


def test_lock_names_a_wheel_of_every_pin_for_every_target(index, project):
    found = read_lock(lock_in(project))
    assert len(found.targets) == len(PLATFORMS) * len(PYTHONS)
    windows = found.targets["windows-x64-cp311"]
    assert [wheel.name for wheel in windows.wheels] == ["torch", "sympy"]
    data = (index / "torch-2.0-cp311-cp311-win_amd64.whl").read_bytes()
    assert windows.wheels[0].size == len(data)
    assert windows.wheels[0].licence == "MIT"
    assert windows.elsewhere == ()


def test_torch_that_asks_for_cuda_is_left_to_another_index(index, project, tmp_path):
    linux = read_lock(lock_in(project)).targets["linux-x64-cp313"]
    assert [wheel.name for wheel in linux.wheels] == ["sympy"]
    assert linux.elsewhere == ("torch==2.0",)
    target = collect.Target("linux-x64", "3.13")
    options = bundle.BundleOptions(target, "cpu", "")
    with pytest.raises(SetupError, match="--torch-index"):
        bundle.gather(project, tmp_path / "cache", options)


def test_pin_without_a_wheel_fails(index, project, tmp_path):
    (index / "torch-2.0-cp311-cp311-win_amd64.whl").unlink()
    with pytest.raises(SetupError, match=r"windows-x64-cp311: no wheel of torch==2\.0"):
        lock.collect(project, tmp_path / "cache", "", Silent())


def test_need_without_a_pin_fails(index, project, tmp_path):
    (project / "wheels" / lock.REQUIREMENTS).write_text("torch==2.0\n")
    with pytest.raises(SetupError, match="torch asks for sympy>=1"):
        lock.collect(project, tmp_path / "cache", "", Silent())


def test_changed_wheel_is_noticed(index, project, tmp_path):
    old = read_lock(lock_in(project))
    changed = make_wheel(index, "sympy", "1.14", "py3-none-any")
    with zipfile.ZipFile(changed, "a") as archive:
        archive.writestr("extra.py", "")
    new = lock.collect(project, tmp_path / "other", "", Silent())
    assert len(lock.differences(old, new)) == len(PLATFORMS) * len(PYTHONS)
    assert lock.differences(new, new) == ()


def test_bundle_holds_exactly_what_its_own_lock_names(index, project, tmp_path, monkeypatch):
    monkeypatch.setattr(bundle, "validate", lambda target, python: None)
    extension = tmp_path / "uvapm-1.0.0.zip"
    with zipfile.ZipFile(extension, "w") as archive:
        archive.writestr("__init__.py", "")
        archive.writestr(f"wheels/{LOCK_FILE}", "{}")
    options = bundle.BundleOptions(collect.Target("windows-x64", "3.11"), "cpu", "")
    wheels = bundle.gather(project, tmp_path / "cache", options)
    out = tmp_path / "bundle.zip"
    bundle.write_bundle(extension, wheels, options, out, Path(sys.executable))
    with zipfile.ZipFile(out) as archive:
        archive.extractall(tmp_path / "unpacked")
    inside = tmp_path / "unpacked" / "wheels"
    own = read_lock(inside / LOCK_FILE)
    assert list(own.targets) == ["windows-x64-cp311"]
    named = [own.installer, *own.targets["windows-x64-cp311"].wheels]
    assert sorted(wheel.file for wheel in named) == sorted(p.name for p in inside.glob("*.whl"))
    again = tmp_path / "again.zip"
    bundle.write_bundle(extension, wheels, options, again, Path(sys.executable))
    assert out.read_bytes() == again.read_bytes()


def test_bundle_refuses_wheels_that_the_lock_does_not_name(index, project, tmp_path):
    changed = make_wheel(index, "sympy", "1.14", "py3-none-any")
    with zipfile.ZipFile(changed, "a") as archive:
        archive.writestr("extra.py", "")
    options = bundle.BundleOptions(collect.Target("windows-x64", "3.11"), "cpu", "")
    with pytest.raises(SetupError, match="is not the wheel that"):
        bundle.gather(project, tmp_path / "fresh", options)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda plain: plain.update(schema=9), "expected schema 1, found 9"),
        (lambda plain: plain["installer"].update(file="../pip.whl"), "not the name of a wheel"),
        (lambda plain: plain["installer"].update(sha256="ab"), "lacks its sha256"),
        (lambda plain: plain["targets"].update(a=plain["targets"].pop("linux-x64-cp311")), "holds"),
    ],
)
def test_damaged_lock_is_refused_in_words(project, change, words):
    path = lock_in(project)
    plain = json.loads(path.read_text())
    change(plain)
    path.write_text(json.dumps(plain))
    with pytest.raises(EngineError, match=words) as caught:
        read_lock(path)
    assert "Install the extension again" in caught.value.hint


def test_lock_of_the_project_covers_its_requirement_file(root):
    found = read_lock(root / "wheels" / LOCK_FILE)
    text = (root / "wheels" / lock.REQUIREMENTS).read_text(encoding="utf-8")
    for target in found.targets.values():
        pins = collect.pins(text, collect.Target(target.platform, target.python))
        wanted = {(canonicalize_name(pin.name), str(pin.specifier)) for pin in pins}
        locked = {(w.name, f"=={w.version.partition('+')[0]}") for w in target.wheels}
        elsewhere = {
            (Requirement(pin).name, str(Requirement(pin).specifier)) for pin in target.elsewhere
        }
        assert wanted == locked | elsewhere
