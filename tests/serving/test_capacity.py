"""Capacity: what requests take and give back, and when there is none left."""

import pytest

from xlite.serving import capacity
from xlite.serving.capacity import BusyError, Capacity


def test_a_request_gives_back_what_it_took_also_if_it_fails() -> None:
    whole = Capacity()
    with pytest.raises(ZeroDivisionError), whole.request() as share:
        share.take(length=1000)
        share.take(films=3, length=1)
        assert (whole.films, whole.bytes) == (3, 1001)
        raise ZeroDivisionError
    assert (whole.films, whole.bytes) == (0, 0)


@pytest.mark.parametrize("too_much", [{"films": 2}, {"length": 2}])
def test_beyond_its_limits_it_is_busy_and_takes_nothing(
    monkeypatch: pytest.MonkeyPatch, too_much: dict[str, int]
) -> None:
    monkeypatch.setattr(capacity, "MAX_FILMS_HELD", 4)
    monkeypatch.setattr(capacity, "MAX_HELD_MB", 4 / 2**20)
    whole = Capacity()
    with whole.request() as one, whole.request() as other:
        one.take(films=3, length=3)
        with pytest.raises(BusyError, match="the server is busy: send this again in a few seconds"):
            other.take(**too_much)
        assert (whole.films, whole.bytes) == (3, 3)
        other.take(films=1, length=1)
        with pytest.raises(BusyError), whole.request():
            pass
    with whole.request():
        assert (whole.films, whole.bytes) == (0, 0)
