"""Look-up tables: their depth, how they are packed, and where they begin. Right values are dcmtk's."""

import struct

import numpy as np
import pytest
from dicom_films import FULL_WINDOW, GREYS, RAMP, lut, make, read, refusal, to_bytes, with_element, within_one
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRBigEndian, ImplicitVRLittleEndian

from xlite.formats.dicom.tables import LookUpTable
from xlite.images import read_image

DIM = RAMP // 4  # no pixel of this film meets the upper part of a table


def table(top: int) -> list[int]:
    return np.linspace(0, top, 4096).round().astype(int).tolist()


def test_inputs_beyond_the_ends_take_the_entry_there() -> None:
    looked_up = LookUpTable(-2, np.array([5, 6, 7], np.uint16), 8).at(np.array([-9.0, -2, -1.4, 0, 9]))
    assert looked_up.tolist() == [5, 5, 6, 7, 7]


@pytest.mark.parametrize("bits", [8, 9, 10, 12, 15, 16])
@pytest.mark.parametrize("kind", ["VOILUTSequence", "ModalityLUTSequence"])
def test_a_table_of_any_depth_spans_the_greys_by_its_own_range(bits: int, kind: str) -> None:
    tags = {kind: lut(0, table(2**bits - 1), bits)}
    within_one(read(**tags), GREYS)
    within_one(read(DIM, **tags), DIM / 4095 * 255)


@pytest.mark.parametrize("bits", [8, 10, 12])
def test_a_window_is_in_the_values_of_the_modality_table(bits: int) -> None:
    tags = {"ModalityLUTSequence": lut(0, table(2**bits - 1), bits)}
    film = read(WindowCenter=2 ** (bits - 1), WindowWidth=2**bits, **tags)
    within_one(film, GREYS)


def test_the_declared_depth_counts_if_entries_do_not_reach_it() -> None:
    within_one(read(VOILUTSequence=lut(0, table(3000), 12)), RAMP / 4095 * 3000 / 4095 * 255)
    within_one(read(VOILUTSequence=lut(0, table(40000), 16)), RAMP / 4095 * 40000 / 65535 * 255)


@pytest.mark.parametrize("bits", [8, 10, 12])
def test_a_table_declared_16_bits_that_holds_fewer_is_read_by_what_it_holds(bits: int) -> None:
    """Some writers state the width of the words: shown by that, a film would be all but black."""
    tags = {"VOILUTSequence": lut(0, table(2**bits - 1), 16)}
    within_one(read(**tags), GREYS)
    within_one(read(DIM, **tags), DIM / 4095 * 255)


@pytest.mark.parametrize("top", [4096, 8191, 13107, 16383])
def test_a_table_of_16_bits_that_fits_in_13_or_14_keeps_the_declared_range(top: int) -> None:
    within_one(read(VOILUTSequence=lut(0, table(top), 16)), RAMP / 4095 * top / 65535 * 255)
    within_one(read(ModalityLUTSequence=lut(0, table(top), 16)), RAMP / 4095 * top / 65535 * 255)
    film = read_image(to_bytes(palette(np.array(table(top)), 16, RAMP)))
    within_one(film, RAMP / 4095 * top / 65535 * 255)


@pytest.mark.parametrize("stated", [1000, 3000, 4095])
def test_a_descriptor_of_fewer_entries_than_there_are_does_not_clip(stated: int) -> None:
    sequence = lut(0, table(65535), 16)
    sequence[0].LUTDescriptor = [stated, 0, 16]
    within_one(read(VOILUTSequence=sequence), GREYS)
    within_one(read(ModalityLUTSequence=sequence), GREYS)


def signed_lut(values: list[int], bits: int) -> list[Dataset]:
    sequence = lut(0, [0], bits)
    sequence[0].LUTDescriptor = [len(values), 0, bits]
    sequence[0].add_new("LUTData", "SS", values)
    return sequence


