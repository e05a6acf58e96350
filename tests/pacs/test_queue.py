"""The queue: what it knows after the node was killed, and what it does not keep."""

from pathlib import Path

import pytest

from xlite.errors import RunError
from xlite.pacs import queue as queues
from xlite.pacs.queue import FullError, Item, Queue, folder_locked


def names(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def only(items: list[Item]) -> Item:
    [item] = items
    return item


def test_films_come_out_in_the_order_in_which_they_came(tmp_path: Path) -> None:
    queue = Queue(tmp_path)
    assert [queue.add(key, key.encode()) for key in ("c", "a", "b")] == ["new"] * 3
    assert [(item.key, item.film.read_bytes()) for item in queue.to_read()] == [
        ("c", b"c"),
        ("a", b"a"),
        ("b", b"b"),
    ]
    assert queue.to_send() == []


def test_a_film_leaves_nothing_but_its_key_and_is_not_answered_twice(tmp_path: Path) -> None:
    queue = Queue(tmp_path)
    queue.add("k", b"film")
    item = only(queue.to_read())
    assert queue.add("k", b"film") == "waiting"
    queue.put_results(item, [b"report", b"map"])
    assert queue.to_read() == [] and not item.film.exists()
    assert [path.read_bytes() for path in only(queue.to_send()).results] == [b"report", b"map"]
    assert queue.add("k", b"film") == "waiting"
    queue.done(item)
    assert queue.to_send() == [] and names(tmp_path) == ["sent.txt"]
    assert (tmp_path / "sent.txt").read_text() == "k\n"
    assert queue.add("k", b"film") == "answered" == Queue(tmp_path).add("k", b"film")


def test_whenever_it_is_killed_it_goes_on_from_there(tmp_path: Path) -> None:
    queue = Queue(tmp_path)
    for key in ("unread", "halfway", "read", "sent"):
        queue.add(key, b"film")
    unread, halfway, read, sent = queue.to_read()
    (unread.folder.parent / ".00-draft").mkdir()  # while a film was taken in
    (halfway.folder / ".results").mkdir()  # while results were written
    (halfway.folder / ".results" / "000.dcm").write_bytes(b"repo")
    queue.put_results(read, [b"report"])
    read.film.write_bytes(b"film")  # before the film was removed
    queue.put_results(sent, [b"report"])
    with (tmp_path / "sent.txt").open("a") as file:
        file.write("sent\nhalfw")  # before its results were removed; and a line that was cut
    again = Queue(tmp_path)
    assert again.to_read() == [unread, halfway] and again.to_send() == [read]
    found = [name for name in names(tmp_path) if name != "sent.txt"]
    assert found == sorted(
        f"films/{name}"
        for name in (
            f"{unread.folder.name}/film.dcm",
            f"{halfway.folder.name}/film.dcm",
            f"{read.folder.name}/results/000.dcm",
        )
    )
    assert (tmp_path / "sent.txt").read_text() == "sent\n"


def test_no_more_is_held_than_there_is_room_for(tmp_path: Path) -> None:
    queue = Queue(tmp_path, most_films=2, most_mb=1)
    queue.add("a", bytes(700_000))
    with pytest.raises(FullError):
        queue.add("b", bytes(700_000))
    queue.add("c", b"")
    with pytest.raises(FullError):
        queue.add("d", b"")
    queue.give_up(queue.to_read()[0])  # what is laid aside still takes its place
    with pytest.raises(FullError):
        queue.add("d", b"")
    assert sorted(path.name.partition("-")[2] for path in (tmp_path / "given-up").iterdir()) == ["a"]
    assert [item.key for item in Queue(tmp_path, 2, 1).to_read()] == ["c"]


def test_a_film_that_ends_the_process_is_begun_three_times(tmp_path: Path) -> None:
    Queue(tmp_path).add("k", b"film")
    assert [only(Queue(tmp_path).to_read()).begin() for _ in range(5)] == [True, True, True, False, False]


def test_only_the_latest_keys_are_remembered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queues, "MOST_REMEMBERED", 2)
    sent = queues.Sent(tmp_path / "sent.txt")
    for key in "abcde":
        sent.add(key)
    assert (tmp_path / "sent.txt").read_text() == "d\ne\n"
    assert [key in sent for key in "abcde"] == [False, False, False, True, True]


def test_one_node_holds_a_queue(tmp_path: Path) -> None:
    with (
        folder_locked(tmp_path / "new"),
        pytest.raises(RunError, match="another xlite serve --dicom has its queue in"),
        folder_locked(tmp_path / "new"),
    ):
        pass
