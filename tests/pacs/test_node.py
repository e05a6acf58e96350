"""A node between two others on this machine: films in, reports and maps out."""

import errno
import gc
import logging
import socket
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from command_line import wait_for
from pacs_films import SOP, STUDY, UIDS, Pacs, film, listening, noise, parsed, reader, serving, store
from servers import free_port

from xlite.errors import RunError
from xlite.guards.verdict import Check, Guards
from xlite.pacs import node as nodes
from xlite.pacs import receive
from xlite.pacs.film_objects import Wanted
from xlite.pacs.node import Node, check_address
from xlite.pacs.peers import Peer, Senders
from xlite.pacs.queue import MOST_TRIES, Queue
from xlite.pacs.receive import Receiver
from xlite.pacs.results import ObjectMaker
from xlite.pacs.source import read_source, to_bytes

# pynetdicom leaves a socket open that could not connect, until it is garbage.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")
CT = "1.2.840.10008.5.1.4.1.1.2"


@pytest.fixture(scope="module")
def maker(tmp_path_factory: pytest.TempPathFactory) -> ObjectMaker:
    return ObjectMaker(reader(tmp_path_factory.mktemp("model")), Wanted(maps=2))


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Nobody waits long for what is away."""
    monkeypatch.setattr(nodes, "FIRST_WAIT_S", 0.05)
    monkeypatch.setattr(nodes, "LONGEST_WAIT_S", 0.2)
    yield
    gc.collect()


def came(pacs: Pacs) -> datetime:
    """When the first film came, as its report says."""
    return datetime.strptime(pacs.got[0].ContentDate + pacs.got[0].ContentTime, "%Y%m%d%H%M%S")


def is_empty(queue: Queue) -> bool:
    return not queue.to_read() and not queue.to_send()


@pytest.mark.slow
def test_a_film_comes_back_as_a_report_and_maps_and_nothing_of_it_stays(
    tmp_path: Path, maker: ObjectMaker, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "xlite")
    pacs = Pacs()
    data = film(PatientName="Muster^Anna", PatientID="0042", AccessionNumber="A/17")
    with listening(pacs) as there, serving(tmp_path, maker, there) as (port, queue):
        assert [one.Status for one in store(port, data)] == [0]
        wait_for(lambda: len(pacs.got) == 3 and is_empty(queue))
        wanted = maker.read(data, came(pacs))
        assert [one.to_json() for one in pacs.got] == [parsed(to_bytes(one)).to_json() for one in wanted]
        assert [one.Modality for one in pacs.got] == ["SR", "OT", "OT"]
        assert {(one.StudyInstanceUID, str(one.PatientName), one.AccessionNumber) for one in pacs.got} == {
            (STUDY, "Muster^Anna", "A/17")
        }
        # The same film again is taken and not answered again; X-Lite's own objects are let fall.
        again = store(port, data, *(to_bytes(one) for one in wanted))
        assert [one.Status for one in again] == [0] * 4
        assert is_empty(queue)
    assert len(pacs.got) == 3
    left = [path.name for path in tmp_path.rglob("*") if path.is_file()]
    assert left == ["sent.txt"]
    assert (tmp_path / "sent.txt").read_text() == f"{maker.key(read_source(data))}\n"
    for secret in ("Muster", "0042", "A/17", SOP):
        assert secret not in caplog.text
    assert caplog.text.count(" s: 3 objects\n") == 1


@pytest.mark.slow
def test_of_a_film_that_is_refused_one_object_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "xlite")
    own = ObjectMaker(reader(tmp_path, Guards((Check("blank", "contrast", 1, 10, below=True),))), Wanted())
    pacs = Pacs()
    with listening(pacs) as there, serving(tmp_path / "queue", own, there) as (port, queue):
        store(port, film())
        wait_for(lambda: len(pacs.got) == 1 and is_empty(queue))
    assert " s: 1 object\n" in caplog.text


@pytest.mark.slow
def test_what_waits_for_a_pacs_that_is_away_is_sent_when_it_is_back(
    tmp_path: Path, maker: ObjectMaker, caplog: pytest.LogCaptureFixture
) -> None:
    there, pacs = free_port(), Pacs()
    films = [film(noise(seed), SOPInstanceUID=f"1.2.{seed}") for seed in range(3)]
    with serving(tmp_path, maker, there) as (port, queue):
        store(port, *films)
        wait_for(lambda: len(queue.to_send()) == 3 and "it does not answer; trying again" in caplog.text)
    # The node has ended; another finds what was to be done.
    with serving(tmp_path, maker, there) as (port, queue):
        assert len(queue.to_send()) == 3
        pacs.answers = [0xA700, 0, 0x0110]  # no room; then one that fails in the middle
        with listening(pacs, there):
            wait_for(lambda: is_empty(queue))
    expected = [maker.read(one, came(pacs)) for one in films]
    assert pacs.uids == [one.SOPInstanceUID for objects in expected for one in objects]


@pytest.mark.slow
def test_a_pacs_that_takes_no_reports_gets_the_maps_and_the_rest_is_laid_aside(
    tmp_path: Path, maker: ObjectMaker, caplog: pytest.LogCaptureFixture
) -> None:
    pacs = Pacs()
    with (
        listening(pacs, classes=["1.2.840.10008.5.1.4.1.1.7"]) as there,
        serving(tmp_path, maker, there) as (port, queue),
    ):
        store(port, film())
        wait_for(lambda: "are laid aside" in caplog.text)
        store(port, film(noise(1), SOPInstanceUID="1.2.3.9"))  # and others do not wait for it
        wait_for(lambda: len(pacs.got) == 4)
        wait_for(lambda: is_empty(queue))
    assert [one.Modality for one in pacs.got] == ["OT"] * 4
    assert "it does not take objects of this class" in caplog.text
    assert len(list((tmp_path / "given-up").rglob("*.dcm"))) == 2


@pytest.mark.slow
def test_what_is_no_film_that_can_be_read_is_refused_with_a_status(
    tmp_path: Path, maker: ObjectMaker
) -> None:
    broken = parsed(film(SOPInstanceUID="1.2.3.7"))
    broken.Rows = 4000
    foreign = parsed(film(SOPInstanceUID="1.2.3.8"))
    foreign.SOPClassUID = foreign.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.7"
    with serving(tmp_path, maker, free_port()) as (port, queue):
        answers = store(port, to_bytes(broken), to_bytes(foreign), film(Modality="MG"))
        assert [(hex(one.Status), one.ErrorComment) for one in answers] == [
            ("0xc000", "the DICOM file is damaged: its Pixel Data has 3,072 bytes, but R"),
            ("0x122", "no film: CR, or DX for presentation"),
            ("0xc000", "the DICOM file is of type 'MG'; expected an X-ray (CR, DX or RG)"),
        ]
        other = parsed(film(SOPInstanceUID="1.2.3.6"))
        other.SOPClassUID = other.file_meta.MediaStorageSOPClassUID = CT
        with pytest.raises(AssertionError, match="does not let"):  # no context of its class is accepted
            store(port, to_bytes(other))
        assert is_empty(queue)


def test_a_data_set_that_is_not_what_was_announced_is_refused(tmp_path: Path, maker: ObjectMaker) -> None:
    receiver = Receiver("XLITE", Queue(tmp_path), maker.key, Senders())
    data = film()
    assert receiver._stored(data, UIDS["StudyInstanceUID"], SOP).Status == 0xA900
    assert receiver._stored(data, "1.2.840.10008.5.1.4.1.1.1", "1.2.9").Status == 0xA900
    assert receiver._stored(bytes(receive._MOST_BYTES + 1), "1", "1").Status == 0xA700


@pytest.mark.slow
def test_a_queue_that_is_full_says_so_and_takes_more_when_it_has_room(
    tmp_path: Path, maker: ObjectMaker
) -> None:
    there, pacs = free_port(), Pacs()
    first, second = film(), film(noise(1), SOPInstanceUID="1.2.3.9")
    with serving(tmp_path, maker, there, most_films=1) as (port, queue):
        answers = store(port, first, second)
        assert [hex(one.Status) for one in answers] == ["0x0", "0xa700"]
        assert answers[1].ErrorComment == "the queue is full: try again later"
        with listening(pacs, there):
            wait_for(lambda: is_empty(queue))
            assert store(port, second)[0].Status == 0
            wait_for(lambda: len(pacs.got) == 6)


@pytest.mark.slow
def test_only_those_who_may_send_do(tmp_path: Path, maker: ObjectMaker) -> None:
    with serving(tmp_path, maker, free_port(), ("WARD@127.0.0.1", "OTHER@192.0.2.1")) as (port, _):
        assert store(port, film())[0].Status == 0
        for title in ("STRANGER", "OTHER"):
            with pytest.raises(AssertionError, match="does not let"):
                store(port, film(), title=title)
        with pytest.raises(AssertionError, match="does not let"):
            store(port, film(), called="SOMEONE")


@pytest.mark.slow
def test_an_echo_is_answered(tmp_path: Path, maker: ObjectMaker) -> None:
    from pynetdicom import AE

    with serving(tmp_path, maker, free_port()) as (port, _):
        ae = AE("WARD")
        ae.add_requested_context("1.2.840.10008.1.1")
        association = ae.associate("127.0.0.1", port, ae_title="XLITE")
        assert association.send_c_echo().Status == 0
        association.release()


@pytest.mark.slow
@pytest.mark.parametrize("sent", [b"\x01\0\xff\xff\xff\xff", b"\x04\0\x00\x20\x00\x00"])
def test_a_piece_that_is_larger_than_any_can_be_ends_the_connection(
    sent: bytes, tmp_path: Path, maker: ObjectMaker
) -> None:
    """Before, pynetdicom took in whatever a length announced, 4 GB from anybody."""
    with serving(tmp_path, maker, free_port()) as (port, _):
        with socket.create_connection(("127.0.0.1", port), timeout=10) as one:
            one.sendall(sent)
            try:
                while one.recv(4096):
                    pass
            except ConnectionResetError:
                pass
        assert store(port, film())[0].Status == 0


@pytest.mark.slow
def test_a_message_that_is_larger_than_a_film_can_be_ends_the_connection(
    tmp_path: Path, maker: ObjectMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receive, "_MOST_BYTES", 100_000)
    monkeypatch.setattr(receive, "MOST_PDU", 50_000)
    large = film(noise(shape=(600, 600)))
    with serving(tmp_path, maker, free_port()) as (port, queue):
        assert "Status" not in store(port, large)[0]
        small = [film(noise(seed, (200, 200)), SOPInstanceUID=f"1.2.{seed}") for seed in range(5)]
        assert [one.Status for one in store(port, *small)] == [0] * 5  # more than that, one after the other


@pytest.mark.slow
def test_a_refused_picture_is_answered_with_a_report_that_says_so(tmp_path: Path) -> None:
    blank = Guards((Check("not_chest", "probability", 0.9, 0.5),))
    pacs, maker = Pacs(), ObjectMaker(reader(tmp_path, blank), Wanted())
    with listening(pacs) as there, serving(tmp_path / "queue", maker, there) as (port, queue):
        store(port, film())
        wait_for(lambda: len(pacs.got) == 1 and is_empty(queue))
    assert pacs.got[0].Modality == "SR"


def test_what_ends_the_reading_ends_the_node(tmp_path: Path, maker: ObjectMaker) -> None:
    class Broken:
        def read(self, *_: object) -> None:
            raise MemoryError

    queue = Queue(tmp_path)
    queue.add("k", film())
    node = Node(queue, Broken(), Peer("PACS", "127.0.0.1", free_port()), "XLITE")  # type: ignore[arg-type]
    node.start()
    with pytest.raises(MemoryError):
        node.wait()
    node.end()
    assert [item.key for item in Queue(tmp_path).to_read()] == ["k"]


def test_a_disk_without_room_for_results_is_no_fault_of_the_film(
    tmp_path: Path, maker: ObjectMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    Queue(tmp_path).add("k", film())
    with monkeypatch.context() as disk:
        disk.setattr(Queue, "put_results", full)
        for _ in range(MOST_TRIES + 1):
            node = Node(Queue(tmp_path), maker, Peer("PACS", "127.0.0.1", free_port()), "XLITE")
            node.start()
            with pytest.raises(OSError, match="No space left"):
                node.wait()
            node.end()
    queue = Queue(tmp_path)
    assert [item.key for item in queue.to_read()] == ["k"] and not [*(tmp_path / "given-up").iterdir()]
    assert queue.to_read()[0].begin()


def test_beyond_this_machine_it_has_to_be_said_who_may_send() -> None:
    with pytest.raises(RunError, match="on 0.0.0.0 everybody who reaches it could send: name those"):
        check_address("0.0.0.0", free_port(), Senders())
    check_address("0.0.0.0", free_port(), Senders.parse(["WARD"]))
    check_address("127.0.0.1", free_port(), Senders())


def test_the_time_of_a_film_is_when_it_came(tmp_path: Path) -> None:
    queue = Queue(tmp_path)
    queue.add("k", b"film")
    assert abs(queue.to_read()[0].when.timestamp() - time.time()) < 60