@pytest.mark.parametrize("bits", [12, 16])
def test_a_modality_table_of_signed_entries_has_a_range_of_its_own(bits: int) -> None:
    sequence = signed_lut([value - 2048 for value in table(4095)], bits)
    within_one(read(ModalityLUTSequence=sequence, WindowCenter=0, WindowWidth=4096), GREYS)
    within_one(read(ModalityLUTSequence=sequence), GREYS)
    wide = signed_lut([value - 32768 for value in table(65535)], 16)
    within_one(read(ModalityLUTSequence=wide), GREYS)


def test_a_signed_vr_without_entries_below_zero_and_in_a_voi_table_changes_nothing() -> None:
    within_one(read(ModalityLUTSequence=signed_lut(table(4095), 12)), GREYS)
    wrapped = [value - 65536 if value >= 32768 else value for value in table(65535)]
    within_one(read(VOILUTSequence=signed_lut(wrapped, 16)), GREYS)


@pytest.mark.parametrize("undefined_length", [True, False])
@pytest.mark.parametrize("part", [None, "LUTDescriptor"])
def test_the_first_voi_table_that_has_data_counts(undefined_length: bool, part: str | None) -> None:
    without = Dataset()
    if part:
        without.LUTDescriptor = [4096, 0, 12]
    second, third = lut(0, table(4095), 12), lut(0, table(4095)[::-1], 12)
    dataset = make(VOILUTSequence=[without, *second, *third])
    dataset["VOILUTSequence"].is_undefined_length = undefined_length
    within_one(read_image(to_bytes(dataset)), GREYS)


@pytest.mark.parametrize("part", [None, "LUTDescriptor"])
def test_a_window_counts_beside_a_voi_table_without_data(part: str | None) -> None:
    without = Dataset()
    if part:
        without.LUTDescriptor = [4096, 0, 12]
    within_one(read(VOILUTSequence=[without, without], **FULL_WINDOW), GREYS)


@pytest.mark.parametrize("declared", [0, 8, 10])
def test_entries_deeper_than_declared_are_not_wrapped(declared: int) -> None:
    within_one(read(VOILUTSequence=lut(0, table(4095), declared)), GREYS)


@pytest.mark.parametrize("declared", [8, 16])
@pytest.mark.parametrize("length", [4096, 4095])
def test_entries_of_8_bits_may_be_packed_two_to_a_word(declared: int, length: int) -> None:
    values = table(255)[:length]
    within_one(read(VOILUTSequence=lut(0, values, declared, packed=True)), GREYS)
    within_one(read(ModalityLUTSequence=lut(0, values, declared, packed=True)), GREYS)


def test_packed_entries_of_a_big_endian_file_are_in_order() -> None:
    dataset = make(VOILUTSequence=lut(0, table(255), 8, packed=True))
    swapped = np.frombuffer(dataset.VOILUTSequence[0].LUTData, "<u2").astype(">u2").tobytes()
    dataset.VOILUTSequence[0].LUTData = swapped
    dataset.PixelData = RAMP.astype(">u2").tobytes()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRBigEndian
    within_one(read_image(to_bytes(dataset)), GREYS)


def test_a_table_of_65536_entries_declares_none() -> None:
    tags = lut(0, [0], 16)
    tags[0].LUTDescriptor = [0, 0, 16]
    tags[0].add_new("LUTData", "OW", np.arange(65536, dtype="<u2").tobytes())
    film = np.rint(RAMP * 16.0).astype(np.uint16)
    within_one(read(film, 16, VOILUTSequence=tags), film / 65535 * 255)


def test_a_table_may_begin_above_or_below_zero() -> None:
    within_one(read(VOILUTSequence=lut(1000, table(4095), 12)), np.clip(RAMP - 1000.0, 0, None) / 4095 * 255)
    signed = RAMP.astype(np.int16) - 2048
    within_one(read(signed, VOILUTSequence=lut(-2048, table(4095), 12)), GREYS)
    within_one(read(signed, ModalityLUTSequence=lut(-2048, table(4095), 12)), GREYS)


