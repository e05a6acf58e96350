"""What `xlite predict --dicom-out` and `xlite serve --dicom` say and refuse."""

import signal
from pathlib import Path

import cv2
import pydicom
import pytest
from command_line import Command
from pacs_films import film, noise

from xlite.pacs import node
from xlite.pacs.node import Node

TO = ("--to", "PACS@localhost:4242")


@pytest.fixture
def tiny(tmp_path: Path, lenient: None) -> Path:
    """A tiny model, behind a gate that takes noise for films."""
    from tiny_models import save_student, untrained

    return save_student(tmp_path / "one.safetensors", untrained(hidden=16))


@pytest.mark.slow
def test_each_dicom_film_gets_its_objects(tiny: Path, tmp_path: Path, xlite: Command) -> None:
    folder, out = tmp_path / "films", tmp_path / "objects"
    folder.mkdir()
    (folder / "a.dcm").write_bytes(film())
    (folder / "b.dcm").write_bytes(film(noise(1), SOPInstanceUID="1.2.3.9"))
    cv2.imwrite(str(folder / "c.png"), noise(2))
    words = ("predict", tiny, folder, "--dicom-out", out, "--heatmaps", 1)
    status, text, err = xlite(*words)
    assert (status, err) == (0, "")
    said = f"4 DICOM objects of 2 films: {out}. For research, not for care."
    assert f"{said} 1 film of another format got none." in text.splitlines()
    names = [f"{stem}_{kind}.dcm" for stem in "ab" for kind in ("map_1", "report")]
    assert sorted(path.name for path in out.iterdir()) == names
    before = {path.name: pydicom.dcmread(path).SOPInstanceUID for path in out.iterdir()}
    assert xlite(*words)[0] == 0
    assert before == {path.name: pydicom.dcmread(path).SOPInstanceUID for path in out.iterdir()}


@pytest.mark.slow
def test_a_film_that_no_result_can_refer_to_is_said_and_the_others_are_done(
    tiny: Path, tmp_path: Path, xlite: Command
) -> None:
    good, bad, own = (tmp_path / f"{name}.dcm" for name in ("good", "bad", "own"))
    good.write_bytes(film())
    bad.write_bytes(film(StudyInstanceUID=""))
    own.write_bytes(film(Manufacturer="X-Lite"))
    status, text, err = xlite("predict", tiny, good, bad, own, "--dicom-out", tmp_path / "out")
    assert status == 1
    assert err.splitlines() == [
        f"Error: {bad}: its files cannot be written: the DICOM file has no Study Instance UID that can be "
        "used, so no result can refer to it",
        f"Error: {own}: its files cannot be written: it is a picture that X-Lite made: nothing is made of it",
    ]
    assert "4 DICOM objects of 1 film" in text and "2 without their files" in text


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "name films or folders, or a study by --dicomweb and --accession"),
        (("a.png", "--accession", "1"), "name both or none"),
        (("--dicomweb", "http://h"), "name both or none"),
        (("a.png", "--store"), "say where: --dicomweb URL --accession NUMBER"),
        (("a.png", "--dicomweb", "http://h", "--accession", "1"), "name films or folders, or a study"),
        (("a.png", "--3d"), "no report is asked for: add --dicom-out DIR"),
        (("a.png", "--heatmaps", "2"), "overlays are files: name a folder with --out"),
        (("--dicomweb", "h", "--accession", "1"), "'h' is not a DICOMweb service"),
    ],
)
def test_predict_says_what_does_not_go_together(words: tuple[str, ...], said: str, xlite: Command) -> None:
    status, out, err = xlite("predict", "demo", *words)
    assert (status, out, err.count("\n")) == (2, "", 1) and said in err


def test_objects_do_not_go_where_films_are_read(tmp_path: Path, xlite: Command) -> None:
    status, _, err = xlite("predict", "demo", tmp_path, "--dicom-out", tmp_path / "out")
    assert (status, err) == (
        2,
        f"Error: --dicom-out {tmp_path / 'out'} lies in {tmp_path}, which is read: name another folder\n",
    )


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--dicom",), "say where results go: --to AE@HOST:PORT"),
        (("--dicom", "--to", "PACS"), "'PACS' is not a destination; expected AE@HOST:PORT"),
        (("--dicom", *TO, "--ae", "A" * 17), "is not an AE title"),
        (("--dicom", *TO, "--token"), "DICOM has none: name who may send, --from"),
        (("--dicom", *TO, "--host", "0.0.0.0"), "everybody who reaches it could send"),
        (("one", "two", "--dicom", *TO), "a node reads with one model"),
        (TO, "are for --dicom: add it"),
        (("--heatmaps", "0"), "are for --dicom: add it"),
        (("--ae", "WARD"), "are for --dicom: add it"),
        (("nobody", "--dicom", *TO), "nobody"),
    ],
)
def test_serve_says_what_does_not_go_together(words: tuple[str, ...], said: str, xlite: Command) -> None:
    status, out, err = xlite("serve", *words)
    assert (status, out, err.count("\n")) == (2, "", 1) and said in err


@pytest.mark.slow
def test_a_node_says_where_it_is_and_ends_well(
    tiny: Path, own_home: Path, xlite: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    from servers import free_port

    before, port = signal.getsignal(signal.SIGTERM), free_port()

    def interrupted(self: Node) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(node.Node, "wait", interrupted)
    try:
        status, out, _ = xlite("serve", tiny, "--dicom", "--port", port, *TO)
    finally:
        signal.signal(signal.SIGTERM, before)
    assert status == 0
    assert out == f"one as XLITE on 127.0.0.1:{port}, results to PACS@localhost:4242, until Ctrl-C ends it\n"
    assert (own_home / "pacs" / ".lock").exists()
