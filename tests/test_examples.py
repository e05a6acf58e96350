from pathlib import Path

import pytest
from app_pages import write_examples

from xlite import examples as module
from xlite.examples import examples
from xlite.guards.gate import Gate
from xlite.images import read_image


def test_the_bundled_films_are_listed_by_title_in_the_order_of_their_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "bundled", tmp_path.joinpath)
    assert examples() == {}
    folder = tmp_path / "app" / "examples"
    write_examples(folder)
    assert {title: film.path for title, film in examples().items()} == {
        "1. Edema, Pleural thickening": folder / "a.png",
        "2. No finding": folder / "b.png",
    }
    (folder / "a.png").unlink()
    assert list(examples()) == ["1. No finding"]


def test_every_film_of_the_shipped_table_is_there() -> None:
    rows = module.bundled("app", "examples", "examples.csv").read_text(encoding="utf-8").splitlines()[1:]
    assert [film.path.name for film in examples().values()] == [row.split(",")[0] for row in rows]


def test_every_shipped_film_passes_the_gate() -> None:
    """The first film that a page shows is not called a child's."""
    gate = Gate.load()
    said = {film.path.name: gate.judge(read_image(film.path)).reasons for film in examples().values()}
    assert {name: reasons for name, reasons in said.items() if reasons} == {}
