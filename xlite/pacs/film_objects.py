"""Which DICOM objects a film gets. Light, so that commands name it before anything else is loaded."""

from dataclasses import dataclass

from xlite.explain import DEFAULT_METHOD

MAPS_PER_FILM = 3
"""So many maps a film has in a PACS if no other number is asked for."""


@dataclass(frozen=True)
class Wanted:
    """Which objects a film gets: how many maps, of which kind, whether it is put right first, 3D or not."""

    maps: int = MAPS_PER_FILM
    method: str = DEFAULT_METHOD
    fix: bool = False
    three_d: bool = False
