"""What stays between the jobs of one process: packs, and the photos of the last job."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from ..packs.registry import find_pack
from ..photo.load import load_photo, photo_digest
from ..photo.prepare import PreparedPhoto
from ..reporter import Reporter
from .backends import Backends, with_backends
from .loaded import LoadedPack, load_pack
from .pictures import LARGEST_RENDER
from .settings import FitSettings
from .several import PreparedPerson, prepare_person

MOST_KEPT = 12_000_000
"""Pixels of the photos that are kept. Ours: they take 150 MB; more are read again."""

_PersonKey = tuple[tuple[str, ...], tuple[str, ...], LoadedPack, int | None, FitSettings]


class Session:
    """Packs that stay loaded, and the last job's photos as prepared: a refit needs them again."""

    def __init__(self, settings: FitSettings | None = None) -> None:
        self.settings = settings or FitSettings()
        self._packs: dict[tuple[Path | Backends | None, ...], LoadedPack] = {}
        self._last: tuple[_PersonKey, PreparedPerson] | None = None

    def pack(
        self,
        pack_id: str,
        albedo: str | None = None,
        detail: str | None = None,
        backends: Backends | None = None,
    ) -> LoadedPack:
        """The pack with this id, read at first use. Raises EngineError.

        albedo, detail: ids or folders of packs with the models to use instead of its own;
        backends: other landmarks and rasteriser.
        """
        backends = backends or Backends()
        folders = (find_pack(pack_id), _find_model(albedo), _find_model(detail))
        key = (*folders, backends)
        if key not in self._packs:
            self._packs[key] = with_backends(load_pack(*folders), backends)
        return self._packs[key]

    def person(
        self,
        paths: Sequence[str],
        loaded: LoadedPack,
        face: int | None,
        settings: FitSettings,
        reporter: Reporter,
    ) -> PreparedPerson:
        """Photos of a person, read and prepared, see `prepare_person`; those of the last call when
        the files and all else are the same. Large ones are as `Photo.reduced`, since nobody looks
        at the photo again but for render.png and the paper's recipe. Raises EngineError and
        Cancelled."""
        digests = tuple(photo_digest(path) for path in paths)
        key = (tuple(paths), digests, loaded, face, settings)
        if self._last is not None and self._last[0] == key:
            return self._last[1]
        self._last = None  # its memory is free for the new ones
        photos = [load_photo(path) for path in paths]
        nets, several = loaded.nets, settings.several
        person = prepare_person(photos, nets, face, settings.prepare, several, reporter)
        if settings.paper is None:
            person = replace(person, photos=tuple(map(_reduced, person.photos)))
        if sum(one.photo.pixels.size for one in person.photos) <= 3 * MOST_KEPT:
            self._last = key, person
        return person


def _reduced(prepared: PreparedPhoto) -> PreparedPhoto:
    return replace(prepared, photo=prepared.photo.reduced(LARGEST_RENDER))


def _find_model(pack_id: str | None) -> Path | None:
    return None if pack_id is None else find_pack(pack_id)
