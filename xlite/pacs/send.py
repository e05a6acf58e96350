"""Results on their way to a PACS, by C-STORE."""

from collections.abc import Sequence
from pathlib import Path

from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian
from pynetdicom import AE
from pynetdicom.association import Association
from pynetdicom.sop_class import (  # type: ignore[attr-defined]
    Comprehensive3DSRStorage,
    ComprehensiveSRStorage,
    SecondaryCaptureImageStorage,
)
from pynetdicom.status import code_to_category

from xlite.pacs.peers import Peer

RESULT_CLASSES = (ComprehensiveSRStorage, Comprehensive3DSRStorage, SecondaryCaptureImageStorage)
ANSWER_S = 30.0
"""So long the other node may take to answer."""


class AwayError(Exception):
    """The other node cannot be reached, does not want to talk, or has no room now: try again later."""


class RefusedError(Exception):
    """The other node does not take an object, now or ever; says why."""


def send(peer: Peer, title: str, files: Sequence[Path]) -> None:
    """Sends objects one after the other, and removes each as soon as the other node has it.

    Raises AwayError, and RefusedError once all others are sent; those that are still there were not taken.
    """
    ae = AE(ae_title=title)
    ae.acse_timeout = ae.dimse_timeout = ae.network_timeout = ae.connection_timeout = ANSWER_S
    for sop_class in RESULT_CLASSES:
        ae.add_requested_context(sop_class, [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
    association = ae.associate(peer.host, peer.port, ae_title=peer.title)
    if not association.is_established:
        refused = association.is_rejected
        raise AwayError("it rejects the association" if refused else "it does not answer")
    refusal: RefusedError | None = None
    try:
        for file in files:
            try:
                _send_one(association, file)
            except RefusedError as error:
                refusal = error
            else:
                file.unlink()
    finally:
        if association.is_established:
            association.release()
    if refusal is not None:
        raise refusal


def _send_one(association: Association, file: Path) -> None:
    try:
        answer = association.send_c_store(file)
    except ValueError as error:  # no context of the object's class was accepted
        raise RefusedError("it does not take objects of this class") from error
    except RuntimeError as error:
        raise AwayError("it ended the association") from error
    status = answer.get("Status")
    if status is None:
        raise AwayError("it did not answer in time, or ended the association")
    kind = code_to_category(status)
    if kind in ("Success", "Warning"):
        return
    if status == 0x0110 or 0xA700 <= status < 0xA800:
        raise AwayError(f"it has no room or failed (status 0x{status:04X})")
    raise RefusedError(f"it refuses the object (status 0x{status:04X})")
