"""With a real PACS: a film goes to Orthanc, to X-Lite, and its report and maps arrive in the same study."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from command_line import Command, wait_for
from orthanc import ROUTE, Orthanc, faults, running
from pacs_films import Pacs, film, listening, parsed, store, texts
from servers import free_port

from xlite.examples import examples
from xlite.images import read_image
from xlite.pacs.codes import FINDING_TERMS

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")]
# The worst that a script may do: the whole study, whenever it is stable.
ALL = """
function OnStableStudy(studyId, tags, metadata)
  for _, instance in pairs(ParseJson(RestApiGet('/studies/' .. studyId .. '/instances'))) do
    SendToModality(instance['ID'], 'xlite')
  end
end
"""
PATIENT = {"PatientName": "Phantom^One", "PatientID": "P1", "AccessionNumber": "A17", "StudyDate": "20260304"}
CHEST = read_image(next(iter(examples().values())).path)


@contextmanager
def node(home: Path, port: int, to: str) -> Iterator[subprocess.Popen[bytes]]:
    """`xlite serve --dicom` in a process of its own, once it is ready."""
    words = [
        "serve",
        "demo",
        "--dicom",
        "--port",
        str(port),
        "--to",
        to,
        "--from",
        "ORTHANC",
        "--from",
        "WARD",
    ]
    with (home / "node.log").open("ab") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "xlite", *words, "--from", "WARD"],
            env=os.environ | {"XLITE_HOME": str(home)},
            stdout=subprocess.PIPE,
            stderr=log,
        )
    try:
        assert server.stdout is not None
        assert server.stdout.readline().startswith(b"demo as XLITE on 127.0.0.1:"), (
            home / "node.log"
        ).read_text()
        yield server
    finally:
        server.send_signal(signal.SIGTERM)
        server.communicate(timeout=60)


@pytest.fixture(scope="module")
def pacs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Orthanc, Path]]:
    """An Orthanc that sends each CR and DX series to a node, and that node with its home."""
    folder, port = tmp_path_factory.mktemp("orthanc"), free_port()
    home = folder / "home"
    home.mkdir()
    with running(folder, port, ROUTE + ALL) as orthanc, node(home, port, f"ORTHANC@127.0.0.1:{orthanc.port}"):
        yield orthanc, home


def test_a_film_in_orthanc_gets_its_report_and_its_maps(pacs: tuple[Orthanc, Path], tmp_path: Path) -> None:
    orthanc, home = pacs
    study = orthanc.put_in(film(CHEST, **PATIENT))
    wait_for(lambda: len(orthanc.series(study).get("OT", [])) == 3 and "SR" in orthanc.series(study))
    found = orthanc.series(study)
    assert sorted(found) == ["CR", "OT", "SR"] and [len(one) for one in found.values()].count(1) == 2
    [report] = found["SR"]
    assert orthanc.get(f"/instances/{report}/simplified-tags")["PatientName"] == "Phantom^One"
    items = list(texts(parsed(orthanc.file(report))))
    named = {value.split(" ", 2)[2] for _, name, value in items if name == "Finding"}
    assert named == {"What the picture is", *(term.meaning for term in FINDING_TERMS.values())}
    for instance in (report, *found["OT"]):
        assert faults(orthanc.file(instance), tmp_path) == []
    # Then the study is stable, and all of it goes to X-Lite once more: nothing comes of that.
    wait_for(lambda: "came again and was answered" in (home / "node.log").read_text())
    time.sleep(1)
    assert {kind: len(one) for kind, one in orthanc.series(study).items()} == {"CR": 1, "OT": 3, "SR": 1}
    assert [path.name for path in (home / "pacs").rglob("*") if path.is_file()] == [".lock", "sent.txt"]
    assert "Phantom" not in (home / "node.log").read_text()


def test_a_study_is_read_by_its_accession_number_and_answered_over_the_web(
    tmp_path: Path, xlite: Command
) -> None:
    folder = tmp_path / "orthanc"
    folder.mkdir()
    with running(folder, free_port()) as orthanc:
        study = orthanc.put_in(film(CHEST, **PATIENT))
        web, out = f"{orthanc.url}/dicom-web", tmp_path / "out"
        words = ("predict", "demo", "--dicomweb", web, "--accession", "A17", "--out", out, "--store", "--3d")
        status, text, err = xlite(*words)
        assert (status, err) == (0, "")
        assert f"4 DICOM objects of 1 film: {web}. For research, not for care." in text
        found = orthanc.series(study)
        assert {kind: len(one) for kind, one in found.items()} == {"CR": 1, "OT": 3, "SR": 1}
        for instance in (*found["SR"], *found["OT"]):
            assert faults(orthanc.file(instance), tmp_path) == []
        assert (out / "predictions.csv").read_text().splitlines()[1].startswith("1.2.3.4.5.6.dcm,")
        # The same again is the same objects.
        assert xlite(*words)[0] == 0
        assert {kind: len(one) for kind, one in orthanc.series(study).items()} == {"CR": 1, "OT": 3, "SR": 1}
        status, _, err = xlite("predict", "demo", "--dicomweb", web, "--accession", "B1")
        assert (status, err) == (2, f"Error: {web} has no CR or DX film of accession number 'B1'\n")
        status, _, err = xlite("predict", "demo", "--dicomweb", f"{orthanc.url}/no-web", "--accession", "A17")
        said = f"Error: {orthanc.url}/no-web answers with status 404: give the service's own URL, such as "
        assert (status, err) == (2, f"{said}http://HOST:PORT/dicom-web\n")


@pytest.mark.parametrize("name", ["RG1_J2KI.dcm"])
def test_what_a_real_film_gets_is_right(name: str, shared_data: Path, tmp_path: Path, xlite: Command) -> None:
    path = shared_data / "dicom" / name
    status, text, err = xlite("predict", "demo", path, "--dicom-out", tmp_path / "sr")
    assert status in (0, 2), err
    files = sorted((tmp_path / "sr").iterdir())
    assert files and [faults(file.read_bytes(), tmp_path) for file in files] == [[]] * len(files)


def test_a_refused_film_and_a_3d_report_are_right_too(tmp_path: Path, xlite: Command) -> None:
    blank = tmp_path / "blank.dcm"
    blank.write_bytes(film(np.full((64, 64), 90, np.uint8)))
    status, text, err = xlite("predict", "demo", blank, "--dicom-out", tmp_path / "sr", "--3d")
    assert (status, text[:26]) == (2, "1 DICOM object of 1 film: ") and "blank: it shows nothing" in err
    [report] = (tmp_path / "sr").iterdir()
    assert faults(report.read_bytes(), tmp_path) == []


def test_nothing_is_lost_and_nothing_is_sent_twice_by_a_node_that_is_killed(tmp_path: Path) -> None:
    port, there, home, got = free_port(), free_port(), tmp_path / "node", Pacs()
    home.mkdir()
    films = [film(CHEST, SOPInstanceUID=f"1.2.3.{number}") for number in range(4)]
    to = f"PACS@127.0.0.1:{there}"
    with node(home, port, to) as first:
        store(port, *films)
        wait_for(lambda: bool(list((home / "pacs" / "films").glob("*/results"))))
        first.kill()  # some are read and none is sent
        first.wait()
    with listening(got, there), node(home, port, to) as second:
        wait_for(lambda: len(got.got) >= 4)
        second.kill()  # some are sent
        second.wait()
    with listening(got, there), node(home, port, to):
        wait_for(lambda: not list((home / "pacs" / "films").iterdir()))
        store(port, *films)  # and what comes again is not answered again
        time.sleep(1)
    reports = [one.SOPInstanceUID for one in got.got if one.Modality == "SR"]
    assert len(set(reports)) == 4 and len(set(got.uids)) == len(got.got) - _again(got)
    assert len(set(got.uids)) == 16


def _again(got: Pacs) -> int:
    """The objects that arrived while the node was killed before it had the answer: at most one a kill."""
    twice = len(got.uids) - len(set(got.uids))
    assert twice <= 1
    return twice
