"""The ways of showing that a DICOM file offers, and which of them is asked for."""

import re
from dataclasses import dataclass

import pydicom

from xlite.errors import ImageError
from xlite.formats.dicom.attributes import raw, titles
from xlite.formats.dicom.parse import items
from xlite.formats.dicom.window import Window, stated_windows

_PAIR = re.compile(r"\s*([-+]?[\d.]+)\s*,\s*([\d.]+)\s*")
_LARGEST = 1e9


@dataclass(frozen=True, eq=False)
class Preset:
    """A way of showing, its title, and the item of its look-up table or else its window."""

    title: str
    shown_by: pydicom.Dataset | Window


def presets(header: pydicom.Dataset) -> list[Preset]:
    """The look-up tables of a file, then its windows, each with a title of its own."""
    found: list[Preset] = []

    def add(title: str, shown_by: pydicom.Dataset | Window) -> None:
        taken = {preset.title.casefold() for preset in found}
        found.append(Preset(f"{title} ({len(found) + 1})" if title.casefold() in taken else title, shown_by))

    for item in items(header, "VOILUTSequence"):
        if raw(item, "LUTData"):
            add(titles(item, "LUTExplanation")[0] or f"table {len(found) + 1}", item)
    explained = titles(header, "WindowCenterWidthExplanation")
    for number, window in enumerate(stated_windows(header)):
        if window:
            title = explained[number] if number < len(explained) else ""
            add(title or f"{window.center:g},{window.width:g}", window)
    return found


def chosen(header: pydicom.Dataset, wanted: str) -> pydicom.Dataset | Window:
    """The table or window of a title, of a place in the list (from 1 on), or of CENTER,WIDTH.

    Raises ImageError, which lists what the file has.
    """
    offered = presets(header)
    for preset in offered:
        if preset.title.casefold() == wanted.strip().casefold():
            return preset.shown_by
    if wanted.strip().isdecimal() and 1 <= int(wanted) <= len(offered):
        return offered[int(wanted) - 1].shown_by
    if window := _typed(wanted):
        return window
    listed = "; ".join(f"{number}. {preset.title}" for number, preset in enumerate(offered, 1))
    raise ImageError(
        f"the DICOM file has no window {wanted[:64]!r}; it has {listed or 'none'}: "
        "choose one by name or number, or give CENTER,WIDTH such as 2048,4096"
    )


def _typed(wanted: str) -> Window | None:
    """The window of `CENTER,WIDTH` in modality values; None if it is something else.

    Raises ImageError for numbers that make no window.
    """
    if not (found := _PAIR.fullmatch(wanted)):
        return None
    try:
        center, width = map(float, found.groups())
    except ValueError:
        return None
    if not (1 <= width < _LARGEST and abs(center) < _LARGEST):
        raise ImageError(
            f"the window {wanted[:64]!r} shows nothing: its width must be 1 or more, and both numbers below "
            f"{_LARGEST:g}"
        )
    return Window(center, width, "LINEAR")
