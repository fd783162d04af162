"""How each part of the head looks: one table for the glTF and OBJ files."""

from dataclasses import dataclass


@dataclass(frozen=True)
class PartMaterial:
    """Plain description that every renderer understands.

    texture: name of the map (`maps/<texture>.png`), or None. colour: linear RGB in [0, 1] where
    there is no texture. roughness: [0, 1], where there is no map of it. transparent: the texture's
    alpha counts. normal_map, roughness_map: names of further maps, or None.
    """

    texture: str | None
    colour: tuple[float, float, float]
    roughness: float
    transparent: bool = False
    normal_map: str | None = None
    roughness_map: str | None = None

    @property
    def maps(self) -> tuple[str, ...]:
        """Names of all its maps."""
        names = (self.texture, self.normal_map, self.roughness_map)
        return tuple(name for name in names if name is not None)


_MATERIALS = {
    "skin": PartMaterial(
        "albedo", (0.5, 0.3, 0.23), 0.5, normal_map="normal", roughness_map="roughness"
    ),
    "eye": PartMaterial("eye", (0.75, 0.73, 0.7), 0.1),
    "teeth": PartMaterial("teeth", (0.6, 0.55, 0.45), 0.25),
    "tongue": PartMaterial(None, (0.35, 0.1, 0.09), 0.4),
    "lashes": PartMaterial("lash", (0.01, 0.008, 0.006), 0.7, transparent=True),
}
"""By the word before the first underscore of a part name. Colours and roughness: ours, chosen by
eye to sit beside fitted skin; wet parts are smoother."""


def part_material(part: str) -> PartMaterial:
    """Material of a part such as "teeth_upper"; unknown parts look like untextured skin."""
    kind = part.split("_")[0]
    skin = _MATERIALS["skin"]
    return _MATERIALS.get(kind, PartMaterial(None, skin.colour, skin.roughness))
