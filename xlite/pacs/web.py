"""A PACS that speaks DICOMweb: films of a study by its accession number, and results back.

Who asks is told by ~/.netrc, which is where user and password for a host belong.
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests
from dicomweb_client.api import DICOMwebClient
from pydicom import dcmread
from pydicom.dataset import Dataset

from xlite.errors import DataError
from xlite.pacs.source import FILM_CLASSES, to_bytes
from xlite.text import counted

MOST_FILMS = 64
"""So many films of one accession number are taken: a study of the chest has two or three."""
_ACCESSION, _SOP_CLASS, _SOP, _SERIES, _STUDY = "00080050", "00080016", "00080018", "0020000E", "0020000D"
_OWN_URL = "give the service's own URL, such as http://HOST:PORT/dicom-web"
_TIMEOUT_S = 60.0
_TRIES, _WAIT_MS = 3, 500


class DicomWeb:
    """A DICOMweb service by its URL, `http://localhost:8042/dicom-web` for instance."""

    def __init__(self, url: str) -> None:
        self.url = checked_url(url)
        self.client = DICOMwebClient(self.url, timeout=_TIMEOUT_S)
        self.client.set_http_retry_params(max_attempts=_TRIES, wait_exponential_multiplier=_WAIT_MS)

    def fetch(self, accession: str, folder: Path) -> list[Path]:
        """Writes the CR and DX films of an accession number into a folder, each named after its instance.

        Raises DataError if there are none, or too many, or the service does not answer as it should.
        """
        found = self._films(accession)
        if not found:
            raise DataError(f"{self.url} has no CR or DX film of accession number {accession!r}")
        if len(found) > MOST_FILMS:
            raise DataError(
                f"{self.url} has {len(found)} films of accession number {accession!r}, and {MOST_FILMS} are "
                "read at once: send them to xlite serve --dicom"
            )
        paths = []
        for study, series, sop in found:
            with self._asking():
                film = self.client.retrieve_instance(study, series, sop)
            path = folder / f"{sop}.dcm"
            film.save_as(path, enforce_file_format=True)
            paths.append(path)
        return paths

    def store(self, datasets: Sequence[Dataset]) -> None:
        """Stores objects. Raises DataError if the service does not take all of them."""
        with self._asking(sends=True):
            # The client writes what it is given without a group length, which files need.
            whole = [dcmread(BytesIO(to_bytes(dataset))) for dataset in datasets]
            failed = _sequence(self.client.store_instances(whole), "FailedSOPSequence")
            codes = sorted({f"0x{int(one.get('FailureReason', 0)):04X}" for one in failed})
        if failed:
            raise DataError(
                f"{self.url} did not take {counted(len(failed), 'object')} of {len(datasets)} "
                f"(reason {', '.join(codes)})"
            )

    def _films(self, accession: str) -> list[tuple[str, str, str]]:
        """Study, series and instance of each film; what a server adds that was not asked for is left out."""
        if not accession.strip() or re.search(r"[*?\\]", accession):
            raise DataError(f"{accession!r} is not an accession number: it may not hold *, ? or a backslash")
        with self._asking():
            studies = self.client.search_for_studies(
                fields=[_ACCESSION], search_filters={"AccessionNumber": accession}
            )
            found = []
            for study in (one for one in studies if _value(one, _ACCESSION).strip() == accession.strip()):
                uid = _value(study, _STUDY)
                for one in self.client.search_for_instances(uid, fields=[_SOP_CLASS, _SERIES]):
                    if _value(one, _SOP_CLASS) in FILM_CLASSES:
                        found.append((uid, _value(one, _SERIES), _value(one, _SOP)))
        return sorted(set(found))

    @contextmanager
    def _asking(self, sends: bool = False) -> Iterator[None]:
        """What goes wrong between the two, in one sentence; what is sent may be wrong itself."""
        try:
            yield
        except requests.HTTPError as error:
            code = error.response.status_code if error.response is not None else "none"
            hint = ""
            if code in (401, 403):
                hint = ": put user and password for the host into ~/.netrc"
            elif code in (404, 405, 406) or (code == 400 and not sends):
                hint = f": {_OWN_URL}"
            raise DataError(f"{self.url} answers with status {code}{hint}") from error
        except (ValueError, KeyError, TypeError, AttributeError) as error:  # no JSON, or of another shape
            raise DataError(f"{self.url} answers, but is not a DICOMweb service: {_OWN_URL}") from error
        except requests.RequestException as error:
            raise DataError(f"{self.url} does not answer ({type(error).__name__})") from error


def checked_url(url: str) -> str:
    """The URL without a slash at its end. Raises DataError unless it is http or https, without a password."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise DataError(f"{url!r} is not a DICOMweb service; expected http://HOST:PORT/dicom-web")
    if parts.username or parts.password:
        raise DataError("a URL is seen by everybody on the machine: put user and password into ~/.netrc")
    return url.rstrip("/")


def _value(found: dict[str, Any], tag: str) -> str:
    """The first value of an element of DICOM JSON; empty if there is none."""
    values = found.get(tag, {}).get("Value") or [""]
    return str(values[0])


def _sequence(answer: Dataset, keyword: str) -> Sequence[Dataset]:
    found: Sequence[Dataset] = answer.get(keyword) or []
    return found
