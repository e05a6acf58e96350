"""How much a page reads at once: `room(sizes)` of the films sent. Folders are for `xlite predict`."""

import itertools
from collections.abc import Iterable

from xlite.images import MAX_FILMS, MAX_UPLOAD_MB
from xlite.public import is_public

MAX_OWN_FILMS = 50
"""Films at once of those whose machine it is.

Measured with the model that ships, two cores: 0.12 s and 1 MB for each of 1024 x 1024 px, 0.54 s of 2500.
"""
MOST_MB = MAX_FILMS * MAX_UPLOAD_MB


def most_films() -> int:
    """So many films at once: strangers share one machine."""
    return MAX_FILMS if is_public() else MAX_OWN_FILMS


def room(sizes: Iterable[float]) -> int:
    """How many of the films of so many bytes are read at once: the first, by their number and by MOST_MB."""
    totals = itertools.accumulate(itertools.islice(sizes, most_films()))
    return sum(total <= MOST_MB * 2**20 for total in totals)
