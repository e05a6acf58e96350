"""DICOM films as a PACS has them, a model's answer to them, and other nodes, for tests of `xlite.pacs`."""

import io
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pydicom
from dicom_films import make, to_bytes
from gates import Played
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian
from servers import free_port
from tiny_models import save_student, untrained

from xlite.classify import Classifier
from xlite.findings import FINDINGS
from xlite.guarded import GuardedReader
from xlite.guards.verdict import Guards
from xlite.pacs.peers import Peer, Senders
from xlite.pacs.queue import Queue

if TYPE_CHECKING:
    from xlite.pacs.results import ObjectMaker

WHEN = datetime(2026, 3, 4, 5, 6, 7)
CR = "1.2.840.10008.5.1.4.1.1.1"
STUDY, SERIES, SOP = "1.2.3.4", "1.2.3.4.5", "1.2.3.4.5.6"
UIDS = {"StudyInstanceUID": STUDY, "SeriesInstanceUID": SERIES, "SOPInstanceUID": SOP}


def noise(seed: int = 0, shape: tuple[int, int] = (48, 64)) -> np.ndarray:
    """A film that a lenient gate takes: uint8 (H, W)."""
    rows = np.linspace(0, 200, shape[0])[:, None]
    return (rows + np.random.default_rng(seed).integers(0, 55, shape)).astype(np.uint8)


def film(pixels: np.ndarray | None = None, **tags: object) -> bytes:
    """A film of a study, without a word about the patient unless `tags` have one."""
    return to_bytes(make(noise() if pixels is None else pixels, bits=8, **{**UIDS, **tags}))


def reader(folder: Path, *guards: Guards, **fields: object) -> GuardedReader:
    """A tiny model with every threshold at 0.5, behind a gate that gives these guards and then passes all."""
    thresholds = dict.fromkeys(FINDINGS, 0.5)
    path = save_student(folder / "one.safetensors", untrained(hidden=16), thresholds=thresholds, **fields)
    return GuardedReader(Classifier.load(path), Played(*guards))


def parsed(data: bytes) -> Dataset:
    return pydicom.dcmread(io.BytesIO(data))


def texts(item: Dataset, depth: int = 0) -> Iterator[tuple[int, str, str]]:
    """A report's content: how deep an item lies, what it is called, and its value as text."""
    name = item.ConceptNameCodeSequence[0].CodeMeaning if "ConceptNameCodeSequence" in item else ""
    yield depth, name, _value(item)
    for inner in item.get("ContentSequence", []):
        yield from texts(inner, depth + 1)


def _value(item: Dataset) -> str:
    match item.ValueType:
        case "TEXT":
            return str(item.TextValue)
        case "UIDREF":
            return str(item.UID)
        case "CODE":
            code = item.ConceptCodeSequence[0]
            return f"{code.CodeValue} {code.CodingSchemeDesignator} {code.CodeMeaning}"
        case "NUM":
            number = item.MeasuredValueSequence[0]
            return f"{float(number.NumericValue):g} {number.MeasurementUnitsCodeSequence[0].CodeValue}"
        case "IMAGE":
            image = item.ReferencedSOPSequence[0]
            return f"{image.ReferencedSOPClassUID} {image.ReferencedSOPInstanceUID}"
        case "SCOORD":
            return f"{item.GraphicType} {' '.join(f'{value:g}' for value in item.GraphicData)}"
    return ""


class Pacs:
    """A node that takes objects: what it got, in order; `answers` are the statuses that it gives first."""

    def __init__(self) -> None:
        self.got: list[Dataset] = []
        self.answers: list[int] = []
        self.lock = threading.Lock()

    def store(self, event: object) -> int:
        with self.lock:
            if self.answers and (status := self.answers.pop(0)):
                return status
            self.got.append(parsed(event.encoded_dataset()))  # type: ignore[attr-defined]
        return 0

    @property
    def uids(self) -> list[str]:
        with self.lock:
            return [str(one.SOPInstanceUID) for one in self.got]


@contextmanager
def listening(pacs: Pacs, port: int = 0, classes: Sequence[str] | None = None) -> Iterator[int]:
    """A node PACS on this machine while it lasts: its port."""
    from pynetdicom import AE, evt

    from xlite.pacs.send import RESULT_CLASSES

    ae = AE("PACS")
    for sop_class in classes or RESULT_CLASSES:
        ae.add_supported_context(sop_class, ExplicitVRLittleEndian)
    port = port or free_port()
    server = ae.start_server(("127.0.0.1", port), block=False, evt_handlers=[(evt.EVT_C_STORE, pacs.store)])
    try:
        yield port
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def serving(
    folder: Path, maker: "ObjectMaker", to: int, senders: tuple[str, ...] = (), **limits: int
) -> Iterator[tuple[int, Queue]]:
    """A node XLITE whose results go to a port of this machine: its port and its queue."""
    from xlite.pacs.node import Node
    from xlite.pacs.receive import Receiver

    queue, port = Queue(folder, **limits), free_port()
    node = Node(queue, maker, Peer("PACS", "127.0.0.1", to), "XLITE")
    server = Receiver("XLITE", queue, maker.key, Senders.parse(senders)).start("127.0.0.1", port)
    try:
        node.start()
        yield port, queue
    finally:
        server.shutdown()
        server.server_close()
        node.end()
        node.check()


def store(port: int, *films: bytes, title: str = "WARD", called: str = "XLITE") -> list[Dataset]:
    """The answers of a node to films that are sent to it, one after the other."""
    from pynetdicom import AE

    ae = AE(title)
    datasets = [parsed(one) for one in films]
    for sop_class in dict.fromkeys(one.SOPClassUID for one in datasets):
        syntax = next(one for one in datasets if one.SOPClassUID == sop_class).file_meta.TransferSyntaxUID
        ae.add_requested_context(sop_class, syntax)
    association = ae.associate("127.0.0.1", port, ae_title=called)
    assert association.is_established, "the node does not let WARD in"
    try:
        return [association.send_c_store(one) for one in datasets]
    finally:
        association.release()
