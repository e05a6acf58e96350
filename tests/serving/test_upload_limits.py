"""How many films a page reads at once."""

import pytest

from xlite.images import MAX_FILMS, MAX_UPLOAD_MB
from xlite.serving.upload_limits import MAX_OWN_FILMS, MOST_MB, most_films, room

MB = 2**20


def test_so_many_films_at_once_as_their_number_and_their_bytes_allow(monkeypatch: pytest.MonkeyPatch) -> None:
    assert (most_films(), MOST_MB) == (MAX_OWN_FILMS, MAX_FILMS * MAX_UPLOAD_MB)
    assert room([MB] * (MAX_OWN_FILMS + 5)) == MAX_OWN_FILMS
    assert room([MAX_UPLOAD_MB * MB] * (MAX_FILMS + 1)) == MAX_FILMS
    assert (room([MB, MOST_MB * MB, MB]), room([])) == (1, 0)
    monkeypatch.setenv("XLITE_PUBLIC", "1")
    assert most_films() == MAX_FILMS
    assert room([MB] * (MAX_FILMS + 1)) == MAX_FILMS
