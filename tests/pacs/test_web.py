"""DICOMweb: what is asked, and what is said of a service that does not answer as it should.

With a real service: test_orthanc.py.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from pacs_films import CR, film, parsed
from pydicom.dataset import Dataset
from servers import free_port

from xlite.errors import DataError
from xlite.pacs import web
from xlite.pacs.web import DicomWeb, checked_url

OWN_URL = "give the service's own URL, such as http://HOST:PORT/dicom-web"


@pytest.mark.parametrize(
    "url", ["", "localhost:8042", "ftp://host/dicom-web", "http://", "file:///etc/passwd"]
)
def test_a_url_that_is_none_is_said(url: str) -> None:
    with pytest.raises(DataError, match="is not a DICOMweb service; expected http://HOST:PORT/dicom-web"):
        checked_url(url)


def test_no_password_stands_in_a_url_and_none_is_repeated() -> None:
    with pytest.raises(DataError, match="put user and password into ~/.netrc") as caught:
        checked_url("http://ann:secret@host/dicom-web")
    assert "secret" not in str(caught.value)
    assert checked_url("https://host/dicom-web/") == "https://host/dicom-web"


class Service:
    """A client's answers: two studies, one of which was not asked for, with films and other things."""

    def __init__(self, films: int = 1) -> None:
        self.films = films
        self.stored: list[Dataset] = []
        self.answer = Dataset()

    def search_for_studies(self, **_: Any) -> list[dict[str, Any]]:
        return [
            {web._ACCESSION: {"Value": ["A17 "]}, web._STUDY: {"Value": ["1.2"]}},
            {web._ACCESSION: {"Value": ["A170"]}, web._STUDY: {"Value": ["1.9"]}},
        ]

    def search_for_instances(self, study: str, **_: Any) -> list[dict[str, Any]]:
        def found(sop: str, kind: str) -> dict[str, Any]:
            return {
                web._SOP: {"Value": [sop]},
                web._SERIES: {"Value": [f"{study}.1"]},
                web._SOP_CLASS: {"Value": [kind]},
            }

        others = [found("1.2.99", "1.2.840.10008.5.1.4.1.1.88.33"), {web._SOP: {"Value": ["1.2.98"]}}]
        return [*(found(f"1.2.{number}", CR) for number in range(self.films)), *others]

    def retrieve_instance(self, study: str, series: str, sop: str) -> Dataset:
        assert (study, series) == ("1.2", "1.2.1")
        return parsed(film(SOPInstanceUID=sop))

    def store_instances(self, datasets: list[Dataset]) -> Dataset:
        self.stored += datasets
        return self.answer


def asking(service: Service) -> DicomWeb:
    pacs = DicomWeb("http://host/dicom-web")
    pacs.client = service  # type: ignore[assignment]
    return pacs


def test_the_films_of_just_that_accession_number_are_fetched(tmp_path: Path) -> None:
    paths = asking(Service(2)).fetch("A17", tmp_path)
    assert [path.name for path in paths] == ["1.2.0.dcm", "1.2.1.dcm"]
    assert [parsed(path.read_bytes()).SOPInstanceUID for path in paths] == ["1.2.0", "1.2.1"]


@pytest.mark.parametrize("accession", ["", "  ", "A*", "A?7", "A\\B"])
def test_an_accession_number_that_could_mean_several_is_refused(accession: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is not an accession number"):
        asking(Service()).fetch(accession, tmp_path)


def test_too_many_films_and_none_are_said(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="has 65 films of accession number 'A17', and 64 are read at once"):
        asking(Service(65)).fetch("A17", tmp_path)
    with pytest.raises(DataError, match="has no CR or DX film of accession number 'A17'"):
        asking(Service(0)).fetch("A17", tmp_path)
    assert list(tmp_path.glob("*.dcm")) == []


def test_what_a_service_does_not_take_is_said() -> None:
    service = Service()
    failed = Dataset()
    failed.FailureReason = 0xA700
    service.answer.FailedSOPSequence = [failed]
    said = r"http://host/dicom-web did not take 1 object of 2 \(reason 0xA700\)"
    with pytest.raises(DataError, match=said):
        asking(service).store([parsed(film()), parsed(film())])
    assert len(service.stored) == 2


@contextmanager
def answering(status: int, body: bytes) -> Iterator[str]:
    """A server on this machine that always gives this answer."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/dicom+json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None: ...

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/dicom-web"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (401, b"", "answers with status 401: put user and password for the host into ~/.netrc"),
        (400, b"", f"answers with status 400: {OWN_URL}"),
        (404, b"", f"answers with status 404: {OWN_URL}"),
        (409, b"", "answers with status 409"),
        (200, b"<html>", f"answers, but is not a DICOMweb service: {OWN_URL}"),
        (200, b'["8a2b-c1"]', f"answers, but is not a DICOMweb service: {OWN_URL}"),  # Orthanc's /studies
        (200, b'[{"00080050": "A17"}]', f"answers, but is not a DICOMweb service: {OWN_URL}"),
        (200, b'{"00080050": {"Value": ["A17"]}}', f"answers, but is not a DICOMweb service: {OWN_URL}"),
        (200, b"[]", "has no CR or DX film of accession number 'A17'"),
    ],
)
def test_an_answer_that_is_none_is_one_sentence(status: int, body: bytes, said: str, tmp_path: Path) -> None:
    with answering(status, body) as url, pytest.raises(DataError) as caught:
        DicomWeb(url).fetch("A17", tmp_path)
    assert str(caught.value) == f"{url} {said}"


@pytest.mark.slow
def test_nobody_there_is_one_sentence(tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{free_port()}/dicom-web"
    with pytest.raises(DataError, match=r"does not answer \(ConnectionError\)"):
        DicomWeb(url).fetch("A17", tmp_path)
