"""Which head, albedo model and detail model the next reconstruction uses: remembered in the
preferences as ids, shown as menus of what is here."""

import bpy

from ..preferences import preferences
from .shelf import DEFAULT_PACK, SHELF, ShelfPack, licence_lines

OWN = "OWN"
"""Of the albedo and detail menus: the model of the head's pack."""
Items = list[tuple[str, str, str, int]]

_SHOWN: dict[str, Items] = {}
"""Blender shows these strings without keeping them, so they are kept here."""


def head_items(self: object, context: bpy.types.Context | None) -> Items:
    """Packs with a head."""
    rows = [(pack.id, pack.id, _tooltip(pack)) for pack in SHELF.packs() if pack.head]
    return _kept("head", rows or [(DEFAULT_PACK, DEFAULT_PACK, "Not built yet")])


def albedo_items(self: object, context: bpy.types.Context | None) -> Items:
    """The head's own model, and packs with an albedo model."""
    return _model_items("albedo", "The albedo model that comes with the head")


def detail_items(self: object, context: bpy.types.Context | None) -> Items:
    """The head's own model, and packs with a detail model."""
    return _model_items("detail", "The detail model that comes with the head")


def _model_items(model: str, words: str) -> Items:
    packs = [pack for pack in SHELF.packs() if getattr(pack, model)]
    rows = [(pack.id, pack.id, _tooltip(pack)) for pack in packs]
    return _kept(model, [(OWN, "The Head's Own", words), *rows])


def _kept(model: str, rows: list[tuple[str, str, str]]) -> Items:
    items = [(*row, number) for number, row in enumerate(rows)]
    if _SHOWN.get(model) != items:
        _SHOWN[model] = items
    return _SHOWN[model]


def _tooltip(pack: ShelfPack) -> str:
    return f"{pack.models}. {'; '.join(licence_lines(pack.parts))}"


MODELS = ("head", "albedo", "detail")
_ITEMS = {"head": head_items, "albedo": albedo_items, "detail": detail_items}


def chosen_pack(model: str) -> str:
    """Id of the pack for a model (head, albedo, detail) in the next job: the first of the menu,
    `OWN` or the default pack, where the one that was chosen is not here any more."""
    items = _ITEMS[model](None, None)
    wanted = getattr(preferences(bpy.context), f"{model}_pack")
    return wanted if any(item[0] == wanted for item in items) else items[0][0]


def has_choice(model: str) -> bool:
    """Whether there is more than one: of albedo and detail models besides the head's own and the
    default pack's, which heads without a model borrow."""
    if model == "head":
        return len(head_items(None, None)) > 1
    usual = {OWN, DEFAULT_PACK, chosen_pack("head")}
    return any(item[0] not in usual for item in _ITEMS[model](None, None))


def choice_property(model: str, name: str, description: str) -> bpy.types.Property:
    """A menu of packs. Its value is kept in the preferences, by id: numbers of items change."""

    def get(self: bpy.types.PropertyGroup) -> int:
        wanted = chosen_pack(model)
        return next(item[3] for item in _ITEMS[model](None, None) if item[0] == wanted)

    def set_(self: bpy.types.PropertyGroup, value: int) -> None:
        setattr(preferences(bpy.context), f"{model}_pack", _ITEMS[model](None, None)[value][0])

    return bpy.props.EnumProperty(
        name=name,
        description=description,
        items=_ITEMS[model],
        get=get,
        set=set_,
        options={"SKIP_SAVE"},
    )
