"""Whole films: built tag by tag, pydicom's own test files, and a real chest film."""

import io
import subprocess
import sys
from pathlib import Path

import numpy as np
import pydicom
import pytest
from dicom_films import (
    DAMAGED,
    FULL_WINDOW,
    GREYS,
    MISMATCH,
    RAMP,
    lut,
    make,
    read,
    refusal,
    to_bytes,
    to_bytes_with,
    within_one,
)  # fmt: skip
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate, get_frame
from pydicom.pixels import apply_windowing
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    RLELossless,
)

from xlite.errors import ImageError
from xlite.images import read_image


def test_the_files_window_maps_stored_values_onto_greys() -> None:
    within_one(read(**FULL_WINDOW), GREYS)
    narrow = read(WindowCenter=1000, WindowWidth=501)
    within_one(narrow, np.clip((RAMP - 749.5) / 500, 0, 1) * 255)
    np.testing.assert_array_equal(read(WindowCenter=[1000, 3000], WindowWidth=[501, 9]), narrow)


@pytest.mark.parametrize("kind", ["LINEAR", "LINEAR_EXACT", "SIGMOID"])
@pytest.mark.filterwarnings("ignore:overflow encountered in exp:RuntimeWarning:pydicom")
def test_windows_are_those_of_the_standard(kind: str) -> None:
    """The oracle is pydicom's own windowing, whose output spans the 12 stored bits."""
    for center, width in ((1500, 900), (1500, 6)):
        dataset = make(WindowCenter=center, WindowWidth=width, VOILUTFunction=kind)
        within_one(read_image(to_bytes(dataset)), apply_windowing(RAMP, dataset) / 4095 * 255)


def test_monochrome1_is_inverted_once() -> None:
    plain = read(**FULL_WINDOW)
    inverted = read(PhotometricInterpretation="MONOCHROME1", **FULL_WINDOW)
    np.testing.assert_array_equal(inverted, 255 - plain)
    both = read(PhotometricInterpretation="MONOCHROME1", PresentationLUTShape="INVERSE", **FULL_WINDOW)
    np.testing.assert_array_equal(both, inverted)
    np.testing.assert_array_equal(read(PresentationLUTShape="INVERSE", **FULL_WINDOW), inverted)
    np.testing.assert_array_equal(read(PresentationLUTShape="IDENTITY", **FULL_WINDOW), plain)
    # They contradict each other: what comes out of the window is shown as it is, as dcmtk does.
    identity = read(PhotometricInterpretation="MONOCHROME1", PresentationLUTShape="IDENTITY", **FULL_WINDOW)
    np.testing.assert_array_equal(identity, plain)


GROUPS = ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence")


def functional_groups(voi: dict[str, object], transformation: dict[str, object]) -> list[Dataset]:
    """Of one frame, or of all: what an enhanced film has in place of attributes of its header."""
    group, voi_item, transformation_item = Dataset(), Dataset(), Dataset()
    voi_item.update(voi)
    transformation_item.update(transformation)
    group.FrameVOILUTSequence, group.PixelValueTransformationSequence = [voi_item], [transformation_item]
    return [group]


@pytest.mark.parametrize("where", GROUPS)
@pytest.mark.parametrize("undefined_length", [False, True])
def test_an_enhanced_film_has_window_and_rescale_in_its_functional_groups(
    where: str, undefined_length: bool
) -> None:
    window, rescale = (
        {"WindowCenter": 1000, "WindowWidth": 501},
        {"RescaleSlope": 2, "RescaleIntercept": -500},
    )
    groups = functional_groups(window, rescale)
    dataset = make(NumberOfFrames=1, **{where: groups})
    dataset[where].is_undefined_length = undefined_length
    groups[0]["FrameVOILUTSequence"].is_undefined_length = undefined_length
    np.testing.assert_array_equal(read_image(to_bytes(dataset)), read(**window, **rescale))
    dataset.WindowCenter, dataset.WindowWidth, dataset.RescaleIntercept = 2048, 4096, None
    expected = read(**FULL_WINDOW, **rescale)  # what the header says itself comes first
    np.testing.assert_array_equal(read_image(to_bytes(dataset)), expected)


