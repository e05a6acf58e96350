"""The small phantom folder: drawn beside what else goes on, once, and with a reason if it fails."""

from pathlib import Path

import pytest
from command_line import wait_for

from xlite.data import small_phantom as small
from xlite.data.folder import NihFolder, is_phantom
from xlite.errors import DataError


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two films of 32 px."""
    for name, value in {"IMAGES": 2, "PATIENTS": 2, "SIZE": 32}.items():
        monkeypatch.setattr(small, name, value)


def test_it_is_drawn_once_however_many_ask(few: None, own_home: Path) -> None:
    out = own_home / "data" / "phantom"
    assert small.drawing_of(out) is None
    drawing = small.draw_small()
    assert small.small_phantom() == drawing.out == out
    assert not drawing.is_running or small.draw_small() is drawing
    wait_for(lambda: not drawing.is_running)
    assert (drawing.done, drawing.error, drawing.failed) == (2, None, False)
    assert small.drawing_of(out) is drawing
    assert len(NihFolder.open(out).paths) == 2 and is_phantom(out)


def test_what_is_in_the_way_is_said_until_a_folder_is_there(
    few: None, own_home: Path, tiny_folder: Path
) -> None:
    out = own_home / "data" / "phantom"
    out.mkdir(parents=True)
    (out / "mine.txt").write_text("keep")
    drawing = small.draw_small()
    wait_for(lambda: not drawing.is_running)
    assert drawing.failed and isinstance(drawing.error, DataError)
    assert str(drawing.error) == f"{out} is there already and not an empty folder; choose a new folder"
    for path in tiny_folder.iterdir():
        path.rename(out / path.name)
    assert not drawing.failed
    assert not is_phantom(out)


def test_a_drawing_that_failed_can_be_begun_anew(few: None, own_home: Path) -> None:
    out = own_home / "data" / "phantom"
    out.mkdir(parents=True)
    (out / "mine.txt").write_text("in the way")
    first = small.draw_small()
    wait_for(lambda: not first.is_running)
    (out / "mine.txt").unlink()
    second = small.draw_small()
    wait_for(lambda: not second.is_running)
    assert first.error is not None and second.error is None and small.drawing_of(out) is second
