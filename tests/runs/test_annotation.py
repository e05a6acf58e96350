"""Tags and notes of runs: written whole, kept through a rename, gone with the run."""

import json
import threading
from pathlib import Path

import pytest

from xlite.errors import RunError
from xlite.runs.annotation import ANNOTATION_FILE, Annotation, annotate, read_annotation, tags_of
from xlite.runs.run import Run


def test_a_run_has_no_tags_and_no_note_until_somebody_writes_them(stopped_run: Run) -> None:
    assert read_annotation(stopped_run.folder) == Annotation()
    assert not stopped_run.path(ANNOTATION_FILE).exists()


def test_what_is_not_given_stays(tmp_path: Path) -> None:
    assert annotate(tmp_path, tags=["a", " b  c ", "a", ""]) == Annotation(("a", "b c"))
    assert annotate(tmp_path, note=" two\nlines ") == Annotation(("a", "b c"), "two\nlines")
    assert annotate(tmp_path, tags=[]) == Annotation((), "two\nlines")
    assert read_annotation(tmp_path) == Annotation((), "two\nlines")
    assert json.loads((tmp_path / ANNOTATION_FILE).read_text()) == {"tags": [], "note": "two\nlines"}


def test_a_rename_keeps_it_and_a_deletion_leaves_nothing(stopped_run: Run) -> None:
    annotate(stopped_run.folder, ["paper"], "the best")
    renamed = stopped_run.rename("two")
    assert read_annotation(renamed.folder) == Annotation(("paper",), "the best")
    renamed.delete()
    assert list(renamed.folder.parent.glob("*/*.json")) == []


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"{", "EOF while parsing"),
        (b"[]", "list indices must be integers"),
        (b'{"tags": []}', "it has no 'note'"),
        (b'{"tags": "a", "note": ""}', "its tags are not a list of texts"),
        (b'{"tags": [1], "note": ""}', "its tags are not a list of texts"),
        (b'{"tags": [], "note": 1}', "its note is not text"),
        (b'{"tags": ["a,b"], "note": ""}', "'a,b' cannot be a tag"),
        (b"\xff\xfe", ""),
        (b"[" * 100_000, ""),
    ],
)
def test_a_damaged_one_is_a_sentence_and_is_written_anew(tmp_path: Path, content: bytes, reason: str) -> None:
    file = tmp_path / ANNOTATION_FILE
    file.write_bytes(content)
    with pytest.raises(RunError) as caught:
        read_annotation(tmp_path)
    assert str(caught.value).startswith(
        f"tags and note of run {tmp_path.name!r} cannot be read from {file} ("
    )
    assert reason in str(caught.value) and str(caught.value).endswith("): write them anew")
    assert annotate(tmp_path, tags=["a"]) == Annotation(("a",)) == read_annotation(tmp_path)


def test_a_folder_in_its_place_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / ANNOTATION_FILE).mkdir()
    with pytest.raises(RunError, match="Is a directory"):
        read_annotation(tmp_path)


@pytest.mark.parametrize(
    ("tags", "note", "reason"),
    [
        (["x" * 41], None, "cannot be a tag: use up to 40 characters"),
        (["a\x1b[31m"], None, "cannot be a tag"),
        (["\udcff"], None, "cannot be a tag"),
        ([f"t{number}" for number in range(21)], None, "a run has up to 20 tags, and here are 21"),
        (None, "x" * 10_001, "a note has up to 10,000 characters, and this one has 10,001"),
        (None, "\udcff", "the note is not text in UTF-8"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_written(
    tmp_path: Path, tags: list[str] | None, note: str | None, reason: str
) -> None:
    with pytest.raises(RunError, match=reason):
        annotate(tmp_path, tags, note)
    assert list(tmp_path.glob("*.*")) == []


def test_tags_are_typed_with_commas() -> None:
    assert tags_of("a, b c,,a ,") == ("a", "b c")
    assert tags_of("") == ()


def test_of_two_writers_the_last_wins_and_nobody_reads_half_of_it(tmp_path: Path) -> None:
    notes = ["a" * 5000, "b" * 5000]
    annotate(tmp_path, note=notes[0])
    ended = threading.Event()
    read: set[str] = set()

    def look() -> None:
        while not ended.is_set():
            read.add(read_annotation(tmp_path).note)

    def write(note: str) -> None:
        for _ in range(50):
            annotate(tmp_path, note=note)

    reader = threading.Thread(target=look)
    writers = [threading.Thread(target=write, args=[note]) for note in notes]
    for thread in [reader, *writers]:
        thread.start()
    for thread in writers:
        thread.join()
    ended.set()
    reader.join()
    assert read and read <= set(notes)
    annotate(tmp_path, note="last")
    assert read_annotation(tmp_path) == Annotation((), "last")
    assert [path.name for path in tmp_path.glob("*.*")] == [ANNOTATION_FILE]
