"""Whatever a pack folder holds, read with all checks, and told in lines for people."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..protocol.albedo_pack import AlbedoModel, read_albedo_model
from ..protocol.detail_pack import DetailModel, read_detail_model
from ..protocol.encoder_pack import EncoderPack, read_encoder_pack
from ..protocol.faces import is_triangle
from ..protocol.headpack import HeadPack, read_pack
from ..protocol.pack_manifest import PackManifest, check_files, read_manifest


@dataclass(frozen=True)
class PackContents:
    """A pack of any kind: what it does not hold is None. sha: sha256 of pack.json."""

    manifest: PackManifest
    sha: str
    head: HeadPack | None
    albedo: AlbedoModel | None
    detail: DetailModel | None
    encoder: EncoderPack | None


def read_contents(folder: Path) -> PackContents:
    """All that is in a pack folder, checked. Raises EngineError(PACK_INVALID)."""
    folder = Path(folder)
    manifest, sha = read_manifest(folder)
    encoder = None if manifest.encoder is None else read_encoder_pack(folder)
    if manifest.head is not None:
        pack = read_pack(folder)
        return PackContents(manifest, sha, pack.head, pack.albedo, pack.detail, encoder)
    check_files(folder, manifest)
    albedo = None if manifest.albedo is None else read_albedo_model(folder, manifest.albedo)
    detail = None if manifest.detail is None else read_detail_model(folder, manifest.detail)
    return PackContents(manifest, sha, None, albedo, detail, encoder)


def kinds(pack: PackContents) -> str:
    """What a pack is good for, in a few words."""
    entries = {
        "head": pack.head,
        "albedo model": pack.albedo,
        "detail model": pack.detail,
        "coarse encoder": pack.encoder,
    }
    return ", ".join(name for name, entry in entries.items() if entry is not None)


def licences(pack: PackContents) -> str:
    """The parts of a pack with their licences, in one line."""
    return "; ".join(f"{part.name} ({part.licence})" for part in pack.manifest.parts)


def describe(pack: PackContents) -> list[str]:
    """What a pack holds, in lines; the parts with licence and origin last."""
    manifest = pack.manifest
    lines = [f"{manifest.id} {manifest.version}, sha256 {pack.sha}"]
    if pack.head is None:
        lines.append(f"recipe: {manifest.recipe}")
    else:
        lines += _head_lines(pack.head)
    # A head without an albedo model is fitted with the default pack's models (`fit/loaded.py`).
    absent = "the default pack's" if pack.head is not None and pack.albedo is None else "none"
    lines.append(f"albedo: {absent if pack.albedo is None else _albedo_line(pack.albedo)}")
    lines.append(f"detail: {absent if pack.detail is None else _detail_line(pack.detail)}")
    if pack.encoder is not None:
        lines.append(f"coarse encoder: {_encoder_line(pack.encoder)}")
    for part in manifest.parts:
        lines.append(f"{part.name}: {part.what}; {part.licence}; {part.origin}")
    return lines


def _head_lines(head: HeadPack) -> list[str]:
    shapes = f"{len(head.identity)} identity and {len(head.expression)} expression shapes"
    triangles = int(is_triangle(head.quads).sum())
    faces = f"{len(head.quads) - triangles} quads" + (f", {triangles} triangles" * bool(triangles))
    return [
        f"head: {len(head.mean)} vertices, {faces}, {shapes}",
        f"landmarks: {len(head.landmarks468.weight)} and {len(head.landmarks68.weight)}",
    ]


def _albedo_line(albedo: AlbedoModel) -> str:
    height, width = albedo.valid.shape
    return f"{width}x{height}, 3 x {albedo.sigma.shape[1]} components"


def _detail_line(detail: DetailModel) -> str:
    size, latent = detail.info.size, " x ".join(map(str, detail.latent_mean.shape))
    count = _count(detail.net)
    return f"{size}x{size}, latent {latent}, {len(detail.directions)} directions, {count} weights"


def _encoder_line(encoder: EncoderPack) -> str:
    blocks = "-".join(map(str, encoder.info.blocks))
    return f"input {encoder.info.input}, blocks {blocks}, {_count(encoder.net)} weights"


def _count(net: Mapping[str, np.ndarray]) -> int:
    return sum(array.size for array in net.values())
