"""The films of a visit: what is kept, for how long, what is forgotten, and how files come in."""

import io
import zipfile
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pytest
from demo_home import save_demo_model
from gates import Played

from xlite.classify import Classifier
from xlite.data.folder import NihFolder
from xlite.data.known_films import KnownFilms
from xlite.errors import DataError
from xlite.guarded import GuardedReader
from xlite.images import MAX_FILMS
from xlite.serving import upload_limits
from xlite.serving import visit as visits
from xlite.serving.upload_limits import MAX_OWN_FILMS
from xlite.serving.viewer import FilmView
from xlite.serving.visit import HistoryLine, Visit, VisitFilm, film_view, films_in, folder_film

FILM = np.random.default_rng(0).integers(0, 256, (40, 48), np.uint8)
PNG = cv2.imencode(".png", FILM)[1].tobytes()


@dataclass
class Sent:
    """A file as a browser sends it."""

    file_id: str
    name: str
    data: bytes = PNG

    def getvalue(self) -> bytes:
        return self.data


def zipped(members: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as opened:
        for name, content in members.items():
            opened.writestr(name, content)
    return out.getvalue()


def test_films_stay_when_the_uploader_is_empty_after_another_page() -> None:
    visit = Visit()
    visit.take([Sent("1", "a.png"), Sent("2", "b.png")])
    assert (visit.batch, visit.shown, visit.left_out, visit.is_new) == (["1", "2"], "1", [], True)
    visit.take([])
    assert (visit.batch, [film.name for film in visit.films.values()]) == (["1", "2"], ["a.png", "b.png"])
    visit.take([Sent("3", "c.png")])
    assert (visit.batch, visit.shown, list(visit.films)) == (["3"], "3", ["1", "2", "3"])


def test_a_film_that_is_added_is_the_one_that_is_shown() -> None:
    visit = Visit()
    visit.take([Sent("1", "a.png")])
    visit.is_new = False
    visit.take([Sent("1", "a.png"), Sent("2", "b.png", b"no film")])
    assert (visit.batch, visit.shown, visit.is_new) == (["1", "2"], "2", True)
    visit.is_new = False
    visit.take([Sent("1", "a.png"), Sent("2", "b.png", b"no film")])
    assert (visit.shown, visit.is_new) == ("2", False)


def test_what_is_taken_out_of_the_uploader_is_forgotten() -> None:
    visit, both = Visit(), [Sent("1", "a.png"), Sent("2", "b.png")]
    visit.take(both)
    for film in both:
        visit.note(film.file_id, "demo", FilmView(film.name, error="Why"))
    assert visit.changed(["2"]) is False
    visit.take(both[1:])
    assert (list(visit.films), visit.batch, visit.shown, visit.left_out) == (["2"], ["2"], "2", [])
    assert [line.film for line in visit.history()] == ["b.png"]
    assert visit.changed(["2", "3"]) is True
    assert visit.changed([]) is False and visit.films == {}


@pytest.mark.parametrize(("public", "most"), [("0", MAX_OWN_FILMS), ("1", MAX_FILMS)])
def test_no_more_than_so_many_uploads_are_held_and_the_others_follow_when_there_is_room(
    monkeypatch: pytest.MonkeyPatch, public: str, most: int
) -> None:
    monkeypatch.setenv("XLITE_PUBLIC", public)
    visit, sent = Visit(), [Sent(str(number), f"{number}.png") for number in range(most + 2)]
    visit.take(sent)
    assert (len(visit.films), visit.left_out) == (most, [f"{most}.png", f"{most + 1}.png"])
    visit.changed([one.file_id for one in sent[2:]])
    visit.take(sent[2:])
    assert visit.batch == [one.file_id for one in sent[2:]] and visit.left_out == []


def test_the_oldest_films_are_forgotten_first_but_for_those_on_view(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(visits, "KEPT_FILMS", 3)
    visit = Visit()
    for number in range(5):
        visit.take([Sent(str(number), f"{number}.png")])
        visit.note(str(number), "demo", FilmView(f"{number}.png", error="Why"))
    assert list(visit.films) == ["2", "3", "4"]
    assert [line.key for line in visit.history()] == ["4", "3", "2"]
    monkeypatch.setattr(visits, "KEPT_MB", 2 * len(PNG) / 2**20)
    visit.take([Sent(str(number), f"{number}.png") for number in (5, 6, 7)])
    assert list(visit.films) == ["5", "6", "7"]  # all on view, though they are too many bytes
    visit.open(VisitFilm("bundled", "a", Path("a.png"), address="a"))
    assert list(visit.films) == ["5", "6", "7", "bundled"]


def test_all_is_forgotten_and_the_uploader_emptied() -> None:
    visit = Visit()
    visit.take([Sent("1", "a.png"), Sent("2", "b.png")])
    visit.views["1", ("m", 0)] = FilmView("a.png", error="Why")
    visit.note("1", "demo", FilmView("a.png", error="Why"))
    visit.forget_for_good(["1"])
    assert (list(visit.films), visit.batch, visit.shown, visit.round) == (["2"], ["2"], "2", 1)
    assert (visit.views, visit.lines) == ({}, {})
    visit.forget_for_good(visit.films)
    assert (visit.films, visit.batch, visit.shown, visit.round) == ({}, [], None, 2)
    assert PNG not in [film.source for film in visit.films.values()] and visit._of_file == {}


def test_an_earlier_film_is_shown_again() -> None:
    visit = Visit()
    visit.take([Sent("1", "a.png")])
    visit.take([])
    visit.take([Sent("2", "b.png")])
    visit.show("1")
    assert (visit.batch, visit.shown, visit.left_out, visit.is_new) == (["1"], "1", [], True)


def test_a_line_for_each_film_and_model_newest_first() -> None:
    visit = Visit()
    visit.take([Sent("1", "a.png")])
    for model in ("one", "two", "one"):
        visit.note("1", model, FilmView("a.png", error="The file is empty"))
    line = HistoryLine("1", "a.png", "one", "not read", "The file is empty")
    assert visit.history() == [line, HistoryLine("1", "a.png", "two", "not read", "The file is empty")]


def test_views_of_films_and_models_that_are_not_on_view_are_dropped() -> None:
    visit, view = Visit(), FilmView("a.png", error="Why")
    visit.views = {("1", ("m", 0)): view, ("1", ("n", 0)): view, ("2", ("m", 0)): view}
    visit.keep_views({"1"}, {("m", 0)})
    assert list(visit.views) == [("1", ("m", 0))]


def test_a_zip_is_unpacked_in_memory_and_bad_films_have_their_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    data = zipped({"ward/b.png": PNG, "a.png": b"damaged", "readme.txt": b"no film"})
    films, note = films_in(Sent("7", "ward.ZIP", data))
    assert films == [VisitFilm("7:0", "a.png", b"damaged"), VisitFilm("7:1", "b.png", PNG)]
    assert note == "ward.ZIP: 1 passed over (1 not a film)"
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


@pytest.mark.parametrize(("most", "megabytes"), [(4, 1), (9, 4 * len(PNG) / 2**20)])
def test_no_more_of_a_zip_is_unpacked_than_is_read(
    monkeypatch: pytest.MonkeyPatch, most: int, megabytes: float
) -> None:
    monkeypatch.setattr(upload_limits, "MAX_OWN_FILMS", most)
    monkeypatch.setattr(upload_limits, "MOST_MB", megabytes)
    data = zipped({f"{number:02d}.png": PNG for number in range(6)})
    visit = Visit()
    visit.take([Sent("7", "many.zip", data)])
    assert (list(visit.films), visit.left_out) == ([f"7:{place}" for place in range(4)], ["04.png", "05.png"])
    assert all(film.source == PNG for film in visit.films.values())
    films, _ = films_in(Sent("7", "many.zip", data))
    assert [film.is_left_out for film in films] == [False] * 4 + [True] * 2


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (zipped({"readme.txt": b"no film"}), "The zip holds no film: expected "),
        (zipped({"a.png": PNG})[:60], "The zip bad.zip cannot be read ("),
        (zipped({"../a.png": PNG}), "The zip bad.zip names a file outside of it"),
    ],
    ids=["no film", "cut", "outside"],  # the bytes have the time in them: each process makes its own
)
def test_a_bad_zip_has_its_reason(data: bytes, why: str) -> None:
    [film], note = films_in(Sent("7", "bad.zip", data))
    assert (film.name, film.source, note) == ("bad.zip", None, "") and (film.error or "").startswith(why)


