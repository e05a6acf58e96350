"""Every film is read as uint8 (H, W), upright, with its own greys, or refused in a sentence."""

import io
import struct
import warnings
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from PIL import Image

from xlite.errors import ImageError
from xlite.formats import FORMATS
from xlite.images import Preprocess, check_contrast, has_contrast, is_image_name, read_image

FILM = np.random.default_rng(0).integers(0, 256, (48, 64), np.uint8)
FILM[0, :2] = 0, 255
SMOOTH = np.add.outer(np.arange(48), np.arange(64)).astype(np.uint8) * 2
DAMAGED = "PNG is damaged"


def encode(image: Image.Image | np.ndarray, file_format: str = "PNG", **options: object) -> bytes:
    buffer = io.BytesIO()
    picture = image if isinstance(image, Image.Image) else Image.fromarray(image)
    picture.save(buffer, file_format, **options)
    return buffer.getvalue()


def encode16(image: np.ndarray) -> bytes:
    return cv2.imencode(".png", image)[1].tobytes()


def refusal(source: bytes | Path) -> str:
    with pytest.raises(ImageError) as caught:
        read_image(source)
    return str(caught.value)


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png_of_size(width: int, height: int) -> bytes:
    """A PNG of a few bytes whose header states a size."""
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")


def jpeg_of_size(width: int, height: int) -> bytes:
    """A JPEG cut off behind a frame header that states a size."""
    frame = struct.pack(">HHBHHB3B", 0xFFC0, 11, 8, height, width, 1, 1, 0x11, 0)
    return b"\xff\xd8" + frame + struct.pack(">HHB2BBBB", 0xFFDA, 8, 1, 1, 0, 0, 63, 0)


def with_alpha(mode: str) -> Image.Image:
    """The film, half of it transparent."""
    alpha = np.zeros_like(FILM)
    alpha[:, :32] = 255
    picture = Image.fromarray(FILM).convert(mode)
    picture.putalpha(Image.fromarray(alpha))
    return picture


def palette() -> Image.Image:
    """The film as palette indices that run against the greys."""
    picture = Image.fromarray(255 - FILM).convert("P")
    picture.putdata((255 - FILM).ravel().tolist())
    picture.putpalette([grey for index in range(256) for grey in [255 - index] * 3])
    return picture


LEFT_HALF = np.where(np.arange(64) < 32, FILM, 0).astype(np.uint8)
SAME = {
    "grey": encode(FILM),
    "RGB": encode(Image.fromarray(FILM).convert("RGB")),
    "opaque RGBA": encode(Image.fromarray(FILM).convert("RGBA")),
    "opaque LA": encode(Image.fromarray(FILM).convert("LA")),
    "palette": encode(palette()),
    "written by OpenCV": cv2.imencode(".png", FILM)[1].tobytes(),
    "16 bits, full range": encode16(FILM.astype(np.uint16) * 257),
    "16 bits that hold 8": encode16(FILM.astype(np.uint16)),
    "16 bits a channel, RGB": encode16(cv2.merge([FILM.astype(np.uint16) * 257] * 3)),
    "16 bits a channel, opaque RGBA": encode16(
        cv2.merge([*[FILM.astype(np.uint16) * 257] * 3, np.full(FILM.shape, 65535, np.uint16)])
    ),
}


@pytest.mark.parametrize("data", SAME.values(), ids=SAME)
def test_all_ways_to_store_a_film_give_the_same_film(data: bytes) -> None:
    image = read_image(data)
    assert image.dtype == np.uint8
    np.testing.assert_array_equal(image, FILM)


@pytest.mark.parametrize("bits", [9, 10, 12, 14, 15])
def test_bits_that_a_16_bit_png_leaves_empty_do_not_darken_it(bits: int) -> None:
    stored = np.rint(FILM / 255 * (2**bits - 1)).astype(np.uint16)
    np.testing.assert_array_equal(read_image(encode16(stored)), FILM)


