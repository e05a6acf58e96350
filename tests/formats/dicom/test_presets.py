"""The windows that a DICOM file offers, and the one that is asked for."""

from pathlib import Path

import numpy as np
import pytest
from dicom_films import RAMP, lut, make, read, to_bytes
from PIL import Image
from pydicom.dataset import Dataset
from pydicom.uid import JPEG2000Lossless

from xlite.errors import ImageError
from xlite.formats.dicom import dicom_windows
from xlite.images import read_image

TWO = {
    "WindowCenter": [2048, 1000],
    "WindowWidth": [4096, 200],
    "WindowCenterWidthExplanation": ["NORMAL", "Bone"],
}


def shown(dataset: Dataset, window: str) -> np.ndarray:
    return read_image(to_bytes(dataset), window)


def with_table() -> Dataset:
    dataset = make(**TWO)
    dataset.VOILUTSequence = lut(0, list(range(0, 4096 * 4, 4)), 14)
    dataset.VOILUTSequence[0].LUTExplanation = "Standard"
    return dataset


def test_tables_come_first_then_windows_by_their_titles() -> None:
    assert dicom_windows(to_bytes(with_table())) == ["Standard", "NORMAL", "Bone"]
    assert dicom_windows(to_bytes(make(**{**TWO, "WindowCenterWidthExplanation": "NORMAL"}))) == [
        *("NORMAL", "1000,200")
    ]
    assert dicom_windows(to_bytes(make(**{**TWO, "WindowCenterWidthExplanation": ["A", "a"]}))) == [
        "A",
        "a (2)",
    ]
    assert dicom_windows(to_bytes(make())) == []


def test_a_window_is_chosen_by_title_by_number_or_by_center_and_width() -> None:
    bone = read(WindowCenter=1000, WindowWidth=200)
    for wanted in ("Bone", " bone ", "3", "1000,200", "1000.0, 200"):
        np.testing.assert_array_equal(shown(with_table(), wanted), bone)
    np.testing.assert_array_equal(shown(with_table(), "1"), read_image(to_bytes(with_table())))
    np.testing.assert_array_equal(shown(with_table(), "NORMAL"), read(WindowCenter=2048, WindowWidth=4096))
    rescaled = make(RescaleSlope=1, RescaleIntercept=-1024, **TWO)
    np.testing.assert_array_equal(shown(rescaled, "-24,200"), bone)


def test_a_chosen_window_is_used_although_it_shows_nothing() -> None:
    assert np.unique(shown(make(), "60000,10")).tolist() == [0]


@pytest.mark.parametrize("wanted", ["Lung", "0", "4", "", "40", "1,2,3", "a,b", "1e3,200"])
def test_a_wrong_window_is_answered_with_those_of_the_file(wanted: str) -> None:
    with pytest.raises(ImageError) as caught:
        shown(with_table(), wanted)
    assert f"no window {wanted!r}; it has 1. Standard; 2. NORMAL; 3. Bone: choose" in str(caught.value)
    with pytest.raises(ImageError, match="it has none: choose"):
        shown(make(), wanted)


@pytest.mark.parametrize("wanted", ["1,0", "100,0.5", "9999999999,5"])
def test_numbers_that_make_no_window_are_called_that(wanted: str) -> None:
    with pytest.raises(ImageError) as caught:
        shown(make(), wanted)
    why = "shows nothing: its width must be 1 or more, and both numbers below 1e+09"
    assert str(caught.value) == f"the window {wanted!r} {why}"


def test_enhanced_films_have_windows_in_their_groups() -> None:
    dataset, group, voi = make(), Dataset(), Dataset()
    for keyword, value in TWO.items():
        setattr(voi, keyword, value)
    group.FrameVOILUTSequence = [voi]
    dataset.SharedFunctionalGroupsSequence = [group]
    assert dicom_windows(to_bytes(dataset)) == ["NORMAL", "Bone"]
    np.testing.assert_array_equal(shown(dataset, "bone"), read(WindowCenter=1000, WindowWidth=200))


def test_other_films_have_no_windows(tmp_path: Path) -> None:
    Image.fromarray((RAMP // 16).astype(np.uint8)).save(tmp_path / "film.png")
    with pytest.raises(ImageError, match=r"film\.png: only DICOM films have windows"):
        read_image(tmp_path / "film.png", "1")
    colour = make(np.zeros((48, 64, 3), np.uint8), 8, PhotometricInterpretation="RGB", SamplesPerPixel=3)
    colour.PlanarConfiguration = 0
    with pytest.raises(ImageError, match="in colour, so it has no windows"):
        shown(colour, "1")


def test_an_unknown_function_is_passed_over_as_dcmtk_does() -> None:
    linear = read(WindowCenter=1000, WindowWidth=200)
    np.testing.assert_array_equal(read(WindowCenter=1000, WindowWidth=200, VOILUTFunction="GAMMA"), linear)
    exact = read(WindowCenter=1000, WindowWidth=200, VOILUTFunction="LINEAR_EXACT")
    assert not np.array_equal(exact, linear)


@pytest.mark.slow
def test_compressed_films_have_the_same_windows() -> None:
    dataset = make(**TWO)
    dataset.compress(JPEG2000Lossless, generate_instance_uid=False)
    np.testing.assert_array_equal(shown(dataset, "bone"), read(WindowCenter=1000, WindowWidth=200))
    assert "no window 'x'" in refusal_of(dataset)


def refusal_of(dataset: Dataset) -> str:
    with pytest.raises(ImageError) as caught:
        shown(dataset, "x")
    return str(caught.value)
