"""Small whole files of each kind, made here: the beginnings of the fuzzer's search."""

import base64
import io
import json
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from ..protocol import messages as protocol
from ..protocol.errors import ErrorCode
from ..protocol.job import FitJob
from ..protocol.landmarks68 import Pin
from ..protocol.safetensors import write_safetensors
from ..protocol.work import ImportJob, RegisterJob, WearJob

OBJ = b"""# a comment
o head
v 0 0 0
v 1 0.5 -1e-3
v 1 1 0 0.5 0.5 0.5
v 0 1 0
vt 0 0
vt 1 0
vt 1 1
g skin
usemtl one
f 1/1 2/2 3/3 4/3
f -4//1 -3//1 -2//1
f 1 2 3
"""
ARRAYS = {
    "base": np.arange(6, dtype=np.float32).reshape(2, 3),
    "index": np.array([[1, 2]], np.int64),
    "name": np.array("text"),
}
PICKLES = tuple(
    base64.b64decode(text)
    for text in (
        (
            "gAJ9cQAoWAEAAABhcQFjbnVtcHkuY29yZS5tdWx0aWFycmF5Cl9yZWNvbnN0cnVjdApxAmNudW1weQpu"
            "ZGFycmF5CnEDSwCFcQRjX2NvZGVjcwplbmNvZGUKcQVYAQAAAGJxBlgGAAAAbGF0aW4xcQeGcQhScQmH"
            "cQpScQsoSwFLAksDhnEMY251bXB5CmR0eXBlCnENWAIAAABmNHEOiYiHcQ9ScRAoSwNYAQAAADxxEU5O"
            "Tkr/////Sv////9LAHRxEmKJaAVYGwAAAAAAAAAAAMKAPwAAAEAAAEBAAADCgEAAAMKgQHETaAeGcRRS"
            "cRV0cRZiWAEAAABucRd9cRgoWAEAAABicRloAmgDSwCFcRpoCYdxG1JxHChLAUsChXEdaA1YAgAAAGk4"
            "cR6JiIdxH1JxIChLA2gRTk5OSv////9K/////0sAdHEhYoloBVgQAAAAAQAAAAAAAAACAAAAAAAAAHEi"
            "aAeGcSNScSR0cSViWAEAAAB0cSZYAQAAAHhxJ1gBAAAAZnEoR0AEAAAAAAAAWAEAAABzcSljbnVtcHku"
            "Y29yZS5tdWx0aWFycmF5CnNjYWxhcgpxKmgNWAIAAABmOHEriYiHcSxScS0oSwNoEU5OTkr/////Sv//"
            "//9LAHRxLmJoBVgJAAAAAAAAAAAAw7g/cS9oB4ZxMFJxMYZxMlJxM3V1Lg=="
        ),
        (
            "gASVXwEAAAAAAAB9lCiMAWGUjBVudW1weS5jb3JlLm11bHRpYXJyYXmUjAxfcmVjb25zdHJ1Y3SUk5SM"
            "BW51bXB5lIwHbmRhcnJheZSTlEsAhZRDAWKUh5RSlChLAUsCSwOGlGgFjAVkdHlwZZSTlIwCZjSUiYiH"
            "lFKUKEsDjAE8lE5OTkr/////Sv////9LAHSUYolDGAAAAAAAAIA/AAAAQAAAQEAAAIBAAACgQJR0lGKM"
            "AW6UfZQojAFilGgEaAdLAIWUaAmHlFKUKEsBSwKFlGgOjAJpOJSJiIeUUpQoSwNoEk5OTkr/////Sv//"
            "//9LAHSUYolDEAEAAAAAAAAAAgAAAAAAAACUdJRijAF0lIwBeJSMAWaUR0AEAAAAAAAAjAFzlGgCjAZz"
            "Y2FsYXKUk5RoDowCZjiUiYiHlFKUKEsDaBJOTk5K/////0r/////SwB0lGJDCAAAAAAAAPg/lIaUUpR1"
            "dS4="
        ),
        (
            "gAWVWwEAAAAAAAB9lCiMAWGUjBJudW1weS5jb3JlLm51bWVyaWOUjAtfZnJvbWJ1ZmZlcpSTlCiWGAAA"
            "AAAAAAAAAAAAAACAPwAAAEAAAEBAAACAQAAAoECUjAVudW1weZSMBWR0eXBllJOUjAJmNJSJiIeUUpQo"
            "SwOMATyUTk5OSv////9K/////0sAdJRiSwJLA4aUjAFDlHSUUpSMAW6UfZQojAFilGgEKJYQAAAAAAAA"
            "AAEAAAAAAAAAAgAAAAAAAACUaAiMAmk4lImIh5RSlChLA2gMTk5OSv////9K/////0sAdJRiSwKFlGgP"
            "dJRSlIwBdJSMAXiUjAFmlEdABAAAAAAAAIwBc5SMFW51bXB5LmNvcmUubXVsdGlhcnJheZSMBnNjYWxh"
            "cpSTlGgIjAJmOJSJiIeUUpQoSwNoDE5OTkr/////Sv////9LAHSUYkMIAAAAAAAA+D+UhpRSlHV1Lg=="
        ),
    )
)
"""{"a": float32 (2, 3), "n": {"b": int64 (2,), "t": "x", "f": 2.5, "s": numpy's float64}} in
protocols 2, 4 and 5."""


