"""Pixels: too few and too many bytes, planes, and frames of every compression."""

import io
import struct

import numpy as np
import pydicom
import pytest
from dicom_films import (
    DAMAGED,
    FULL_WINDOW,
    GREYS,
    MISMATCH,
    RAMP,
    compressed,
    make,
    read,
    refusal,
    to_bytes,
    within_one,
)  # fmt: skip
from PIL import Image
from pydicom import Dataset
from pydicom.data import get_testdata_file
from pydicom.encaps import encapsulate, get_frame
from pydicom.uid import (
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLossless,
    JPEGLSLossless,
    RLELossless,
)

from xlite.formats.codec import decode_apart
from xlite.formats.jpeg import segments
from xlite.images import read_image

EIGHT = np.tile(np.arange(64, dtype=np.uint8) * 4, (64, 1))
PROGRESSIVE = "1.2.840.10008.1.2.4.55"
FRAMES = {JPEGBaseline8Bit: 0xC0, JPEGExtended12Bit: 0xC1, JPEGLossless: 0xC3, JPEGLSLossless: 0xF7}


@pytest.mark.parametrize("excess", [b"\0" * 512, b"\0" * 100_000, b"\xff" * 6144, b"anything"])
def test_padding_behind_the_pixels_is_allowed(excess: bytes) -> None:
    within_one(read(PixelData=RAMP.tobytes() + excess, **FULL_WINDOW), GREYS)


def test_pixels_behind_the_film_are_of_a_film_of_another_size() -> None:
    assert MISMATCH in refusal(make(PixelData=RAMP.tobytes() + RAMP.tobytes()[-512:]))


@pytest.mark.parametrize("missing", [2, 200, 6000])
def test_fewer_bytes_than_rows_are_refused(missing: int) -> None:
    message = refusal(make(PixelData=RAMP.tobytes()[:-missing]))
    assert DAMAGED in message and f"has {6144 - missing:,} bytes" in message


def test_a_file_cut_in_its_pixels_is_refused() -> None:
    assert "has 6,044 bytes" in refusal(to_bytes(make())[:-100])


def colour(
    pixels: np.ndarray, photometric: str, bits: int = 8, planar: int = 0, **tags: object
) -> np.ndarray:
    tags |= {"SamplesPerPixel": 3, "PhotometricInterpretation": photometric, "PlanarConfiguration": planar}
    return read(pixels, bits, **tags)