@pytest.mark.parametrize("implicit", [True, False])
def test_a_first_value_below_zero_is_told_from_the_rescaled_values(implicit: bool) -> None:
    """With implicit VR, 64512 and -1024 are the same word; so they are for writers that say US."""
    dataset = make(RescaleSlope=1, RescaleIntercept=-1024, VOILUTSequence=lut(0, table(4095), 12))
    dataset.VOILUTSequence[0].LUTDescriptor = [4096, 64512, 12]
    if implicit:
        dataset.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian
    within_one(read_image(to_bytes(dataset)), GREYS)


def test_a_first_value_beyond_32767_is_not_taken_for_a_negative_one() -> None:
    film = RAMP + np.uint16(40000)
    within_one(read(film, 16, VOILUTSequence=lut(40000, table(4095), 12)), GREYS)


def test_a_table_that_shows_nothing_is_passed_over() -> None:
    np.testing.assert_array_equal(
        read(VOILUTSequence=lut(60000, table(4095), 12), **FULL_WINDOW), read(**FULL_WINDOW)
    )


def test_a_sequence_of_undefined_length_or_unknown_vr_is_read() -> None:
    dataset = make(VOILUTSequence=lut(0, table(4095), 12))
    dataset["VOILUTSequence"].is_undefined_length = True
    within_one(read_image(to_bytes(dataset)), GREYS)
    words = struct.pack("<3H", 4096, 0, 12), np.arange(4096, dtype="<u2").tobytes()
    inner = b"".join(
        struct.pack("<HHI", 0x0028, tag, len(value)) + value
        for tag, value in zip((0x3002, 0x3006), words, strict=True)
    )
    item = b"\xfe\xff\x00\xe0" + struct.pack("<I", len(inner)) + inner
    within_one(read_image(with_element(to_bytes(make()), "VOILUTSequence", "UN", item)), GREYS)


@pytest.mark.parametrize("missing", ["LUTDescriptor", "LUTData"])
def test_a_table_without_a_part_is_refused_by_name(missing: str) -> None:
    sequence = lut(0, table(4095), 12)
    del sequence[0][missing]
    name = {"LUTDescriptor": "LUT Descriptor", "LUTData": "LUT Data"}[missing]
    assert f"{name} is missing" in refusal(make(VOILUTSequence=sequence))


def palette(
    values: np.ndarray, bits: int, pixels: np.ndarray, first: int = 0, packed: bool = False
) -> Dataset:
    dataset = make(pixels, 8 * pixels.itemsize, PhotometricInterpretation="PALETTE COLOR")
    for colour in ("Red", "Green", "Blue"):
        name = f"{colour}PaletteColorLookupTable"
        dataset.add_new(f"{name}Descriptor", "US", [len(values), first, bits])
        data = values.astype("u1").tobytes() if packed else values.astype("<u2").tobytes()
        dataset.add_new(f"{name}Data", "OW", data)
    return dataset


EIGHT = (RAMP // 20).astype(np.uint8)


@pytest.mark.parametrize(
    ("factor", "bits", "packed", "white"),
    [
        (257, 16, False, 65535),
        (100, 16, False, 65535),
        (1, 8, False, 255),
        (1, 8, True, 255),
        (1, 16, False, 255),
        (16, 12, False, 4095),
    ],
)
def test_a_palette_is_shown_by_its_range_and_not_by_the_films(
    factor: int, bits: int, packed: bool, white: int
) -> None:
    film = read_image(to_bytes(palette(np.arange(256) * factor, bits, EIGHT, packed=packed)))
    within_one(film, EIGHT * float(factor) / white * 255)


def test_palettes_are_clipped_at_their_ends_and_take_deep_pixels() -> None:
    film = read_image(to_bytes(palette(np.arange(100), 8, EIGHT, first=50)))
    within_one(film, np.clip(EIGHT.astype(float) - 50, 0, 99))
    within_one(read_image(to_bytes(palette(np.arange(4096) * 16, 16, RAMP))), GREYS)


def test_a_segmented_palette_is_refused_by_name() -> None:
    dataset = palette(np.arange(256), 8, EIGHT)
    del dataset.RedPaletteColorLookupTableData
    dataset.SegmentedRedPaletteColorLookupTableData = bytes(8)
    assert "Segmented Red Palette Color Lookup Table Data cannot be read" in refusal(dataset)
