"""What comes to a node by C-STORE: films into its queue, or a status that says why not."""

import logging
import socket
import threading
from collections.abc import Callable
from typing import Any

from pydicom.dataset import Dataset
from pydicom.uid import (
    JPEG2000,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    JPEGLSNearLossless,
    RLELossless,
)
from pynetdicom import AE, evt
from pynetdicom.sop_class import Verification  # type: ignore[attr-defined]
from pynetdicom.transport import ThreadedAssociationServer

from xlite.errors import ImageError, sentence
from xlite.images import MAX_UPLOAD_MB, read_image
from xlite.pacs.peers import Senders
from xlite.pacs.queue import Added, FullError, Queue
from xlite.pacs.send import RESULT_CLASSES
from xlite.pacs.source import FILM_CLASSES, Source, read_source

MOST_ASSOCIATIONS = 8
MOST_PDU = 2**20
"""Bytes of a PDU that are taken; X-Lite asks for less, and this is what others may get wrong."""
SLOW_S = 30.0
"""So long a node may say nothing."""
SUCCESS, NO_SOP_CLASS, NO_ROOM, MISMATCH, NOT_UNDERSTOOD = 0x0000, 0x0122, 0xA700, 0xA900, 0xC000
SYNTAXES = [
    *(ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian, JPEGBaseline8Bit),
    *(JPEGExtended12Bit, JPEGLossless, JPEGLosslessSV1, JPEGLSLossless, JPEGLSNearLossless),
    *(JPEG2000Lossless, JPEG2000, RLELossless),
]
_MOST_BYTES = MAX_UPLOAD_MB * 2**20
_COMMENT = 64  # signs of an error comment

log = logging.getLogger(__name__)


class Receiver:
    """Listens; `key` says by what a film is known to the queue."""

    def __init__(self, title: str, queue: Queue, key: Callable[[Source], str], senders: Senders) -> None:
        self.queue, self.key, self.senders = queue, key, senders
        self._decoding = threading.BoundedSemaphore(1)  # takes up to 500 MB
        self.ae = AE(ae_title=title)
        self.ae.require_called_aet = True
        self.ae.maximum_associations = MOST_ASSOCIATIONS
        self.ae.acse_timeout = self.ae.dimse_timeout = self.ae.network_timeout = SLOW_S
        self.ae.add_supported_context(Verification)
        for sop_class in FILM_CLASSES:
            self.ae.add_supported_context(sop_class, SYNTAXES)
        for sop_class in RESULT_CLASSES:  # so that a whole study can be sent: X-Lite's own are let fall
            self.ae.add_supported_context(sop_class, SYNTAXES)

    def start(self, host: str, port: int) -> ThreadedAssociationServer:
        """Listens from now on, in threads of its own. Raises OSError."""
        # What others send is never logged, not even as a fault of theirs.
        logging.getLogger("pynetdicom").propagate = False
        handlers: list[Any] = [
            (evt.EVT_CONN_OPEN, self._bound),
            (evt.EVT_REQUESTED, self._let_in),
            (evt.EVT_DIMSE_RECV, _message_ended),
            (evt.EVT_C_ECHO, lambda event: SUCCESS),
            (evt.EVT_C_STORE, self._store),
        ]
        server = self.ae.start_server((host, port), block=False, evt_handlers=handlers)
        assert server is not None
        return server

    def _bound(self, event: Any) -> None:
        """Bounds what a connection may send: pynetdicom takes in whatever a length announces."""
        connection = event.assoc.dul.socket
        connection.recv = _Bounded(connection.recv, connection.socket).recv

    def _let_in(self, event: Any) -> None:
        """Rejects a node that is none of the senders, before it can send."""
        asked = event.assoc.requestor
        if not self.senders.may(asked.primitive.calling_ae_title, asked.address):
            log.warning("A node that is not one of --from was turned away")
            event.assoc.acse.send_reject(0x01, 0x01, 0x03)  # for good, by its user, calling AE title

    def _store(self, event: Any) -> Dataset:
        data = event.encoded_dataset()
        asked = event.request
        try:
            return self._stored(data, str(asked.AffectedSOPClassUID), str(asked.AffectedSOPInstanceUID))
        except ImageError as error:
            log.warning("A film was refused: %s", error)
            return status(NOT_UNDERSTOOD, str(error))
        except FullError:
            log.warning("A film was refused: the queue is full")
            return status(NO_ROOM, "the queue is full: try again later")
        except OSError as error:
            log.error("A film was refused: %s", sentence(error))
            return status(NO_ROOM, "the film cannot be kept: try again later")

    def _stored(self, data: bytes, sop_class: str, sop: str) -> Dataset:
        """Takes in a film that can be read. Raises ImageError, FullError, OSError."""
        if len(data) > _MOST_BYTES:
            return status(NO_ROOM, f"the film has more than {MAX_UPLOAD_MB} MB")
        source = read_source(data)
        if (source.sop_class, source.sop) != (sop_class, sop):
            return status(MISMATCH, "data set and request differ in class or instance")
        if source.is_own:
            return status(SUCCESS)
        if source.sop_class not in FILM_CLASSES:
            return status(NO_SOP_CLASS, "no film: CR, or DX for presentation")
        with self._decoding:
            read_image(data)
        key = self.key(source)
        self._say(self.queue.add(key, data), key)
        return status(SUCCESS)

    @staticmethod
    def _say(added: Added, key: str) -> None:
        words = {"new": "came", "waiting": "came again and waits", "answered": "came again and was answered"}
        log.info("Film %s %s", key[:8], words[added])


def status(code: int, comment: str = "") -> Dataset:
    """The status of an answer, with a comment of ASCII in one line if it is a failure."""
    answer = Dataset()
    answer.Status = code
    if comment:
        plain = " ".join(comment.encode("ascii", "replace").decode().replace("\\", "/").split())
        answer.ErrorComment = plain[:_COMMENT]
    return answer


class _Bounded:
    """Reads from a connection, but no piece larger than a PDU, nor a message larger than a film."""

    def __init__(self, recv: Callable[[int], bytearray], connection: socket.socket) -> None:
        self._recv, self._connection, self.taken = recv, connection, 0

    def recv(self, size: int) -> bytearray:
        self.taken += size
        if size > MOST_PDU or self.taken > _MOST_BYTES + MOST_PDU:
            self._connection.close()
            raise OSError("more than a film can be")  # which ends the association
        return self._recv(size)


def _message_ended(event: Any) -> None:
    """What comes next is another message."""
    event.assoc.dul.socket.recv.__self__.taken = 0