def test_colour_is_made_grey_by_its_weights_and_its_bits() -> None:
    rgb = np.stack([RAMP, RAMP // 2, RAMP[::-1]], axis=-1)
    weighted, eight = rgb @ [0.299, 0.587, 0.114], (rgb // 16).astype(np.uint8)
    within_one(colour(eight, "RGB"), eight @ [0.299, 0.587, 0.114])
    within_one(colour(rgb, "RGB", 12), weighted / 4095 * 255)
    within_one(colour(rgb, "RGB", 16), weighted / 65535 * 255)
    planes = np.moveaxis(eight, -1, 0).tobytes()
    np.testing.assert_array_equal(colour(eight, "RGB", planar=1, PixelData=planes), colour(eight, "RGB"))


def test_of_ybr_the_luminance_is_the_grey() -> None:
    y = (RAMP // 16).astype(np.uint8)
    ybr = np.stack([y, np.full_like(y, 120), np.full_like(y, 133)], axis=-1)
    np.testing.assert_array_equal(colour(ybr, "YBR_FULL"), y)
    halved = np.stack([y[:, ::2], y[:, 1::2], ybr[:, ::2, 1], ybr[:, ::2, 2]], axis=-1)
    np.testing.assert_array_equal(colour(ybr, "YBR_FULL_422", PixelData=halved.tobytes()), y)
    partial = colour(ybr, "YBR_PARTIAL_422", PixelData=halved.tobytes())
    within_one(partial, np.clip((y - 16.0) / 219 * 255, 0, 255))


def test_bytes_of_a_big_endian_file_may_be_swapped_in_pairs() -> None:
    dataset = make(EIGHT, 8)
    dataset.PixelData = EIGHT.view("<u2").astype(">u2").tobytes()
    dataset["PixelData"].VR = "OW"
    dataset.file_meta.TransferSyntaxUID = ExplicitVRBigEndian
    np.testing.assert_array_equal(read_image(to_bytes(dataset)), EIGHT)


@pytest.mark.parametrize(("kind", "bits"), [(np.uint8, 8), (np.uint16, 12)])
def test_rle_is_read_as_it_was_written(kind: type, bits: int) -> None:
    pixels = np.random.default_rng(0).integers(0, 200, (70, 66)).astype(kind)
    pixels[10:40] = 7
    dataset = make(pixels, bits, WindowCenter=128, WindowWidth=256)
    expected = read_image(to_bytes(dataset))
    dataset.compress(RLELossless, generate_instance_uid=False)
    np.testing.assert_array_equal(read_image(to_bytes(dataset)), expected)


def test_rle_runs_may_go_on_in_the_next_row_and_samples_may_have_32_bits() -> None:
    pixels = np.where(np.arange(48) % 5 < 3, 7, 200).repeat(64).reshape(48, 64).astype(">u4")
    segments = []
    for byte in pixels.view(np.uint8).reshape(-1, 4).T:  # runs of 128, two rows each
        segments.append(b"".join(bytes([127]) + byte[at : at + 128].tobytes() for at in range(0, 3072, 128)))
    starts = [64 + len(segments[0]) * number for number in range(4)]
    frame = struct.pack("<16I", 4, *starts, *[0] * 11) + b"".join(segments)
    tags = {"BitsAllocated": 32, "BitsStored": 32, "HighBit": 31, "WindowCenter": 128, "WindowWidth": 256}
    np.testing.assert_array_equal(read_image(compressed(frame, RLELossless, (48, 64), **tags)), pixels)


@pytest.mark.parametrize(("kind", "bits"), [(np.uint8, 8), (np.uint16, 12)])
@pytest.mark.parametrize("content", ["noise", "black behind the film"])
def test_rle_of_more_rows_is_a_film_of_another_size(kind: type, bits: int, content: str) -> None:
    pixels = np.random.default_rng(0).integers(1, 200, (70, 66)).astype(kind)
    pixels[69] *= content == "noise"
    dataset = make(pixels, bits)
    dataset.compress(RLELossless, generate_instance_uid=False)
    dataset.Rows = 69
    assert MISMATCH in refusal(dataset)


def test_rle_may_be_padded_but_holds_neither_too_much_nor_too_little() -> None:
    header = struct.pack("<16I", 1, 64, *[0] * 14)
    for padding in (bytes(4000), b"\x80" * 7):
        padded = compressed(header + b"\x81\x05" * 32 + padding, RLELossless)
        np.testing.assert_array_equal(read_image(padded), np.full((64, 64), 5))
    assert MISMATCH in refusal(compressed(header + b"\x81\x05" * 10_000, RLELossless))
    assert DAMAGED in refusal(compressed(header + b"\x81\x05" * 20, RLELossless))
    assert DAMAGED in refusal(compressed(bytes(10), RLELossless))
    assert MISMATCH in refusal(compressed(struct.pack("<16I", 2, 64, *[0] * 14), RLELossless))


def jpeg(pixels: np.ndarray = EIGHT, **options: object) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=95, **options)
    return buffer.getvalue()


@pytest.mark.parametrize("syntax", [JPEGBaseline8Bit, JPEGExtended12Bit, PROGRESSIVE])
@pytest.mark.parametrize("progressive", [True, False])
def test_jpeg_is_read_by_its_frame_header_whatever_its_syntax(syntax: str, progressive: bool) -> None:
    film = read_image(compressed(jpeg(progressive=progressive), syntax))
    assert np.abs(film.astype(int) - EIGHT).max() <= 3


def test_a_jpeg_in_several_fragments_is_read() -> None:
    frame = jpeg()
    whole = compressed(frame, JPEGBaseline8Bit)
    parts = make(np.zeros((64, 64), np.uint8), 8, PixelData=encapsulate([frame], fragments_per_frame=3))
    parts.file_meta.TransferSyntaxUID = JPEGBaseline8Bit
    parts["PixelData"].is_undefined_length = True
    np.testing.assert_array_equal(read_image(to_bytes(parts)), read_image(whole))


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    ["MR_small_jpeg_ls_lossless.dcm", "JPGExtended.dcm", "SC_rgb_jpeg_gdcm.dcm", "SC_rgb_jpeg_dcmtk.dcm"],
)
@pytest.mark.parametrize("share", [0.5, 0.95])
def test_a_cut_scan_is_refused_with_or_without_an_end_marker(name: str, share: float) -> None:
    """JPEG-LS, 12 bits, lossless and baseline: decoders fill what is missing and say nothing."""
    dataset = pydicom.dcmread(get_testdata_file(name, download=False))
    dataset.Modality = "CR"
    assert read_image(to_bytes(dataset)).shape == (dataset.Rows, dataset.Columns)
    frame = get_frame(dataset.PixelData, 0, number_of_frames=1).rstrip(b"\0")
    cut = frame[: int(share * len(frame))].rstrip(b"\xff")
    for end in (b"", b"\xff\xd9"):
        dataset.PixelData = encapsulate([cut + end])
        assert "is damaged" in refusal(dataset)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "times"),
    [("JPGExtended.dcm", 1), ("SC_rgb_jpeg_gdcm.dcm", 1), ("MR_small_jpeg_ls_lossless.dcm", 1)],
)
def test_huffman_codes_and_jpeg_ls_tell_a_cut_by_one_decoding(
    name: str, times: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two of a film of 30 megapixels would take more than 2 s."""
    decoded = []

    def decode(*args: object, **options: object) -> np.ndarray:
        decoded.append(args)
        return decode_apart(*args, **options)

    monkeypatch.setattr("xlite.formats.dicom.frames.decode_apart", decode)
    dataset = pydicom.dcmread(get_testdata_file(name, download=False))
    dataset.Modality = "CR"
    read_image(to_bytes(dataset))
    assert len(decoded) == times


@pytest.mark.slow
def test_a_cut_is_told_although_a_code_is_of_ones_alone() -> None:
    dataset = pydicom.dcmread(get_testdata_file("SC_rgb_jpeg_gdcm.dcm", download=False))
    dataset.Modality = "CR"
    frame = get_frame(dataset.PixelData, 0, number_of_frames=1).rstrip(b"\0")
    start = frame.index(b"\xff\xc4")
    end = start + 2 + int.from_bytes(frame[start + 2 : start + 4], "big")
    counts, values = bytearray(frame[start + 5 : start + 21]), frame[start + 21 : end]
    longest = len(counts.rstrip(b"\0")) - 1
    spare = (2**16 - sum(count << 15 - bits for bits, count in enumerate(counts))) >> 15 - longest
    counts[longest] += spare  # up to the code of ones
    table = frame[start + 4 : start + 5] + counts + values + bytes(spare)
    full = frame[:start] + b"\xff\xc4" + struct.pack(">H", len(table) + 2) + table + frame[end:]
    whole = read_image(to_bytes(dataset))
    dataset.PixelData = encapsulate([full])
    np.testing.assert_array_equal(read_image(to_bytes(dataset)), whole)
    dataset.PixelData = encapsulate([full[: len(full) * 3 // 4].rstrip(b"\xff") + b"\xff\xd9"])
    assert "a scan is cut" in refusal(dataset)


@pytest.mark.parametrize(("marker", "side"), [(0xF7, 5500), (0xC3, 4500), (0xC9, 4500)])
def test_a_film_that_takes_seconds_to_decode_is_refused_before(
    marker: int, side: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("xlite.formats.dicom.frames.decode_apart", None)
    scan = b"\xff\xda\x00\x08\x01\x01\x00\x00\x00\x00" + bytes(99) + b"\xff\xd9"
    frame = b"\xff\xd8" + frame_header(marker, side) + scan
    message = refusal(compressed(frame, JPEGLossless, (side, side)))
    assert f"is {side:,} x {side:,} pixels in a JPEG that takes too long to decode" in message


def with_bits(dataset: Dataset, bits: int) -> Dataset:
    dataset.BitsStored, dataset.HighBit = bits, bits - 1
    return dataset


@pytest.mark.parametrize(
    ("name", "bits", "precision"),
    [
        ("MR_small_jpeg_ls_lossless.dcm", 8, 16),
        ("JPGExtended.dcm", 7, 12),
        ("SC_rgb_jpeg_gdcm.dcm", 6, 8),  # lossless
        ("MR_small_jp2klossless.dcm", 8, 16),
    ],
)
def test_pixels_of_more_bits_than_stored_are_refused_and_not_wrapped(
    name: str, bits: int, precision: int
) -> None:
    dataset = pydicom.dcmread(get_testdata_file(name, download=False))
    dataset.Modality = "CR"
    message = refusal(with_bits(dataset, bits))
    assert f"Bits Stored is {bits}, but its compressed pixels have {precision} bits" in message


def test_what_a_lossy_jpeg_overshoots_is_clipped() -> None:
    """Beside white letters on black a decoder gives more than white: wrapped, that would be black."""
    pixels = np.where(np.random.default_rng(0).random((64, 64)) < 0.9, 127, 100).astype(np.uint8)
    frame = jpeg(pixels)
    decoded = np.asarray(Image.open(io.BytesIO(frame)))
    assert decoded.max() > 127
    film = read_image(compressed(frame, JPEGBaseline8Bit, BitsStored=7, HighBit=6))
    within_one(film, decoded.clip(0, 127) * (255 / 127))
    assert "Bits Stored is 6, but" in refusal(compressed(frame, JPEGBaseline8Bit, BitsStored=6, HighBit=5))


def frame_header(marker: int, side: int, components: int = 1) -> bytes:
    parts = b"".join(bytes([number + 1, 0x11, 0]) for number in range(components))
    return b"\xff" + struct.pack(">BHBHHB", marker, 8 + len(parts), 8, side, side, components) + parts


@pytest.mark.parametrize(("syntax", "marker"), FRAMES.items())
@pytest.mark.parametrize("gap", [b"\xff", b"\xff" * 9, b"\xff\x01", b"\xff\xd0"])
@pytest.mark.parametrize("side", [8000, 65500])
@pytest.mark.timeout(20)
def test_a_frame_header_behind_fill_bytes_is_seen(syntax: str, marker: int, gap: bytes, side: int) -> None:
    scan = b"\xff\xda\x00\x08\x01\x01\x00\x00\x00\x00" + bytes(99) + b"\xff\xd9"
    headers = [frame_header(marker, 64), gap + frame_header(marker, side)]
    for frame in (headers, headers[::-1]):
        message = refusal(compressed(b"\xff\xd8" + b"".join(frame) + scan, syntax))
        assert "headers that differ" in message or "limit is 64 million" in message


@pytest.mark.parametrize(("syntax", "marker"), FRAMES.items())
def test_components_and_sizes_that_the_header_does_not_state_are_refused(syntax: str, marker: int) -> None:
    scan = b"\xff\xda\x00\x08\x01\x01\x00\x00\x00\x00" + bytes(99) + b"\xff\xd9"
    for header in (frame_header(marker, 64, components=3), frame_header(marker, 80)):
        assert MISMATCH in refusal(compressed(b"\xff\xd8" + header + scan, syntax))


@pytest.mark.parametrize("syntax", FRAMES)
@pytest.mark.timeout(20)
def test_fill_bytes_comments_and_scans_are_counted_undecoded(syntax: str) -> None:
    for filler in (b"\xff" * 10**7, b"\xff\xfe\x00\x02" * 10**6):
        assert "segments or" in refusal(compressed(b"\xff\xd8" + filler + frame_header(0xC0, 64), syntax))
    scans = b"\xff\xda\x00\x08\x01\x01\x00\x00\x00\x00\x00" * 3000
    assert "scans" in refusal(compressed(b"\xff\xd8" + frame_header(0xC2, 64) + scans + b"\xff\xd9", syntax))


def test_an_unknown_transfer_syntax_is_named() -> None:
    data = compressed(b"what is this", JPEGBaseline8Bit)
    assert f"Transfer Syntax UID {JPEGBaseline8Bit}" in refusal(data)
    private = data.replace(JPEGBaseline8Bit.encode(), b"1.2.840.113619.5.2.4.8")
    assert "Transfer Syntax UID 1.2.840.113619.5.2.4.8" in refusal(private)
    native = to_bytes(make()).replace(ExplicitVRLittleEndian.encode(), b"1.2.840.113619.5.2\0")
    assert "Transfer Syntax UID 1.2.840.113619.5.2)" in refusal(native)


@pytest.mark.timeout(20)
def test_millions_of_fragments_and_long_offset_tables_are_passed_over() -> None:
    item = b"\xfe\xff\x00\xe0"
    for content in ((item + bytes(4)) * 10**6, item + struct.pack("<I", 10**7) + bytes(10**7)):
        dataset = make(np.zeros((64, 64), np.uint8), 8, PixelData=content + b"\xfe\xff\xdd\xe0" + bytes(4))
        dataset.file_meta.TransferSyntaxUID = JPEG2000Lossless
        dataset["PixelData"].is_undefined_length = True
        refusal(dataset)


def colour_jpeg(*, ycbcr: bool, tagged: bool) -> tuple[bytes, np.ndarray]:
    """A JPEG of colours and the greys it shows; without its JFIF or Adobe segment if it is not tagged."""
    colours = np.zeros((64, 64, 3), np.uint8)
    colours[:32, :, 0], colours[32:, :, 2], colours[:, 32:, 1] = 200, 180, 90
    picture = Image.fromarray(colours)
    buffer = io.BytesIO()
    options = {} if ycbcr else {"keep_rgb": True}
    picture.save(buffer, "JPEG", quality=95, subsampling=0, **options)
    data = buffer.getvalue()
    if not tagged:
        for part in segments(data):
            if part.marker in (0xE0, 0xEE):
                data = data[: part.start] + data[part.end :]
    return data, np.asarray(picture.convert("L")).astype(int)


def in_colour(frame: bytes, photometric: str) -> np.ndarray:
    tags = {"PhotometricInterpretation": photometric, "SamplesPerPixel": 3, "PlanarConfiguration": 0}
    return read_image(compressed(frame, JPEGBaseline8Bit, **tags)).astype(int)


@pytest.mark.parametrize("photometric", ["RGB", "YBR_FULL", "YBR_FULL_422"])
def test_what_a_jpeg_says_of_its_colours_counts_more_than_the_header(photometric: str) -> None:
    frame, greys = colour_jpeg(ycbcr=True, tagged=True)
    assert np.abs(in_colour(frame, photometric) - greys).max() <= 3
    if photometric == "RGB":  # which nothing in the stream contradicts
        frame, greys = colour_jpeg(ycbcr=False, tagged=False)
        assert np.abs(in_colour(frame, photometric) - greys).max() <= 3


@pytest.mark.parametrize("photometric", ["YBR_RCT", "YBR_ICT"])
@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, RLELossless])
def test_colours_that_jpeg_2000_alone_has_are_refused_elsewhere(photometric: str, syntax: str) -> None:
    pixels = np.zeros((48, 64, 3), np.uint8)
    dataset = make(pixels, 8, PhotometricInterpretation="RGB", SamplesPerPixel=3, PlanarConfiguration=0)
    if syntax == RLELossless:
        dataset.compress(syntax, generate_instance_uid=False)
    dataset.PhotometricInterpretation = photometric
    assert f"Photometric Interpretation is {photometric}, which JPEG 2000 alone can have" in refusal(dataset)


def several(frames: list[bytes], syntax: str, **options: object) -> Dataset:
    dataset = make(np.zeros((64, 64), np.uint8), 8, PixelData=encapsulate(frames, **options))
    dataset.file_meta.TransferSyntaxUID = syntax
    dataset["PixelData"].is_undefined_length = True
    return dataset


@pytest.mark.slow
@pytest.mark.parametrize("has_bot", [True, False])
def test_several_frames_are_told_although_their_number_is_not_stated(has_bot: bool) -> None:
    rle = struct.pack("<16I", 1, 64, *[0] * 14) + b"\x81\x05" * 32
    films = make(np.zeros((64, 64), np.uint8), 8)
    films.compress(JPEG2000Lossless, generate_instance_uid=False)
    j2k = get_frame(films.PixelData, 0, number_of_frames=1)
    for frame, syntax in ((jpeg(), JPEGBaseline8Bit), (rle, RLELossless), (j2k, JPEG2000Lossless)):
        assert "several images" in refusal(several([frame, frame], syntax, has_bot=has_bot))
        assert read_image(to_bytes(several([frame], syntax, has_bot=has_bot))).shape == (64, 64)
    assert read_image(
        to_bytes(several([jpeg()], JPEGBaseline8Bit, fragments_per_frame=4, has_bot=has_bot))
    ).any()
