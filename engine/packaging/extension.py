"""The extension zip: what goes in, the same bytes every time, and the checks before it leaves.

Blender's own validator looks at the manifest and the layout. It does not look at the words
"Blender" in the name, the SPDX prefix of licences, left-over caches or compiled files; we do.
"""

import hashlib
import json
import re
import subprocess
import tomllib
import zipfile
from dataclasses import dataclass
from pathlib import Path

from engine.packaging.licences import LICENCE_FILE, TEXTS, check_licences
from engine.packaging.problems import SetupError

_ROOT_FILES = ("__init__.py", "blender_manifest.toml", "LICENSE", LICENCE_FILE)
_FOLDERS = ("uvapm_blender", "engine", TEXTS)
_WHEEL_FILES = ("README.md", "requirements-engine.txt", "engine-lock.json")
_BUILD_ONLY = ("albedo_256.safetensors", "detail_512.safetensors")
"""Needed to build the default pack, which holds copies and is in the zip already built."""
_LEFT_OUT = ("__pycache__", "packaging", "ruff.toml", "DESIGN.md", *_BUILD_ONLY)
_COMPILED = (".pyc", ".so", ".pyd", ".dll", ".dylib", ".whl")
FIXED_TIME = (1980, 1, 1, 0, 0, 0)
"""Of every file in a zip, so that the same files give the same bytes: the earliest it can hold."""
_TARGET_BYTES = 80 * 2**20
_VERSION = re.compile(r"\d+\.\d+\.\d+")


@dataclass(frozen=True)
class BuiltZip:
    """path of the zip; size in bytes; sha256 in hexadecimal; of the size, the part of the pack."""

    path: Path
    size: int
    sha256: str
    pack_bytes: int


def build_zip(root: Path, out: Path, python: Path) -> BuiltZip:
    """Write `out/<id>-<version>.zip` from the repository `root` and check it.

    python: interpreter of the environment that has bpy, for Blender's validator. Raises SetupError.
    """
    manifest = read_manifest(root)
    _check_manifest(root, manifest)
    pack = root / "packs" / "default"
    check_pack(pack)
    check_licences(root)
    members = _members(root)
    _check_members(members)
    out.mkdir(parents=True, exist_ok=True)
    target = out / f"{manifest['id']}-{manifest['version']}.zip"
    partial = target.with_suffix(".zip.part")
    _write(partial, root, members)
    validate(partial, python)
    partial.replace(target)
    data = target.read_bytes()
    with zipfile.ZipFile(target) as archive:
        entries = archive.infolist()
    packed = sum(entry.compress_size for entry in entries if entry.filename.startswith("packs/"))
    return BuiltZip(target, len(data), hashlib.sha256(data).hexdigest(), packed)


def size_note(built: BuiltZip) -> str:
    """One line: size, the share of the pack, and whether it is over the target."""
    text = (
        f"{built.size / 2**20:.1f} MB, of which the default pack {built.pack_bytes / 2**20:.1f} MB"
    )
    over = built.size > _TARGET_BYTES
    return text + (f" (over the target of {_TARGET_BYTES // 2**20} MB)" if over else "")


def read_manifest(root: Path) -> dict[str, object]:
    """blender_manifest.toml as plain values: the only source of the version."""
    return tomllib.loads((root / "blender_manifest.toml").read_text(encoding="utf-8"))


def check_pack(pack: Path) -> None:
    """Raises SetupError unless every file of the pack folder has the sha256 its pack.json says."""
    listing = pack / "pack.json"
    if not listing.is_file():
        raise SetupError(f"{pack} is not built.", "Run: python -m engine packs build default")
    for name, digest in json.loads(listing.read_text(encoding="utf-8"))["files"].items():
        file = pack / name
        if not file.is_file() or hashlib.sha256(file.read_bytes()).hexdigest() != digest:
            raise SetupError(f"{file} is missing or changed.", f"Remove {pack} and build it again.")


def _check_manifest(root: Path, manifest: dict[str, object]) -> None:
    name, version = str(manifest["name"]), str(manifest["version"])
    licences = manifest.get("license", [])
    wrong = []
    if "blender" in name.lower():
        wrong.append(f"the name {name!r} holds the word Blender")
    if not licences or not all(str(licence).startswith("SPDX:") for licence in licences):
        wrong.append(f"licences must begin with SPDX:, got {licences!r}")
    if manifest.get("wheels"):
        wrong.append("the manifest lists wheels; Blender refuses them on any other Python")
    changelog = (root / "CHANGELOG.md").read_text(encoding="utf-8")
    first = _VERSION.search(changelog)
    if not first or first.group() != version:
        wrong.append(f"CHANGELOG.md does not begin with the version {version}")
    if wrong:
        raise SetupError(f"The extension is not ready: {'; '.join(wrong)}.", "")


def _members(root: Path) -> list[str]:
    """Paths inside the zip, sorted, with forward slashes; each is the path from the root too."""
    files = [root / name for name in _ROOT_FILES]
    files += [root / "wheels" / name for name in _WHEEL_FILES]
    for folder in (*_FOLDERS, "packs/default"):
        files += [path for path in (root / folder).rglob("*") if path.is_file()]
    kept = []
    for path in files:
        parts = path.relative_to(root).parts
        hidden = any(part.startswith(".") for part in parts)
        if not hidden and not set(parts) & set(_LEFT_OUT):
            kept.append("/".join(parts))
    return sorted(set(kept))


def _check_members(members: list[str]) -> None:
    compiled = [name for name in members if name.endswith(_COMPILED)]
    if compiled:
        raise SetupError(f"Compiled files would be in the zip: {', '.join(compiled)}.", "")


def _write(target: Path, root: Path, members: list[str]) -> None:
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name in members:
            entry = zipfile.ZipInfo(name, FIXED_TIME)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3  # the same on Windows
            entry.external_attr = 0o100644 << 16
            archive.writestr(entry, (root / name).read_bytes(), compresslevel=9)


def validate(target: Path, python: Path) -> None:
    """Raises SetupError when Blender's own validator refuses the zip. python: has bpy."""
    tool, scripts = blender_tool(python)
    tags = scripts / "modules/_bpy_internal/extensions/tags.py"
    command = [str(python), str(tool), "validate", "--valid-tags", str(tags), str(target)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        lines = (done.stdout + done.stderr).strip().splitlines()
        raise SetupError(f"Blender's validator refuses the zip: {' '.join(lines)}", "")


def blender_tool(python: Path) -> tuple[Path, Path]:
    """Blender's own program for extensions, and its folder of scripts. python: has bpy.

    Raises SetupError when there is none."""
    ask = "import importlib.util as u; print(u.find_spec('bpy').origin)"
    found = subprocess.run([str(python), "-c", ask], capture_output=True, text=True)
    scripts = sorted(Path(found.stdout.strip()).parent.glob("*/scripts"))
    if found.returncode or not scripts:
        raise SetupError("Blender's validator was not found in the environment.", "Is bpy there?")
    return scripts[-1] / "addons_core/bl_pkg/cli/blender_ext.py", scripts[-1]