def messages() -> tuple[bytes, ...]:
    """One of each kind."""
    fit = FitJob(("a.png", "b/\udcff.png"), "out", pins=(Pin(3, 1.5, 2.0),), edits="e", start="s")
    all_kinds: tuple[protocol.Message, ...] = (
        protocol.JobRequest("1", fit),
        protocol.JobRequest("2", WearJob("r", "m.obj", "o")),
        protocol.JobRequest("3", ImportJob("flame", ("p",), "o")),
        protocol.JobRequest("4", RegisterJob("m", "o")),
        protocol.DecodeRequest("5", (0.5, -1.0), pack="default"),
        protocol.CancelRequest("1"),
        protocol.Shutdown(),
        protocol.Hello(1, "1.0", "cpu", ("default",)),
        protocol.StageStarted("1", "shape", 0, 3),
        protocol.Progress("1", "shape", 1, 2),
        protocol.Preview("1", "p.png"),
        protocol.Warned("1", "careful"),
        protocol.Finished("1", "out"),
        protocol.Decoded("5", "d.npy"),
        protocol.WasCancelled("1"),
        protocol.Failed("1", ErrorCode.NO_FACE, "none", "another"),
    )
    return tuple(map(protocol.encode, all_kinds))


def safetensors(folder: Path) -> tuple[bytes, ...]:
    """Files of a few tensors."""
    path = folder / "seed.safetensors"
    arrays = {"a": np.arange(6.0).reshape(2, 3), "b": np.float16(0.5)[None], "e": np.zeros((0, 3))}
    write_safetensors(path, arrays, {"made": "here"})
    edits = folder / "edits.safetensors"
    write_safetensors(edits, {"identity": np.zeros(4, np.float32)})
    return path.read_bytes(), edits.read_bytes()


def pack_json() -> tuple[bytes, ...]:
    """Descriptions of a whole pack and of one with an albedo model only."""
    part = {"name": "all", "what": "w", "licence": "CC0-1.0", "origin": "here", "sha256": ""}
    files = ("head.safetensors", "albedo.safetensors", "detail.safetensors", "encoder.safetensors")
    names = ("expression_names", "part_names", "group_names", "mask_names")
    albedo = {"height": 64, "width": 64, "components": 4}
    only = {
        "schema": 2,
        "id": "tiny",
        "version": "1.0.0",
        "uv_layout": "ffhq-uv",
        "parts": [part],
        "files": {"albedo.safetensors": "0" * 64},
        "head": None,
        "albedo": albedo,
    }
    whole = {
        **only,
        "files": {name: "0" * 64 for name in (*files, "textures/eye.png")},
        "head": {name: ["one", "two"] for name in names},
        "detail": {
            "size": 512,
            "latent_channels": 4,
            "latent_size": 32,
            "widths": [4, 6, 8],
            "blocks": 1,
            "directions": 20,
        },
        "encoder": {"input": 224, "widths": [8, 16], "blocks": [1, 1]},
        "recipe": "0" * 64,
        "fit": {"landmark_sigma": 1.5},
    }
    return json.dumps(whole).encode(), json.dumps(only).encode()


def png() -> tuple[bytes, ...]:
    """A grey picture and a coloured one."""
    import cv2

    grey = np.arange(256, dtype=np.uint8).reshape(16, 16)
    return tuple(
        cv2.imencode(".png", picture)[1].tobytes() for picture in (grey, np.dstack([grey] * 3))
    )


def photos() -> tuple[bytes, ...]:
    """Pictures of 200 pixels a side, of several kinds and with metadata."""
    from PIL import Image

    image = Image.fromarray(np.full((200, 200, 3), (200, 150, 120), np.uint8))
    exif = Image.Exif()
    exif[0x0112] = 6
    files = []
    for kind, options in (
        ("JPEG", {"quality": 20, "exif": exif}),
        ("PNG", {"optimize": True}),
        ("WEBP", {"quality": 20, "exif": exif}),
        ("TIFF", {"compression": "tiff_lzw"}),
    ):
        file = io.BytesIO()
        image.save(file, kind, **options)
        files.append(file.getvalue())
    return tuple(files)


def npz() -> tuple[bytes, ...]:
    """Stored and deflated."""
    files = []
    for save in (np.savez, np.savez_compressed):
        file = io.BytesIO()
        save(file, **ARRAYS)
        files.append(file.getvalue())
    return tuple(files)


def mat() -> tuple[bytes, ...]:
    """Plain and compressed; a structure beside the matrices."""
    import scipy.io

    content = {"base": ARRAYS["base"], "index": ARRAYS["index"], "s": {"inner": 1.0}}
    files = []
    for compressed in (False, True):
        file = io.BytesIO()
        scipy.io.savemat(file, content, do_compression=compressed)
        files.append(file.getvalue())
    return tuple(files)


def archives() -> tuple[bytes, ...]:
    """A zip, a tar and a compressed tar, each with two files in folders."""
    content = {"model/one.obj": OBJ, "model/deep/two.txt": b"two"}
    return (_zip(content), _tar(content, "w"), _tar(content, "w:gz"), _tar(content, "w:xz"))


def _zip(content: Mapping[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in content.items():
            archive.writestr(name, data)
    return file.getvalue()


def _tar(content: Mapping[str, bytes], mode: str) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode=mode) as archive:
        for name, data in content.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return file.getvalue()