def test_the_groups_of_a_frame_come_before_those_of_all_and_may_hold_a_table() -> None:
    table = lut(0, list(range(4095, -1, -1)), 12)
    all_frames, one_frame = (
        functional_groups(FULL_WINDOW, {}),
        functional_groups({"VOILUTSequence": table}, {}),
    )
    film = read(**dict(zip(GROUPS, (all_frames, one_frame), strict=True)))
    np.testing.assert_array_equal(film, read(VOILUTSequence=table))


def test_the_inversion_comes_after_the_window() -> None:
    window = {"WindowCenter": 1000, "WindowWidth": 501}
    film = read(PhotometricInterpretation="MONOCHROME1", **window)
    within_one(film, 255 - np.clip((RAMP - 749.5) / 500, 0, 1) * 255)


def test_the_window_is_in_rescaled_values() -> None:
    rescale = {"RescaleSlope": 2, "RescaleIntercept": -1000}
    film = read(WindowCenter=1000, WindowWidth=501, **rescale)
    within_one(film, np.clip((RAMP * 2.0 - 1000 - 749.5) / 500, 0, 1) * 255)
    falling = read(RescaleSlope=-1, RescaleIntercept=4095, **FULL_WINDOW)
    within_one(falling, 255 - GREYS)


def test_modality_and_voi_tables_are_looked_up() -> None:
    curve = [round(4095 * (i / 4095) ** 2) for i in range(4096)]
    within_one(read(VOILUTSequence=lut(0, curve, 12)), np.array(curve)[RAMP] / 4095 * 255)
    both = read(ModalityLUTSequence=lut(0, curve, 16), **FULL_WINDOW)
    within_one(both, np.array(curve)[RAMP] / 4095 * 255)


def test_without_a_window_one_dead_pixel_does_not_take_the_contrast() -> None:
    pixels = RAMP // 16 + 500
    pixels[0, 0], pixels[0, 1] = 0, 4095
    film = read(pixels)
    expected = np.clip((pixels - 500.0) / 255, 0, 1) * 255
    assert np.abs(film - expected).max() <= 3


@pytest.mark.parametrize(
    "window",
    [
        {"WindowCenter": 60000, "WindowWidth": 10},
        {"WindowCenter": 2048, "WindowWidth": 0},
        {"WindowCenter": 2048, "WindowWidth": 0.9},
        {"WindowCenter": 60000, "WindowWidth": 1},
        {"WindowCenter": 2048, "WindowWidth": -4096},
        {"WindowCenter": 2048},
        {"WindowCenter": "", "WindowWidth": ""},
    ],
)
def test_a_window_that_shows_nothing_is_passed_over(window: dict[str, object]) -> None:
    np.testing.assert_array_equal(read(**window), read())


def test_a_window_of_width_1_is_a_threshold() -> None:
    """PS3.3 C.11.2.1.2.1: black up to the center less a half, white above."""
    np.testing.assert_array_equal(
        read(WindowCenter=2048, WindowWidth=1), np.where(RAMP > 2047.5, 255, 0).astype(np.uint8)
    )
    np.testing.assert_array_equal(read(WindowCenter=2048.5, WindowWidth=1), np.where(RAMP > 2048, 255, 0))


def test_padding_is_black_and_does_not_set_the_contrast() -> None:
    pixels = RAMP // 8 + 200
    pixels[:, :20] = 4000
    film = read(pixels, PixelPaddingValue=4000)
    assert (film[:, :20] == 0).all()
    assert film[:, 20:].max() == 255
    in_range = read(pixels, PixelPaddingValue=3000, PixelPaddingRangeLimit=4095)
    np.testing.assert_array_equal(in_range, film)
    inverted = read(pixels, PixelPaddingValue=4000, PhotometricInterpretation="MONOCHROME1")
    assert (inverted[:, :20] == 0).all()


