"""Heat maps: one list of their kinds (`methods`), what computes them (`maps`) and draws them (`drawing`), and
what they fail to show (`faults`).

The names below can be imported from here. Each module is loaded with the first of its names: a command's
help lists METHODS and must not wait for torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from xlite.explain.methods import CLOSED_FORM, DEFAULT_METHOD, METHODS, Method, map_legend

if TYPE_CHECKING:
    from xlite.explain.drawing import draw_cell, overlay, shrink, upsample_map
    from xlite.explain.faults import FAULTS, map_fault
    from xlite.explain.maps import Mapper, activation_maps

__all__ = [
    "CLOSED_FORM",
    "DEFAULT_METHOD",
    "FAULTS",
    "METHODS",
    "Mapper",
    "Method",
    "activation_maps",
    "draw_cell",
    "map_fault",
    "map_legend",
    "overlay",
    "shrink",
    "upsample_map",
]
_MODULES = {
    "drawing": ("draw_cell", "overlay", "shrink", "upsample_map"),
    "faults": ("FAULTS", "map_fault"),
    "maps": ("Mapper", "activation_maps"),
}


def __getattr__(name: str) -> object:
    for module, names in _MODULES.items():
        if name in names:
            return getattr(import_module(f"xlite.explain.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
