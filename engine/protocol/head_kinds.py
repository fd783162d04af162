"""The kinds of released model that can be imported as packs: what people are told of each.

A new kind of head is one line here and one adapter, `packs/heads/NAME.py` (- becomes _), whose
`read(paths, reporter)` delivers a `HeadSource`. The add-on shows this table before any engine runs.
"""

from dataclasses import dataclass

from .errors import EngineError, ErrorCode

HEAD = "head"


@dataclass(frozen=True)
class KindInfo:
    """A kind. name: of the command line. title: for people. files: what to give, in words.
    licence_note: the makers' terms in a sentence, to be accepted before anything is read.
    folder: a folder is given, not files. makes: what the pack is of, `HEAD` or another model."""

    name: str
    title: str
    files: str
    licence_note: str
    folder: bool = False
    makes: str = HEAD


_HIFI3D = (
    "HiFi3D++ (Tencent AI Lab) is for research and other non-commercial use only; commercial use "
    "needs its makers' consent. What is made with it stays under these terms."
)

KINDS: tuple[KindInfo, ...] = (
    KindInfo(
        "uvapm-albedo",
        "UVAPM albedo model",
        "model_64.pkl, model_128.pkl or model_256.pkl",
        "Research and other non-commercial use only; the terms of the UVAPM project apply.",
        makes="albedo model",
    ),
    KindInfo(
        "uvapm-detail",
        "UVAPM detail decoder",
        "variational_autoencoder.pth",
        "Research and other non-commercial use only; the terms of the UVAPM project apply.",
        makes="detail model",
    ),
    KindInfo(
        "ict",
        "ICT-FaceKit Light",
        "the folder FaceXModel, or the archive that holds it",
        "MIT licence, copyright 2020 USC Institute for Creative Technologies: keep its notice "
        "with what you pass on.",
        folder=True,
    ),
    KindInfo(
        "hifi3dpp",
        "HiFi3D++ (FFHQ-UV, UVAPM)",
        "hifi3dpp_model_info.mat, or the folder topo_assets that holds it; for its own eyeballs "
        "FFHQ-UV's folder eye_ball_assets too",
        _HIFI3D,
    ),
    KindInfo(
        "hifi3dpp-albedo",
        "HiFi3D++ albedo model (FFHQ-UV, UVAPM)",
        "hifi3dpp_model_info.mat, or the folder topo_assets that holds it",
        _HIFI3D,
        makes="albedo model",
    ),
    KindInfo(
        "realy",
        "HiFi3D++ (REALY)",
        "HIFI3D++.mat; for its own eyeballs FFHQ-UV's folder eye_ball_assets too",
        _HIFI3D,
    ),
    KindInfo(
        "flame",
        "FLAME 2020 or 2023",
        "generic_model.pkl or flame2023.pkl (or the folder or .zip that holds it); beside it, if "
        "at hand, FFHQ-UV's FLAME_w_HIFI3D_UV.obj",
        "FLAME model licence: non-commercial scientific research only, no passing on.",
    ),
    KindInfo(
        "flame-open",
        "FLAME 2023 Open",
        "flame2023_Open.pkl (or the folder or .zip that holds it)",
        "CC BY 4.0 with the use limits of the FLAME 2023 Open licence: name its makers, and none "
        "of the uses that it rules out.",
    ),
    KindInfo(
        "gnm",
        "GNM Head",
        "gnm_head.npz; beside it, if at hand, head_sparse_68.txt",
        "Apache License 2.0: keep its notice with what you pass on.",
    ),
)
"""One line a kind."""


def head_kind(name: str) -> KindInfo:
    """The kind of this name. Raises EngineError(BAD_SETTINGS) with the names there are."""
    for kind in KINDS:
        if kind.name == name:
            return kind
    raise EngineError(
        ErrorCode.BAD_SETTINGS,
        f"There is no kind of model named {name!r}.",
        f"Kinds: {', '.join(kind.name for kind in KINDS)}.",
    )