def test_signed_values_and_unused_bits_are_read_as_the_header_says() -> None:
    signed = RAMP.astype(np.int16) - 2048
    within_one(read(signed, WindowCenter=0, WindowWidth=4096), GREYS)
    np.testing.assert_array_equal(read(RAMP | 0xA000, **FULL_WINDOW), read(**FULL_WINDOW))
    eight = (RAMP // 16).astype(np.uint8)
    within_one(read(eight, bits=8, WindowCenter=128, WindowWidth=256), eight.astype(float))


@pytest.mark.slow
def test_compressed_films_equal_uncompressed_ones() -> None:
    for syntax in (JPEG2000Lossless, RLELossless):
        dataset = make(**FULL_WINDOW)
        dataset.compress(syntax, generate_instance_uid=False)
        np.testing.assert_array_equal(read_image(to_bytes(dataset)), read(**FULL_WINDOW))


@pytest.mark.slow
@pytest.mark.parametrize("compressed", ["MR_small_jp2klossless.dcm", "MR_small_jpeg_ls_lossless.dcm"])
def test_other_writers_files_equal_their_uncompressed_twins(compressed: str) -> None:
    films = []
    for name in (compressed, "MR_small.dcm"):
        dataset = pydicom.dcmread(get_testdata_file(name, download=False))
        dataset.Modality = "DX"
        films.append(read_image(to_bytes(dataset)))
    np.testing.assert_array_equal(*films)


@pytest.mark.parametrize(
    "name",
    [
        "SC_rgb_jpeg_gdcm.dcm",  # lossless JPEG
        "SC_rgb_rle_16bit.dcm",
        "SC_rgb_gdcm_KY.dcm",  # JPEG 2000
        "SC_rgb_dcmtk_+eb+cy+np.dcm",  # YBR_FULL_422
    ],
)
def test_colour_captures_are_made_grey(name: str) -> None:
    """Ten bars of pure colours, ten rows each, as pydicom's documentation lists them."""
    film = read_image(Path(get_testdata_file(name, download=False)))
    greys = [76, 166, 150, 203, 29, 142, 0, 64, 192, 255]
    assert film.shape == (100, 100)
    assert np.abs(film[5::10, 50].astype(int) - greys).max() <= 3


def test_files_without_preamble_or_meta_are_recognised() -> None:
    whole = to_bytes(make(**FULL_WINDOW))
    np.testing.assert_array_equal(read_image(whole[132:]), read(**FULL_WINDOW))
    for implicit in (True, False):
        dataset = make(**FULL_WINDOW)
        dataset.file_meta = FileMetaDataset()
        buffer = io.BytesIO()
        dataset.save_as(buffer, implicit_vr=implicit, little_endian=True)
        np.testing.assert_array_equal(read_image(buffer.getvalue()), read(**FULL_WINDOW))


def test_implicit_values_are_read() -> None:
    dataset = make(**FULL_WINDOW)
    dataset.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian
    np.testing.assert_array_equal(read_image(to_bytes(dataset)), read(**FULL_WINDOW))


def test_a_file_without_pixels_is_said_so() -> None:
    dataset = make()
    del dataset.PixelData
    assert "holds no image" in refusal(dataset)
    assert "holds no image" in refusal(make(PixelData=b""))


@pytest.mark.parametrize("modality", ["CT", "MR", "US", "MG"])
def test_other_kinds_of_image_are_refused(modality: str) -> None:
    message = refusal(make(Modality=modality))
    assert repr(modality) in message and "CR, DX or RG" in message


@pytest.mark.parametrize("modality", ["CR", "DX", "RG", "dx", "OT", ""])
@pytest.mark.filterwarnings("ignore:Invalid value for VR CS:UserWarning")
def test_plain_x_rays_are_accepted(modality: str) -> None:
    within_one(read(Modality=modality, **FULL_WINDOW), GREYS)


def test_several_frames_are_refused() -> None:
    two = np.stack([RAMP, RAMP])
    dataset = make(RAMP, NumberOfFrames=2, PixelData=two.tobytes())
    assert "2 images" in refusal(dataset)
    within_one(read(NumberOfFrames=1, **FULL_WINDOW), GREYS)


def compressed_with(**tags: object) -> Dataset:
    dataset = make()
    dataset.compress(JPEG2000Lossless, generate_instance_uid=False)
    for name, value in tags.items():
        setattr(dataset, name, value)
    return dataset


def test_a_size_that_does_not_match_the_pixels_is_refused() -> None:
    for dataset in (make(Rows=40), make(Columns=60), compressed_with(Rows=64, Columns=48)):
        assert MISMATCH in refusal(dataset)
    for dataset in (make(Rows=60), make(Columns=70)):
        assert DAMAGED in refusal(dataset)


def test_huge_and_tiny_frames_are_refused_by_their_header() -> None:
    huge, tiny = refusal(make(Rows=60000, Columns=60000)), refusal(make(Rows=1, Columns=1))
    assert "60,000 x 60,000 pixels" in huge and "64 million" in huge
    assert "1 x 1 pixels" in tiny and "at least 32" in tiny


@pytest.mark.parametrize("marker", [0xFFC0, 0xFFC3, 0xFFF7])
def test_a_compressed_frame_that_hides_its_size_is_refused_undecoded(marker: int) -> None:
    header = (
        b"\xff\xd8\xff\xe0\x00\x04ab" + marker.to_bytes(2) + b"\x00\x0b\x08\xff\xff\xff\xff\x01\x01\x11\x00"
    )
    dataset = make(PixelData=encapsulate([header + bytes(64)]))
    dataset.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.4.70"
    dataset["PixelData"].is_undefined_length = True
    assert "65,535 x 65,535 pixels" in refusal(dataset)


def test_a_jpeg2000_frame_that_hides_its_size_is_refused_undecoded() -> None:
    dataset = compressed_with()
    frame = bytearray(get_frame(dataset.PixelData, 0, number_of_frames=1))
    frame[8:16] = (60000).to_bytes(4) * 2
    dataset.PixelData = encapsulate([bytes(frame)])
    assert MISMATCH in refusal(dataset)


@pytest.mark.slow
@pytest.mark.timeout(30)
def test_a_boxed_jpeg2000_frame_with_a_bad_box_does_not_hang() -> None:
    dataset = compressed_with(**FULL_WINDOW)
    frame = get_frame(dataset.PixelData, 0, number_of_frames=1)
    boxes = b"\x00\x00\x00\x0cjP  \r\n\x87\n" + bytes(8)  # the second has no length: a loop in pydicom 3.0.2
    dataset.PixelData = encapsulate([boxes + frame])
    np.testing.assert_array_equal(read_image(to_bytes(dataset)), read(**FULL_WINDOW))
    dataset.PixelData = encapsulate([boxes])
    assert DAMAGED in refusal(dataset)


def test_a_deflated_file_is_refused_before_it_is_inflated() -> None:
    dataset = make(np.zeros((48, 64), np.uint16))
    dataset.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    assert "deflated" in refusal(dataset)


def test_pixels_in_the_upper_bits_are_refused() -> None:
    assert "upper bits" in refusal(make(RAMP << 4, HighBit=15))


@pytest.mark.parametrize(
    ("slope", "intercept"),
    [("1e300", "0"), ("1e39", "0"), ("1e6", "0"), ("nan", "0"), ("-inf", "0"), ("1", "inf"), ("1", "NaN")],
)
@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_rescaling_that_gives_no_numbers_is_refused(slope: str, intercept: str) -> None:
    message = refusal(to_bytes_with(RescaleSlope=slope, RescaleIntercept=intercept))
    assert f"slope {float(slope):g} and intercept {float(intercept):g}" in message


@pytest.mark.parametrize("width", ["1e-45", "1e-300", "nan", "inf", "1e308"])
@pytest.mark.parametrize("kind", ["LINEAR", "LINEAR_EXACT", "SIGMOID"])
@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_a_window_without_a_usable_width_is_passed_over(width: str, kind: str) -> None:
    data = to_bytes_with(WindowCenter="2000", WindowWidth=width, VOILUTFunction=kind)
    np.testing.assert_array_equal(read_image(data), read())


@pytest.mark.slow
def test_a_full_field_detectors_film_is_read() -> None:
    film = np.tile(RAMP, (84, 79))[:4000, :5000]
    within_one(read(film, **FULL_WINDOW), np.rint(film / 4095 * 255))


@pytest.mark.slow
def test_a_damaged_file_leaves_no_traceback_on_stderr(tmp_path: Path) -> None:
    dataset = compressed_with()
    frame = bytearray(get_frame(dataset.PixelData, 0, number_of_frames=1))
    frame[60:] = bytes(len(frame) - 60)
    dataset.PixelData = encapsulate([bytes(frame)])
    path = tmp_path / "film.dcm"
    path.write_bytes(to_bytes(dataset))
    code = (
        "import sys; from xlite.errors import ImageError; from xlite.images import read_image\n"
        "try: read_image(sys.argv[1])\nexcept ImageError as error: print(error)"
    )
    child = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True, check=True)
    assert child.stdout.startswith(f"{path}: ") and DAMAGED in child.stdout and child.stdout.count("\n") == 1
    assert "Traceback" not in child.stderr


