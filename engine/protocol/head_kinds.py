"""The kinds of released model that can be imported as packs: what people are told of each.

A new kind of head is one line here and one adapter, `packs/heads/NAME.py` (- becomes _), whose
`read(paths, reporter)` delivers a `HeadSource`. The add-on shows this table before any engine runs.
"""

from dataclasses import dataclass

from .errors import EngineError, ErrorCode

HEAD = "head"
EXPRESSIONS = ("arkit", "both")
"""The 52 ARKit shapes; those and the model's own."""


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


KINDS: tuple[KindInfo, ...] = (
    KindInfo(
        "uvapm-albedo",
        "UVAPM albedo model",
        "model_64.pkl, model_128.pkl or model_256.pkl",
        "Research and other non-commercial use only; the terms of the UVAPM project apply.",
        makes="albedo model",
    ),
    KindInfo(
        "ict",
        "ICT-FaceKit Light",
        "the folder FaceXModel, or the archive that holds it",
        "MIT licence, copyright 2020 USC Institute for Creative Technologies: keep its notice "
        "with what you pass on.",
        folder=True,
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
