"""Which files of a folder are films: suffix or content, links, hidden files, and what no reader may get."""

import os
import socket
from io import BytesIO
from pathlib import Path

import pytest
from pydicom.dataset import FileMetaDataset
from pydicom.filewriter import write_file_meta_info
from pydicom.uid import ExplicitVRLittleEndian

from xlite.data.film_files import FilmFiles, find_film_files, passed_over_words

PNG, JPEG = b"\x89PNG\r\n\x1a\n...", b"\xff\xd8\xff\xe0..."
X_RAY, DIRECTORY = "1.2.840.10008.5.1.4.1.1.1.1", "1.2.840.10008.1.3.10"
PRESENTATION_STATE, REPORT = "1.2.840.10008.5.1.4.1.1.11.1", "1.2.840.10008.5.1.4.1.1.88.11"
OF_A_MAKER = "1.3.12.2.1107.5.9.1"


def dicom(holds: str) -> bytes:
    """The beginning of a DICOM file that holds something of that class."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = holds, "1.2.3"
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    file = BytesIO()
    write_file_meta_info(file, meta)
    return b"\0" * 128 + b"DICM" + file.getvalue()


def write(root: Path, files: dict[str, bytes]) -> Path:
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
    return root


def found_in(root: Path) -> tuple[list[str], dict[str, int]]:
    """The names of the films, relative to the folder, and what was passed over."""
    found = find_film_files([root])
    return [path.relative_to(root).as_posix() for path in found.films], dict(found.passed_over)


def test_files_without_the_suffix_of_a_film_are_told_by_content(tmp_path: Path) -> None:
    without_preamble = b"\x08\x00\x05\x00CS\x0a\x00ISO_IR 100"
    files = {
        **{"IM000001": dicom(X_RAY), "a.dicom": dicom(X_RAY), "b.IMA": dicom(OF_A_MAKER), "1.2.840.1": PNG},
        **{"photo.jpe": JPEG, "raw": without_preamble, "known.PNG": b"is not opened"},
        **{"DICOMDIR": dicom(DIRECTORY), "PS1": dicom(PRESENTATION_STATE), "SR1": dicom(REPORT)},
        **{"notes.txt": b"text", "empty": b"", "table.csv": b"Image Index"},
    }
    films = ["1.2.840.1", "IM000001", "a.dicom", "b.IMA", "known.PNG", "photo.jpe", "raw"]
    assert found_in(write(tmp_path / "films", files)) == (films, {"not a film": 6})


def test_a_film_with_its_suffix_is_not_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = write(tmp_path / "films", {f"{number}.png": PNG for number in range(3)})
    monkeypatch.setattr("xlite.data.film_files.open", None, raising=False)
    assert found_in(root) == (["0.png", "1.png", "2.png"], {})


def test_hidden_files_and_folders_are_left_out_below_the_folder_given(tmp_path: Path) -> None:
    folders = [".ipynb_checkpoints", ".deleted-films-1", "__MACOSX", "@eaDir", "$RECYCLE.BIN", ".git/deep"]
    files = [*(f"{folder}/x.png" for folder in folders), "._x.png", ".x.dcm", "x.png~", "deep/.y.png"]
    root = write(tmp_path / ".hidden" / "films", dict.fromkeys([*files, "x.png", "deep/x.png"], PNG))
    assert found_in(root) == (["x.png", "deep/x.png"], {"hidden": 10})


def test_linked_folders_are_followed_once_and_without_a_loop(tmp_path: Path) -> None:
    root = write(tmp_path / "films", {"a.png": PNG, "sub/b.png": PNG})
    write(tmp_path / "far", {"c.png": PNG, "below/d.png": PNG})
    for link, target in {
        **{"loop": ".", "sub/up": "..", "again": "sub", "far": "../far", "part": "../far/below"},
        **{"a-link/a.png": "../a.png", "a-link/other-name.png": "../a.png"},
    }.items():
        (root / link).parent.mkdir(exist_ok=True)
        (root / link).symlink_to(target)
    names, passed_over = found_in(root)
    assert passed_over == {} and sorted(path.rpartition("/")[2] for path in names) == [
        *("a.png", "b.png", "c.png", "d.png", "other-name.png")
    ]
    assert len(find_film_files([root, root / "sub", tmp_path / "far"]).films) == len(names)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes in folders")
def test_no_pipe_socket_or_device_is_a_film(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = write(tmp_path / "films", {"a.png": PNG, "folder.png/b.png": PNG})
    monkeypatch.chdir(root)  # the path of a socket must be short
    os.mkfifo("pipe.png")
    os.mkfifo("pipe")
    with socket.socket(socket.AF_UNIX) as end:
        end.bind("socket.dcm")
    for link, target in {
        **{"device.png": "/dev/zero", "to-pipe.png": "pipe"},
        **{"nowhere.png": "gone", "nowhere": "gone", "self.png": "self.png"},
    }.items():
        (root / link).symlink_to(target)
    assert found_in(root) == (
        ["a.png", "nowhere.png", "folder.png/b.png"],
        {"not a file": 5, "not a film": 1, "not readable": 1},
    )


def test_a_folder_that_cannot_be_listed_is_counted(tmp_path: Path) -> None:
    assert find_film_files([tmp_path / "gone"]) == FilmFiles([], {"not readable": 1})


def test_films_are_sorted_in_a_folder_and_come_before_those_of_subfolders(tmp_path: Path) -> None:
    names = ["z.png", "a/y.png", "a/b/x.png", "b/w.png", "name\udce9.png"]
    assert found_in(write(tmp_path / "films", dict.fromkeys(names, PNG)))[0] == [
        *("name\udce9.png", "z.png", "a/y.png", "b/w.png", "a/b/x.png")
    ]


def test_what_x_lite_wrote_is_not_counted(tmp_path: Path) -> None:
    root = write(tmp_path / "films", {"a.png": PNG, "own.png": PNG, "own.csv": b"x"})
    found = find_film_files([root], lambda path: path.stem == "own")
    assert found == FilmFiles([root / "a.png"], {})


def test_what_is_passed_over_is_said_with_the_reasons() -> None:
    assert passed_over_words({}) == ""
    assert passed_over_words({"hidden": 2, "not a film": 1200}) == (
        "1,202 passed over (2 hidden, 1,200 not a film)"
    )