def seeds() -> list[bytes]:
    jpeg_ls = pydicom.dcmread(get_testdata_file("MR_small_jpeg_ls_lossless.dcm", download=False))
    jpeg_ls.Modality = "CR"
    rle = make()
    rle.compress(RLELossless, generate_instance_uid=False)
    return [
        to_bytes(make(**FULL_WINDOW, RescaleSlope=2, RescaleIntercept=-10)),
        to_bytes(make(VOILUTSequence=lut(0, list(range(64)), 12), PixelPaddingValue=0)),
        to_bytes(compressed_with(**FULL_WINDOW)),
        to_bytes(rle),
        to_bytes(jpeg_ls),
        Path(get_testdata_file("SC_rgb_jpeg_gdcm.dcm", download=False)).read_bytes(),
    ]


SEEDS = seeds()
IN_THIS_PROCESS = SEEDS[:2] + SEEDS[3:4]


def check_altered(seed: bytes, cut: float, changes: list[tuple[float, int]], early: bool) -> None:
    data = bytearray(seed)
    for place, value in changes:
        data[int(place * (min(1200, len(data)) if early else len(data)))] = value
    try:
        image = read_image(bytes(data[: round(cut * len(data))]))
    except ImageError:
        return
    assert image.dtype == np.uint8 and image.ndim == 2 and min(image.shape) >= 32


