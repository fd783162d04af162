"""What can light a head: its photo's light, an even studio, Blender's HDRIs, a file."""

from dataclasses import dataclass
from pathlib import Path

import bpy

PHOTO, NEUTRAL = "photo", "neutral"
"""Ids of the environments that are no files."""

EXTENSIONS = (".hdr", ".exr")


@dataclass(frozen=True)
class View:
    """Colour management of a scene: view transform and look, as Blender names them."""

    transform: str
    look: str


PLAIN = View("Standard", "None")
"""Shows the albedo as it was fitted, while the light stays below white."""
FILMED = View("AgX", "AgX - Medium High Contrast")
"""Chosen by eye over nine environments: Standard clips under a sun, plain AgX and Filmic turn skin
grey, Khronos Neutral burns the shadows. The look gives AgX back the contrast of a portrait."""


@dataclass(frozen=True)
class Environment:
    """id: "photo", "neutral", or the path of a file. label: for people.
    strength: of the new world. view: what suits it. sun: whether one small thing may be the sun.
    """

    id: str
    label: str
    strength: float
    view: View
    sun: bool = True


_STRENGTHS = {
    "city.exr": 0.7,
    "courtyard.exr": 1.05,
    "forest.exr": 0.7,
    "interior.exr": 0.8,
    "night.exr": 3.0,
    "studio.exr": 0.75,
    "sunrise.exr": 0.65,
    "sunset.exr": 1.2,
}
"""Ours: a white matt wall that faces forwards, averaged over +-60 degrees, shows 0.75, so that
all light a face alike. Night stays a night: 0.35."""

_WITHOUT_SUN = frozenset({"courtyard.exr", "interior.exr", "night.exr", "studio.exr"})

_SIMPLE = {
    PHOTO: Environment(PHOTO, "Photo", 1.0, PLAIN, sun=False),
    NEUTRAL: Environment(NEUTRAL, "Neutral", 1.0, PLAIN, sun=False),
}


def environments() -> tuple[Environment, ...]:
    """All that need no file dialog: photo, neutral, Blender's own HDRIs and those that the user
    added in the preferences, by name."""
    lights = bpy.context.preferences.studio_lights
    found = [Path(each.path) for each in lights if each.type == "WORLD"]
    files = [path for path in found if path.suffix.lower() in EXTENSIONS]
    by_name = sorted(files, key=lambda path: path.stem.lower())
    return (*_SIMPLE.values(), *(environment_of(str(path)) for path in by_name))


def environment_of(id: str) -> Environment:
    """The environment with an id; one that is not known is a file."""
    if id in _SIMPLE:
        return _SIMPLE[id]
    path = Path(id)
    label = path.stem.replace("_", " ").strip().capitalize() or path.name
    if not _own(path):
        return Environment(id, label, 1.0, FILMED)
    sun = path.name not in _WITHOUT_SUN
    return Environment(id, label, _STRENGTHS.get(path.name, 1.0), FILMED, sun)


def _own(path: Path) -> bool:
    """Whether a file is one that Blender carries."""
    return path.is_relative_to(bpy.utils.system_resource("DATAFILES"))
