"""The readers that meet bytes of strangers, as the fuzzer calls them."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

from ..packs.heads.files.mat import NUMBERS, open_mat
from ..packs.heads.files.members import read_members
from ..packs.heads.files.npz import parse_npz
from ..packs.heads.files.obj import parse_obj
from ..packs.uvapm.pickle_data import read_pickle_data
from ..packs.uvapm.pickle_values import PickleRefused
from ..protocol.edits import read_edits
from ..protocol.errors import EngineError
from ..protocol.messages import decode, encode, request_id
from ..protocol.pack_manifest import PACK_JSON
from ..protocol.pack_manifest import read_manifest as read_pack_manifest
from ..protocol.png import png_size
from ..protocol.result import read_manifest, read_result
from ..protocol.result_schema import COEFFICIENTS_NAME, MANIFEST_NAME, MESH_NAME
from ..protocol.safetensors import read_safetensors
from . import fuzz_seeds as seeds
from .fuzz import Reader

ENGINE = Path(__file__).resolve().parents[1]
PROTOCOL, PACKS = ENGINE / "protocol", ENGINE / "packs"
REFUSED = (EngineError,)


def readers(scratch: Path, template: Path) -> tuple[Reader, ...]:
    """All of them. scratch: an empty folder; template: a result directory."""
    made = (_protocol(scratch, template), _models(scratch), _pictures(scratch, template))
    return tuple(reader for group in made for reader in group)


def _protocol(scratch: Path, template: Path) -> tuple[Reader, ...]:
    def at(name: str) -> Callable[[Callable[[Path], object]], Callable[[bytes], object]]:
        return lambda read: _from_file(scratch / name, read)

    whole = (template / MANIFEST_NAME).read_bytes()
    tensors = seeds.safetensors(scratch)
    manifest = scratch / "manifest" / MANIFEST_NAME
    pack = scratch / "pack" / PACK_JSON
    return (
        Reader("messages", _message, REFUSED, seeds.messages(), (PROTOCOL,)),
        Reader(
            "safetensors",
            at("f.safetensors")(read_safetensors),
            REFUSED,
            tensors,
            (PROTOCOL,),
        ),
        Reader(
            "edits",
            at("e.safetensors")(read_edits),
            REFUSED,
            tensors,
            (PROTOCOL,),
        ),
        Reader(
            "pack.json",
            _from_file(pack, lambda path: read_pack_manifest(path.parent)),
            REFUSED,
            seeds.pack_json(),
            (PROTOCOL,),
        ),
        Reader(
            "result.json",
            _from_file(manifest, lambda path: read_manifest(path.parent)),
            REFUSED,
            (whole,),
            (PROTOCOL,),
        ),
        _rehashed("result's mesh", template, MESH_NAME),
        _rehashed("result's coefficients", template, COEFFICIENTS_NAME),
    )


def _models(scratch: Path) -> tuple[Reader, ...]:
    folders = (PACKS / "heads" / "files", PACKS / "uvapm", ENGINE / "register")
    archive = _from_file(
        scratch / "a.zip", lambda path: list(read_members(path, {"one.obj", "two.txt"}))
    )
    return (
        Reader(
            "OBJ",
            lambda data: parse_obj(data.decode("utf-8", "replace"), "x.obj"),
            REFUSED,
            (seeds.OBJ,),
            folders,
        ),
        Reader("MAT", _from_file(scratch / "m.mat", _matrices), REFUSED, seeds.mat(), folders),
        Reader(
            "NPZ",
            lambda data: parse_npz(data, "x.npz", ("base",), ("index", "name")),
            REFUSED,
            seeds.npz(),
            folders,
        ),
        Reader(
            "pickle", lambda data: read_pickle_data(data), (PickleRefused,), seeds.PICKLES, folders
        ),
        Reader(
            "pickle with objects",
            lambda data: read_pickle_data(data, objects=True),
            (PickleRefused,),
            seeds.PICKLES,
            folders,
        ),
        Reader("archives", archive, REFUSED, seeds.archives(), folders),
    )


def _pictures(scratch: Path, template: Path) -> tuple[Reader, ...]:
    from ..photo.load import load_photo
    from ..register.gltf import read_gltf

    glb, _register = (template / "head.glb").read_bytes(), (ENGINE / "register",)
    return (
        Reader(
            "PNG size", _from_file(scratch / "p.png", png_size), REFUSED, seeds.png(), (PROTOCOL,)
        ),
        Reader(
            "photos",
            _from_file(scratch / "photo", load_photo),
            REFUSED,
            seeds.photos(),
            (ENGINE / "photo",),
        ),
        Reader(
            "glTF",
            _from_file(scratch / "h.glb", read_gltf),
            REFUSED,
            (glb,),
            (ENGINE / "register",),
        ),
    )


def _from_file(path: Path, read: Callable[[Path], object]) -> Callable[[bytes], object]:
    path.parent.mkdir(parents=True, exist_ok=True)

    def run(data: bytes) -> object:
        path.write_bytes(data)
        return read(path)

    return run


def _message(data: bytes) -> object:
    """What is read can be said again, and means the same."""
    request_id(data)
    message = decode(data)
    again = decode(encode(message))
    assert again == message, "a message changed on its way"
    return message


def _matrices(path: Path) -> object:
    """Every matrix of numbers in the file, in the shape that its header claims."""
    file = open_mat(path)
    found = []
    for name, entry in file.headers.items():
        if entry.kind in NUMBERS:
            found.append(file.numbers(name, entry.shape))
    return found


def _rehashed(name: str, template: Path, changed: str) -> Reader:
    """A result directory in which one file is spoiled, and its sha256 says that this is right."""
    original, manifest = (template / changed).read_bytes(), template / MANIFEST_NAME
    plain = json.loads(manifest.read_bytes())
    whole = manifest.read_bytes()

    def run(data: bytes) -> object:
        files = {**plain["files"], changed: hashlib.sha256(data).hexdigest()}
        try:
            (template / changed).write_bytes(data)
            manifest.write_text(json.dumps({**plain, "files": files}))
            return read_result(template)
        finally:
            (template / changed).write_bytes(original)
            manifest.write_bytes(whole)

    return Reader(name, run, REFUSED, (original,), (PROTOCOL,))