ALTERATIONS = {
    "cut": st.sampled_from([1.0, 1.0, 0.999, 0.9, 0.5, 0.2]),
    "changes": st.lists(st.tuples(st.floats(0, 0.999), st.integers(0, 255)), max_size=4),
    "early": st.booleans(),
}
OF_BROKEN_FILES = pytest.mark.filterwarnings(
    "ignore:Expected (ex|im)plicit VR, but found:UserWarning",
    "ignore:End of file reached before delimiter:UserWarning",
)
"""What pydicom warns of while it reads them."""


@pytest.mark.slow
@OF_BROKEN_FILES
@given(seed=st.sampled_from(IN_THIS_PROCESS), **ALTERATIONS)
@settings(max_examples=200, deadline=None)
def test_altered_files_give_a_film_or_a_sentence(
    seed: bytes, cut: float, changes: list[tuple[float, int]], early: bool
) -> None:
    check_altered(seed, cut, changes, early)


@pytest.mark.release
@pytest.mark.slow
@OF_BROKEN_FILES
@given(seed=st.sampled_from(SEEDS), **ALTERATIONS)
@settings(max_examples=500, deadline=None)
def test_altered_compressed_files_give_a_film_or_a_sentence(
    seed: bytes, cut: float, changes: list[tuple[float, int]], early: bool
) -> None:
    check_altered(seed, cut, changes, early)


@pytest.mark.slow
@OF_BROKEN_FILES
@given(st.binary(max_size=400))
@settings(max_examples=100, deadline=None)
def test_random_bytes_behind_a_dicom_beginning_give_a_sentence(data: bytes) -> None:
    refusal(bytes(128) + b"DICM" + data)
    refusal(b"\x08\x00\x05\x00CS" + data)


@pytest.mark.slow
def test_a_real_chest_film_has_bright_bones_and_dark_lungs(shared_data: Path) -> None:
    """MONOCHROME1, 15 bits, JPEG 2000: regions read off the film with the eye."""
    film = read_image(shared_data / "dicom" / "RG1_J2KI.dcm")
    assert film.shape == (1955, 1841)
    right_lung, left_lung = film[500:750, 500:650], film[450:650, 1150:1350]
    spine, liver = film[1000:1500, 870:980], film[1450:1650, 350:600]
    assert max(right_lung.mean(), left_lung.mean()) + 60 < min(spine.mean(), liver.mean())