def test_a_tall_16_bit_png_is_read_to_its_last_row() -> None:
    film = np.tile(FILM, (20, 1))
    np.testing.assert_array_equal(read_image(encode16(film.astype(np.uint16) * 257)), film)


def test_transparent_pixels_become_black() -> None:
    np.testing.assert_array_equal(read_image(encode(with_alpha("RGB"))), LEFT_HALF)
    np.testing.assert_array_equal(read_image(encode(with_alpha("L"))), LEFT_HALF)
    alpha = np.where(np.arange(64) < 32, 65535, 0).astype(np.uint16) * np.ones(FILM.shape, np.uint16)
    deep = cv2.merge([*[FILM.astype(np.uint16) * 257] * 3, alpha])
    np.testing.assert_array_equal(read_image(encode16(deep)), LEFT_HALF)
    keyed = np.where(FILM == 200, 0, FILM)
    np.testing.assert_array_equal(read_image(encode(FILM, transparency=200)), keyed)


def test_one_bit_is_black_and_white() -> None:
    np.testing.assert_array_equal(
        read_image(encode(Image.fromarray(FILM > 127))), np.where(FILM > 127, 255, 0)
    )


def test_colours_are_weighted_as_the_eye_does() -> None:
    for colour, grey in (((255, 0, 0), 76), ((0, 255, 0), 150), ((0, 0, 255), 29)):
        film = read_image(encode(Image.new("RGB", (40, 40), colour)))
        np.testing.assert_array_equal(film, np.full((40, 40), grey))
        deep = np.full((40, 40, 3), [257 * value for value in reversed(colour)], np.uint16)
        np.testing.assert_array_equal(read_image(encode16(deep)), film)


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
def test_jpegs_of_every_colour_mode_are_read(mode: str) -> None:
    data = encode(Image.fromarray(SMOOTH).convert(mode), "JPEG", quality=95)
    assert np.abs(read_image(data).astype(int) - SMOOTH).max() <= 6


def test_jpeg_and_opencv_agree_to_the_bit() -> None:
    data = encode(SMOOTH, "JPEG", quality=80)
    opencv = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    np.testing.assert_array_equal(read_image(data), opencv)


def with_chunk(kind: bytes, body: bytes) -> bytes:
    """The film as PNG with one more chunk after its header."""
    data = encode(FILM)
    return data[:33] + chunk(kind, body) + data[33:]


def interlaced(film: np.ndarray) -> bytes:
    """The film as PNG in the seven passes of Adam7."""
    header = struct.pack(">IIBBBBB", film.shape[1], film.shape[0], 8, 0, 0, 0, 1)
    passes = [
        (0, 0, 8, 8),
        (0, 4, 8, 8),
        (4, 0, 8, 4),
        (0, 2, 4, 4),
        (2, 0, 4, 2),
        (0, 1, 2, 2),
        (1, 0, 2, 1),
    ]
    rows = [b"\0" + row.tobytes() for top, left, down, over in passes for row in film[top::down, left::over]]
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"".join(rows))) + chunk(b"IEND", b"")
    return encode(film)[:8] + body


PLAIN = {
    "smooth, so that rows are filtered": encode(SMOOTH),
    "not compressed": encode(FILM, compress_level=0),
    "of one level": encode(np.full_like(FILM, 7)),
    "with a date": with_chunk(b"tIME", bytes([7, 224, 9, 19, 19, 35, 52])),
    "with a resolution": encode(FILM, dpi=(150, 150)),
    "with a gamma": with_chunk(b"gAMA", struct.pack(">I", 220_000)),
    "with a text": with_chunk(b"tEXt", b"Software\0scanner"),
    "with a background": with_chunk(b"bKGD", b"\0\x07"),
    "interlaced": interlaced(FILM),
    "with bytes behind its end": encode(FILM) + b"more",
    "of many data chunks": cv2.imencode(".png", np.tile(FILM, (20, 20)))[1].tobytes(),
}