def test_a_film_in_a_zip_is_no_larger_than_an_upload(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(visits, "MAX_UPLOAD_MB", 0.0001)
    [film], _ = films_in(Sent("7", "a.zip", zipped({"a.png": PNG})))
    assert film.source is None and (film.error or "").startswith("a.png has 0.0 MB: films may have")


def test_a_film_that_cannot_be_read_says_why_and_another_is_read(tmp_path: Path) -> None:
    reader = GuardedReader(Classifier.load(save_demo_model(tmp_path)), Played())
    bad = film_view(reader, VisitFilm("1", "bad.zip", error="Why"))
    assert (bad.name, bad.error, bad.answer) == ("bad.zip", "Why", None)
    gone = film_view(reader, VisitFilm("1", "a.png", tmp_path / "a.png"))
    assert gone.answer is None and (gone.error or "").startswith("No such file")
    read = film_view(reader, VisitFilm("1", "a.png", PNG)).answer
    assert read is not None and read.reading is not None
    np.testing.assert_array_equal(read.film, FILM)


def test_a_film_of_a_data_folder_is_found_by_its_name_alone(tiny_folder: Path) -> None:
    path = tiny_folder / "images" / "00000001_000.png"
    folder = NihFolder.open(tiny_folder)
    for name in ("00000001_000.png", "00000001_000"):
        assert folder_film(folder, name) == VisitFilm(f"folder {path}", path.name, path, address=name)
    for name in ("00000099_000.png", "../Data_Entry_2017_v2020.csv", "/etc/passwd"):
        with pytest.raises(DataError, match="has no film"):
            folder_film(folder, name)
    path.unlink()
    with pytest.raises(DataError, match="lists the film 00000001_000.png, and its file is not in the folder"):
        folder_film(NihFolder.open(tiny_folder), path.name)


def test_what_a_folder_calls_an_upload_is_looked_up_once(
    tiny_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index, visit = KnownFilms.of(NihFolder.open(tiny_folder)), Visit()
    data = (tiny_folder / "images" / "00000003_001.png").read_bytes()
    visit.take([Sent("1", "scan.png", data), Sent("2", "other.png"), Sent("3", "bad.zip", b"PK\3\4")])
    own = folder_film(index.folder, "00000002_000.png")
    visit.open(own)
    asked: list[int] = []
    find = KnownFilms.find
    monkeypatch.setattr(KnownFilms, "find", lambda self, data: asked.append(len(data)) or find(self, data))
    for _ in range(2):
        known = [visit.stem(film, index) for film in visit.films.values()]
        assert known == ["00000003_001", None, None, "00000002_000"]
    assert asked == [len(data), len(PNG)]
    other = KnownFilms.of(NihFolder.open(tiny_folder))
    assert visit.stem(visit.films["1"], other) == "00000003_001" and len(asked) == 3
