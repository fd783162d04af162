"""The offline bundle: the extension zip together with the engine's wheels of one platform.

One zip that Blender installs as it is. The manifest lists no wheels, so Blender does not look at
them; the extension makes the engine's environment from them. The lock in the bundle names exactly
the wheels that lie beside it.

Run as `python -m engine.packaging.wheels.bundle` in the project's environment.
"""

import argparse
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from engine.packaging.extension import FIXED_TIME, validate
from engine.packaging.problems import SetupError
from engine.packaging.wheels.collect import (
    Target,
    WheelFile,
    download_command,
    fetch,
    gaps,
    locked,
    pins,
    wheels_in,
)
from engine.packaging.wheels.lock import INSTALLER, PIP, REQUIREMENTS, TORCH
from engine.protocol.wheel_lock import (
    LOCK_FILE,
    PLATFORMS,
    PYTHONS,
    WheelTarget,
    lock_of,
    lock_text,
    read_lock,
)

TORCHES = ("cpu", "cuda")


@dataclass(frozen=True)
class BundleOptions:
    """target: a platform and a Python. torch: one of `TORCHES`. torch_index: one more package
    index for pip, "" for none: needed for CUDA, and where the lock says `elsewhere`."""

    target: Target
    torch: str
    torch_index: str

    @property
    def name(self) -> str:
        """The end of the bundle's file name."""
        name = self.target.name
        return name if self.torch == "cpu" else f"{name}-{self.torch}"


def gather(root: Path, cache: Path, options: BundleOptions) -> dict[str, WheelFile]:
    """The wheels of a target on disk, by name, every one as the lock has it; torch with what it
    asks for as the index has it, where the lock does not know it. Raises SetupError."""
    lock = read_lock(root / "wheels" / LOCK_FILE)
    target = options.target
    known = lock.targets[target.name]
    text = (root / "wheels" / REQUIREMENTS).read_text(encoding="utf-8")
    foreign = options.torch == "cuda" or bool(known.elsewhere)
    wanted = [pin for pin in pins(text, target) if not (foreign and pin.name == TORCH)]
    folder = cache / options.name
    found, missing = fetch(PIP, wanted, target, folder, options.torch_index)
    if missing:
        raise SetupError(f"The package index has no wheel of {', '.join(missing)}.", "")
    exact = {wheel.name: wheel for wheel in (*known.wheels, lock.installer)}
    pip, _ = fetch(PIP, [Requirement(INSTALLER)], target, folder, options.torch_index)
    for name, wheel in (found | pip).items():
        if locked(wheel) != exact[name]:
            raise SetupError(
                f"{wheel.path.name} is not the wheel that {LOCK_FILE} names.",
                "Remove build/wheels and run again; then: python build_addon.py lock",
            )
    if foreign:
        found |= _foreign_torch(pins(text, target), folder, options)
    wrong = gaps(found, target)
    if wrong:
        raise SetupError(f"The wheels are not whole: {'; '.join(wrong)}.", "")
    return found | pip


def _foreign_torch(
    all_pins: tuple[Requirement, ...], folder: Path, options: BundleOptions
) -> dict[str, WheelFile]:
    """torch and its packages of the index that the user named."""
    if not options.torch_index:
        raise SetupError(
            f"The torch build for {options.name} is not on the common package index.",
            "Give --torch-index with the address that pytorch.org's install page shows for it.",
        )
    own = folder / "torch"
    own.mkdir(parents=True, exist_ok=True)
    lines = [f"{pin.name}{pin.specifier}" for pin in all_pins]
    command = [*download_command(PIP, options.target, own, options.torch_index), *lines]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise SetupError(f"pip cannot fetch {lines[0]} with what it asks for: {last}", "")
    ours = {canonicalize_name(pin.name) for pin in all_pins} - {TORCH}
    return {name: wheel for name, wheel in wheels_in(own).items() if name not in ours}


def write_bundle(
    extension: Path, wheels: dict[str, WheelFile], options: BundleOptions, out: Path, python: Path
) -> Path:
    """Write the bundle beside the extension zip: its members, the wheels stored as they are, and
    a lock of these. python: has bpy, for Blender's validator."""
    files = [locked(wheel) for name, wheel in sorted(wheels.items()) if name != "pip"]
    target = WheelTarget(options.target.platform, options.target.python, tuple(files))
    text = lock_text(lock_of(locked(wheels["pip"]), (target,)))
    partial = out.with_suffix(".zip.part")
    with zipfile.ZipFile(extension) as source, zipfile.ZipFile(partial, "w") as bundle:
        for entry in source.infolist():
            replaced = entry.filename == f"wheels/{LOCK_FILE}"
            data = text.encode() if replaced else source.read(entry)
            _add(bundle, entry.filename, data, zipfile.ZIP_DEFLATED)
        for wheel in sorted(wheels.values(), key=lambda each: each.path.name):
            data = wheel.path.read_bytes()
            _add(bundle, f"wheels/{wheel.path.name}", data, zipfile.ZIP_STORED)
    validate(partial, python)
    partial.replace(out)
    return out


def _add(bundle: zipfile.ZipFile, name: str, data: bytes, method: int) -> None:
    entry = zipfile.ZipInfo(name, FIXED_TIME)
    entry.compress_type, entry.create_system = method, 3
    entry.external_attr = 0o100644 << 16
    bundle.writestr(entry, data)


def main() -> int:
    """Make a bundle of an extension zip; prints its path and size."""
    parser = argparse.ArgumentParser()
    parser.add_argument("root", type=Path)
    parser.add_argument("extension", type=Path)
    parser.add_argument("--platform", choices=PLATFORMS, required=True)
    parser.add_argument("--python", choices=PYTHONS, required=True)
    parser.add_argument("--torch", choices=TORCHES, default="cpu")
    parser.add_argument("--torch-index", default="")
    chosen = parser.parse_args()
    options = BundleOptions(
        Target(chosen.platform, chosen.python), chosen.torch, chosen.torch_index
    )
    out = chosen.extension.with_name(f"{chosen.extension.stem}-{options.name}.zip")
    try:
        wheels = gather(chosen.root, chosen.root / "build" / "wheels", options)
        for path in (chosen.root / "wheels").glob("*.whl"):
            path.unlink()
        for wheel in wheels.values():
            (chosen.root / "wheels" / wheel.path.name).write_bytes(wheel.path.read_bytes())
        made = write_bundle(chosen.extension, wheels, options, out, Path(sys.executable))
    except SetupError as problem:
        print(problem, file=sys.stderr)
        return 3
    print(f"size   {made.stat().st_size / 2**20:.0f} MB, {len(wheels)} wheels")
    print(made)
    return 0


if __name__ == "__main__":
    sys.exit(main())