@pytest.mark.parametrize("data", PLAIN.values(), ids=PLAIN)
def test_pillow_and_opencv_agree_on_every_grey_png(data: bytes, capfd: pytest.CaptureFixture[str]) -> None:
    """Either may read a film, so both must give the same pixels."""
    with Image.open(io.BytesIO(data)) as pillow:
        np.testing.assert_array_equal(read_image(data), np.array(pillow))
    opencv = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    np.testing.assert_array_equal(read_image(data), opencv)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("bits", [1, 2, 4])
def test_few_bits_are_spread_over_the_whole_range(bits: int) -> None:
    levels = FILM >> (8 - bits)
    packed = np.packbits(np.unpackbits(levels[..., None], axis=2)[..., 8 - bits :].reshape(48, -1), axis=1)
    rows = np.hstack([np.zeros((48, 1), np.uint8), packed]).tobytes()
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 64, 48, bits, 0, 0, 0, 0))
    data = encode(FILM)[:8] + header + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    np.testing.assert_array_equal(read_image(data), levels * (255 // (2**bits - 1)))


TURNED = {
    1: FILM,
    2: FILM[:, ::-1],
    3: FILM[::-1, ::-1],
    4: FILM[::-1],
    5: FILM.T,
    6: FILM.T[::-1],
    7: FILM.T[::-1, ::-1],
    8: FILM.T[:, ::-1],
}


@pytest.mark.parametrize("orientation", TURNED)
def test_photos_are_turned_upright_by_their_exif_tag(orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = np.ascontiguousarray(TURNED[orientation])
    np.testing.assert_array_equal(read_image(encode(stored, exif=exif)), FILM)
    np.testing.assert_array_equal(
        read_image(encode(Image.fromarray(stored).convert("RGBA"), exif=exif)), FILM
    )
    deep = Image.fromarray(stored.astype(np.uint16) * 257)
    np.testing.assert_array_equal(read_image(encode(deep, exif=exif)), FILM)
    photo = encode(stored, "JPEG", quality=100, subsampling=0, exif=exif)
    assert np.abs(read_image(photo).astype(int) - FILM).max() <= 4


def test_the_content_decides_and_not_the_suffix(tmp_path: Path) -> None:
    (tmp_path / "photo.png").write_bytes(encode(SMOOTH, "JPEG", quality=95))
    (tmp_path / "film.dcm").write_bytes(encode(FILM))
    (tmp_path / "no_suffix").write_bytes(encode(FILM))
    assert np.abs(read_image(tmp_path / "photo.png").astype(int) - SMOOTH).max() <= 3
    np.testing.assert_array_equal(read_image(tmp_path / "film.dcm"), FILM)
    np.testing.assert_array_equal(read_image(str(tmp_path / "no_suffix")), FILM)


@pytest.mark.parametrize(
    "content", [b"hello", b"<html></html>", encode(FILM, "GIF"), b"%PDF-1.7" * 50, bytes(500)]
)
def test_what_is_no_film_is_said_so_with_its_path(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "film.png"
    path.write_bytes(content)
    assert f"not a {FORMATS} image" in refusal(content)
    assert refusal(path) == f"{path}: {refusal(content)}"


def test_files_that_cannot_be_read_are_said_so(tmp_path: Path) -> None:
    assert refusal(tmp_path / "none.png").startswith(f"{tmp_path}/none.png: there is no such file")
    assert refusal(tmp_path).startswith(f"{tmp_path}: this is not a file")
    assert "empty" in refusal(b"")
    huge = tmp_path / "huge.png"
    with open(huge, "wb") as file:
        file.truncate(2**40)
    message = refusal(huge)
    assert message.startswith(f"{huge}: ") and "512 MB" in message


@pytest.mark.parametrize(("width", "height"), [(1, 1), (31, 500), (500, 31)])
def test_films_too_small_to_be_films_are_refused(width: int, height: int) -> None:
    message = refusal(encode(np.zeros((height, width), np.uint8)))
    assert f"{width} x {height} pixels" in message and "at least 32" in message


@pytest.mark.parametrize("of_size", [png_of_size, jpeg_of_size])
def test_huge_films_are_refused_by_their_header(of_size) -> None:
    """The files have 100 bytes: whoever decodes before looking gets another error, or no memory."""
    with warnings.catch_warnings(action="error"):  # Pillow has one of its own, on stderr
        for width, height in ((8_001, 8_000), (10_000, 10_000), (12_000, 10_000), (30_000, 30_000)):
            message = refusal(of_size(width, height))
            assert f"{width:,} x {height:,} pixels" in message and "64 million" in message


@pytest.mark.slow
def test_a_film_of_a_large_scanner_is_read() -> None:
    """35 x 43 cm at 50 um: 61 megapixels."""
    film = np.tile(FILM, (180, 110))[:8600, :7000]
    np.testing.assert_array_equal(read_image(encode(film, compress_level=1)), film)


@pytest.mark.parametrize("deep", [False, True])
@pytest.mark.parametrize("share", [0.3, 0.6, 0.9, 0.99])
def test_cut_and_altered_pngs_are_refused_without_a_word_on_stderr(
    share: float, deep: bool, capfd: pytest.CaptureFixture[str]
) -> None:
    data = encode16(FILM.astype(np.uint16) * 257) if deep else encode(FILM)
    place = int(len(data) * share)
    assert DAMAGED in refusal(data[:place])
    # A stored block: what is altered there still unpacks, and only the checksum tells.
    data = encode(FILM, compress_level=0)
    altered = data[:1000] + bytes([data[1000] ^ 1]) + data[1001:]
    assert DAMAGED in refusal(altered)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_cut_jpegs_are_refused_and_never_half_grey(share: float, progressive: bool) -> None:
    data = encode(FILM, "JPEG", progressive=progressive)
    assert "JPEG is damaged" in refusal(data[: int(len(data) * share)])


SEEDS = [
    encode(FILM),
    encode(palette()),
    encode(with_alpha("RGB"), exif=Image.Exif().tobytes()),
    encode16(FILM.astype(np.uint16) * 257),
    encode(SMOOTH, "JPEG"),
    encode(Image.fromarray(FILM).convert("RGB"), "JPEG", progressive=True),
]


@given(
    seed=st.sampled_from(SEEDS),
    cut=st.floats(0, 1),
    changes=st.lists(st.tuples(st.floats(0, 0.999), st.integers(0, 255)), max_size=4),
)
@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_altered_files_give_a_film_or_a_sentence(
    seed: bytes, cut: float, changes: list[tuple[float, int]]
) -> None:
    data = bytearray(seed)
    for place, value in changes:
        data[int(place * len(data))] = value
    try:
        image = read_image(bytes(data[: round(cut * len(data))]))
    except ImageError:
        return
    assert image.dtype == np.uint8 and image.ndim == 2 and min(image.shape) >= 32


@given(st.binary(max_size=300), st.sampled_from([b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"]))
@example(b"\xe0\x00\x02\xff\xd9", b"\xff\xd8\xff")
@settings(max_examples=150, deadline=None)
def test_random_bytes_give_a_sentence(data: bytes, signature: bytes) -> None:
    refusal(signature + data)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.png", True),
        ("A.PNG", True),
        ("b.JPeG", True),
        ("c.jpg", True),
        ("d.dcm", True),
        ("e.txt", False),
        ("png", False),
        ("f.png.zip", False),
    ],
)
def test_names_of_films(name: str, expected: bool) -> None:
    assert is_image_name(name) is expected


def with_letter(grey: int) -> np.ndarray:
    """A blank film of one grey with a side marker."""
    film = np.full((512, 640), grey, np.uint8)
    cv2.putText(film, "L", (20, 90), cv2.FONT_HERSHEY_SIMPLEX, 3, 255 - grey, 12)
    return film


def noisy(grey: int, spread: int, side: int) -> np.ndarray:
    """A blank film of one grey but for noise of +- `spread` levels."""
    noise = np.random.default_rng(0).integers(-spread, spread + 1, (side, side))
    return np.clip(grey + noise, 0, 255).astype(np.uint8)


BLANK = {
    "black": np.zeros((64, 64), np.uint8),
    "white": np.full((300, 400), 255, np.uint8),
    "grey": np.full((32, 2000), 128, np.uint8),
    "small with noise": noisy(128, 5, 64),
    "with noise": noisy(100, 10, 256),
    "black with noise": noisy(0, 5, 512),
    "white with noise": noisy(255, 5, 1024),
    "hot pixels": np.where(np.random.default_rng(1).random((512, 512)) < 0.005, 255, 0).astype(np.uint8),
    "with a letter": with_letter(0),
    "white with a letter": with_letter(255),
    "with a frame": np.pad(np.zeros((1000, 1000), np.uint8), 2, constant_values=255),
}


@pytest.mark.parametrize("film", BLANK.values(), ids=BLANK)
def test_a_film_that_shows_nothing_has_no_contrast(film: np.ndarray) -> None:
    assert not has_contrast(film)
    with pytest.raises(ImageError, match="the film shows nothing"):
        check_contrast(film)


@pytest.mark.parametrize("film", [SMOOTH, FILM, 100 + SMOOTH // 8, np.tri(300, dtype=np.uint8) * 30])
def test_a_film_that_shows_something_has_contrast(film: np.ndarray) -> None:
    assert has_contrast(film)
    check_contrast(film)


@pytest.mark.release
@pytest.mark.slow
def test_no_real_film_is_without_contrast(shared_data: Path) -> None:
    """Films of NIH, of other hospitals and of intensive care, slices, lateral films."""
    films = [*shared_data.glob("nih_all/images/*"), *shared_data.glob("films_of_other_kinds/*/*")]
    assert len(films) > 2_883 and [path.name for path in films if not has_contrast(read_image(path))] == []


def test_resize_squashes_and_averages() -> None:
    stripes = np.tile(np.array([0, 0, 0, 200], np.uint8), (64, 32))
    np.testing.assert_array_equal(Preprocess(32).resize(stripes), np.full((32, 32), 50))
    np.testing.assert_array_equal(
        Preprocess(96).resize(SMOOTH), cv2.resize(SMOOTH, (96, 96), interpolation=cv2.INTER_LINEAR)
    )
    assert Preprocess(224).resize(FILM).shape == (224, 224)


def test_normalize_scales_by_mean_and_deviation_of_each_channel() -> None:
    preprocess = Preprocess(32, mean=(0.5, 0.25, 0.0), std=(0.5, 0.25, 1.0))
    x = preprocess(np.full((64, 64), 255, np.uint8))
    assert (x.shape, x.dtype) == ((3, 32, 32), np.float32)
    np.testing.assert_allclose(
        x, np.broadcast_to(np.float32([1, 3, 1])[:, None, None], (3, 32, 32)), rtol=1e-6
    )
    imagenet = Preprocess(32)(np.zeros((64, 64), np.uint8))
    np.testing.assert_allclose(imagenet[:, 0, 0], [-2.11790393, -2.03571429, -1.80444444], rtol=1e-6)


def test_real_uploads_are_read_whole(shared_data: Path) -> None:
    films = sorted((shared_data / "uploads").glob("*.png"))
    assert len(films) == 10
    for path in films:
        film = read_image(path)
        np.testing.assert_array_equal(film, cv2.imread(str(path), cv2.IMREAD_UNCHANGED))
        assert film.shape == (1024, 1024)
