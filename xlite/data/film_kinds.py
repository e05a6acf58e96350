"""What counts as a film among the files of a folder, be it zipped or not."""

import re

from xlite.formats.dicom import looks_like_dicom
from xlite.images import looks_like_photo

HIDDEN, NO_FILM, NO_FILE, CLOSED = "hidden", "not a film", "not a file", "not readable"
"""Why something is passed over. "Not a file" is a pipe, a socket or a device."""
HEAD = 1024
"""Bytes of a file's beginning by which a film is told."""
_SYSTEMS_OWN = {"__macosx", "@eadir", "#recycle", "$recycle.bin", "system volume information", "lost+found"}
"""Folders that systems keep beside those of people, with copies of films in them; in lower case."""
_DICOM_CLASS = re.compile(rb"\x02\x00\x02\x00UI..([0-9.]{1,64})", re.DOTALL)
"""What a DICOM file holds: element (0002,0002), a UID, near its beginning (PS3.10, 7.1)."""


def is_hidden(name: str) -> bool:
    """Whether a file or folder of this name is the system's or a program's own."""
    return name.startswith(".") or name.endswith("~") or name.casefold() in _SYSTEMS_OWN


def holds_film(head: bytes) -> bool:
    """Whether a file begins as a photo, or a DICOM file of images: a DICOMDIR or a report is none."""
    if not looks_like_dicom(head):
        return looks_like_photo(head)
    from pydicom.uid import UID  # takes a third of a second to load

    found = _DICOM_CLASS.search(head)
    uid = UID(found[1].decode()) if found else UID("")
    return uid.name == uid or "Image Storage" in uid.name  # a class that pydicom does not know may be one
