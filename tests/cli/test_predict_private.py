"""What a DICOM file says of a person appears nowhere: not in tables, messages, logs, overlays or pages."""

import logging
import warnings
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from command_line import Command
from demo_home import save_demo_model
from dicom_films import FULL_WINDOW, element, make, to_bytes, with_element

from xlite.errors import ImageError
from xlite.formats.dicom import dicom_windows
from xlite.images import read_image
from xlite.messages import page_sentence

PERSON = {
    "PatientName": "Musterfrau^Erika",
    "PatientID": "PID-4711-0815",
    "PatientBirthDate": "19370412",
    "PatientAddress": "Heidestrasse 17",
    "PatientSex": "F",
    "OtherPatientIDs": "4711OTHER",
    "InstitutionName": "St. Elsewhere Hospital",
    "InstitutionAddress": "Elsewhere Road 9",
    "ReferringPhysicianName": "Brinkmann^Klaus",
    "OperatorsName": "Schwester^Agnes",
    "AccessionNumber": "ACC998877",
    "StudyDescription": "Thorax of Erika M",
    "StationName": "XRAY-ROOM-3",
    "DeviceSerialNumber": "SN5566778",
    "StudyDate": "20240229",
    "ImageComments": "calls herself Rikchen",
}
SECRETS = [part.casefold() for value in PERSON.values() for part in value.split("^") if len(part) > 1]
FILM = to_bytes(make(**FULL_WINDOW, **PERSON))
# Attributes that are read, each broken by a person's name in it.
READ = [
    *("Modality", "NumberOfFrames", "Rows", "SamplesPerPixel", "PhotometricInterpretation", "BitsAllocated"),
    *("PixelRepresentation", "RescaleSlope", "WindowCenter", "VOILUTFunction", "PresentationLUTShape"),
    *("SpecificCharacterSet", "PixelPaddingValue", "VOILUTSequence", "ModalityLUTSequence"),
]


def leaks(text: str) -> list[str]:
    return [secret for secret in SECRETS if secret in text.casefold()]


def films() -> dict[str, bytes]:
    """The film, and films of the same person that cannot be read, each for another reason."""
    name = b"Musterfrau^Erika"
    found = {"whole": FILM, "cut": FILM[:-100], "a slice": FILM.replace(b"CS\x02\x00CR", b"CS\x02\x00MR")}
    found["syntax"] = FILM.replace(b"1.2.840.10008.1.2.1\0", name.ljust(20))
    found["only tags"] = FILM[: FILM.index(b"\xe0\x7f\x10\x00")]
    for keyword in READ:
        for vr in ("CS", "DS", "US", "UI", "SQ"):
            found[f"{keyword} {vr}"] = with_element(FILM, keyword, vr, name)
    found["window"] = with_element(FILM, "WindowWidth", "DS", b"4096\\" + name)
    found["private"] = FILM + element("ImageComments", "LT", name)
    return found


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
def test_neither_messages_nor_logs_nor_warnings_name_a_person(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    for name, data in films().items():
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            told = []
            attempts = (
                partial(read_image, data),
                partial(dicom_windows, data),
                partial(read_image, data, "?"),
            )
            for attempt in attempts:
                try:
                    told.append(repr(attempt()))
                except ImageError as error:
                    told += [str(error), page_sentence(error)]
        told += [str(warning.message) for warning in warned] + [caplog.text]
        assert (name, leaks(" ".join(told))) == (name, [])


@pytest.mark.slow
@pytest.mark.usefixtures("lenient")
@pytest.mark.filterwarnings("default")
def test_predict_writes_and_prints_nothing_of_a_person(
    xlite: Command, own_home: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    save_demo_model(own_home)
    caplog.set_level(logging.DEBUG)
    folder = tmp_path / "in"
    folder.mkdir()
    for number, data in enumerate(films().values()):
        (folder / f"{number:03}").write_bytes(data)
    printed = []
    for options in (["--heatmaps", "2"], ["--json"], ["--window", "none"]):
        status, out, err = xlite("predict", "demo0", folder, "--out", tmp_path / f"out{options[0]}", *options)
        printed += [out, err]
        assert status in (1, 2)
    assert "000" in printed[2] and "Error:" in printed[1]
    written = [path for path in tmp_path.rglob("*") if path.is_file() and path.parent != folder]
    assert len([path for path in written if path.suffix == ".png"]) >= 2
    for path in written:
        assert (path, leaks(path.read_bytes().decode("latin-1"))) == (path, [])
        assert leaks(path.name) == []
    assert leaks(" ".join([*printed, caplog.text])) == []


def test_the_list_of_windows_alone_is_text_of_the_file() -> None:
    explained = make(**FULL_WINDOW, **PERSON, WindowCenterWidthExplanation="LUNG")
    assert dicom_windows(to_bytes(explained)) == ["LUNG"]
    assert np.array_equal(read_image(to_bytes(explained)), read_image(FILM))
