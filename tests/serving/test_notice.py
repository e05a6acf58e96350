"""What X-Lite is not for: asked once of each home, and at each visit if others can reach the app."""

from pathlib import Path
from typing import Any

import pytest

from xlite.places import notice_json
from xlite.serving.notice import is_read, note_read


def test_on_ones_own_machine_it_is_asked_once(own_home: Path) -> None:
    first: dict[str, Any] = {}
    assert not is_read(first) and not is_read({})
    note_read(first)
    assert is_read(first) and is_read({})
    assert notice_json().read_text() == '{"read": true}\n'


@pytest.mark.parametrize("public", ["1", "maybe"])
def test_where_others_come_one_visitors_word_is_not_the_next_ones(
    own_home: Path, monkeypatch: pytest.MonkeyPatch, public: str
) -> None:
    note_read({})
    monkeypatch.setenv("XLITE_PUBLIC", public)
    first: dict[str, Any] = {}
    assert not is_read(first)
    notice_json().unlink()
    note_read(first)
    assert is_read(first) and not is_read({})
    assert not notice_json().exists()


def test_a_home_that_takes_no_file_costs_only_the_question(own_home: Path) -> None:
    (own_home / "experiments").write_text("a file in the place of the folder")
    first: dict[str, Any] = {}
    note_read(first)
    assert is_read(first) and not is_read({})
