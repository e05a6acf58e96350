"""The folder that films are read into: what is written when, and what a killed run leaves to go on from."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from filelock import FileLock
from noise_film import write_film

from xlite.errors import DataError
from xlite.guards.verdict import Check, Guards
from xlite.predict.films import GUARDS_FILE, LOCK_FILE, PREDICTIONS_FILE, RECORD_FILE, WORTH_FILE, Film
from xlite.predict.output import BATCH, opened
from xlite.predict.tables import Answer

WORK = {"model": "1a2b", "heatmaps": 0, "tta": False}
TABLES = {GUARDS_FILE, WORTH_FILE, PREDICTIONS_FILE}


@pytest.fixture
def films(tmp_path: Path) -> list[Film]:
    """Two batches and one film more; the name of the last would be a formula."""
    names = [*(f"{number}.png" for number in range(2 * BATCH)), "=last.png"]
    (tmp_path / "films").mkdir()
    return [Film(write_film(tmp_path / "films" / name), name) for name in names]


def refused(films: Sequence[Film]) -> list[Answer]:
    """Answers without a reading: each has a row in guards.csv, and in no other table."""
    return [Answer(film, Guards((Check("blank", "contrast", 0.0, 1.0),))) for film in films]


def rows(out: Path) -> list[str]:
    return [line.split(",")[0] for line in (out / GUARDS_FILE).read_text().splitlines()[1:]]


def record(out: Path) -> dict[str, object]:
    content: dict[str, object] = json.loads((out / RECORD_FILE).read_text())
    return content


def break_off(out: Path, films: Sequence[Film], done: Sequence[Film]) -> None:
    with opened(out, films, WORK) as output:
        output.write(refused(done))


def test_nothing_is_written_before_the_first_answer_nor_by_a_run_without_one(
    tmp_path: Path, films: list[Film]
) -> None:
    out = tmp_path / "out"
    with opened(out, films, WORK) as output:
        output.finish()
        assert {path.name for path in out.iterdir()} <= {LOCK_FILE}


def test_a_run_leaves_its_tables_and_says_what_it_was_and_that_it_has_finished(
    tmp_path: Path, films: list[Film]
) -> None:
    out = tmp_path / "out"
    with opened(out, films, WORK) as output:
        output.write(refused(films[:2]))
        middle = record(out)
        assert (middle["finished"], middle["work"]) == (False, WORK)
        assert list(middle["films"]) == [*(film.name for film in films[:-1]), "'=last.png"]
        output.write(refused(films[2:]))
        output.finish()
    assert rows(out) == [*(film.name for film in films[:-1]), "'=last.png"]
    assert {path.name for path in out.iterdir()} - {LOCK_FILE} == TABLES | {RECORD_FILE}
    assert record(out) == {"format": "xlite-predict-1", "work": WORK, "finished": True, "films": {}}


def test_whole_batches_of_a_run_that_was_broken_off_are_kept_and_their_rows_come_first_in_the_end(
    tmp_path: Path, films: list[Film]
) -> None:
    out = tmp_path / "out"
    order = [films[-1], *films[1 : BATCH + 1]]  # five films, as they happened to come
    break_off(out, films, order)
    with opened(out, films, WORK) as output:
        done = output.done
        assert done == {film.name for film in films[1 : BATCH + 1]}  # the first four by the list's order
        assert [row.name for row in output.kept[GUARDS_FILE]] == [film.name for film in films[1 : BATCH + 1]]
        output.write(refused([film for film in reversed(films) if film.name not in done]))
        output.finish()
    assert rows(out) == [*(film.name for film in films[:-1]), "'=last.png"]


def test_a_film_whose_file_changed_or_is_gone_is_not_done(tmp_path: Path, films: list[Film]) -> None:
    out = tmp_path / "out"
    break_off(out, films, films)
    Path(films[0].path).write_bytes(b"other")
    Path(films[1].path).unlink()
    with opened(out, films, WORK) as output:
        assert output.done == {film.name for film in films[2 : 2 + BATCH]}


def test_a_film_that_was_never_there_has_no_digest_and_stops_nothing(
    tmp_path: Path, films: list[Film]
) -> None:
    gone = Film(tmp_path / "gone.png", "gone.png")
    break_off(tmp_path / "out", [gone, *films[:BATCH]], films[:BATCH])
    assert record(tmp_path / "out")["films"]["gone.png"] == ""  # type: ignore[index]
    with opened(tmp_path / "out", [gone, *films[:BATCH]], WORK) as output:
        assert output.done == {film.name for film in films[:BATCH]}


def test_a_finished_run_is_done_anew_and_its_tables_stay_until_the_first_answer(
    tmp_path: Path, films: list[Film]
) -> None:
    out = tmp_path / "out"
    with opened(out, films, WORK) as output:
        output.write(refused(films))
        output.finish()
    with opened(out, films[:1], {**WORK, "model": "other"}) as output:
        assert (output.done, output.kept) == (frozenset(), {})
        assert len(rows(out)) == len(films)
        output.write(refused(films[:1]))
    assert rows(out) == [films[0].name]


@pytest.mark.parametrize(
    ("work", "said"),
    [
        ({**WORK, "model": "9"}, "in model: repeat"),
        ({**WORK, "tta": True, "heatmaps": 2}, "in heatmaps, tta: repeat"),
        ({"model": "1a2b"}, "in heatmaps, tta: repeat"),
        ({**WORK, "fix": True}, "in fix: repeat"),
    ],
)
def test_an_unfinished_run_of_other_work_is_refused_and_stays_unless_all_is_to_be_fresh(
    work: dict[str, object], said: str, tmp_path: Path, films: list[Film]
) -> None:
    out = tmp_path / "out"
    break_off(out, films, films)
    before = (out / RECORD_FILE).read_bytes()
    with pytest.raises(DataError, match=said), opened(out, films, work):  # type: ignore[arg-type]
        pass
    assert (out / RECORD_FILE).read_bytes() == before and len(rows(out)) == len(films)
    with opened(out, films, work, fresh=True) as output:  # type: ignore[arg-type]
        assert output.done == frozenset()


@pytest.mark.parametrize(
    "content", [b"", b"{", b'{"mine": 1}', b"\xff\xfe", b'{"format": "xlite-predict-2", "work": {}}']
)
def test_a_file_of_that_name_that_is_no_record_is_not_overwritten(content: bytes, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / RECORD_FILE).write_bytes(content)
    with (
        pytest.raises(DataError, match=r"predictions\.json is not a record of xlite predict"),
        opened(out, [], WORK),
    ):
        pass
    assert (out / RECORD_FILE).read_bytes() == content


def test_the_folder_takes_one_run_at_a_time_and_is_free_after_an_error(
    tmp_path: Path, films: list[Film]
) -> None:
    out = tmp_path / "a" / "out"
    with pytest.raises(KeyboardInterrupt), opened(out, films, WORK):
        with pytest.raises(DataError, match="another xlite predict writes into"), opened(out, films, WORK):
            pass
        raise KeyboardInterrupt
    with FileLock(out / LOCK_FILE, timeout=0):
        pass
