"""WebP films, lossy and lossless, and a sentence for what is not a film."""

import io

import numpy as np
import pytest
from PIL import Image

from xlite.errors import ImageError
from xlite.images import read_image

FILM = np.random.default_rng(0).integers(0, 256, (48, 64), np.uint8)
SMOOTH = np.add.outer(np.arange(48), np.arange(64)).astype(np.uint8) * 2


def webp(picture: Image.Image | np.ndarray, **options: object) -> bytes:
    buffer = io.BytesIO()
    picture = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
    picture.save(buffer, "WEBP", **options)
    return buffer.getvalue()


def half_transparent() -> Image.Image:
    picture = Image.fromarray(FILM).convert("RGB")
    picture.putalpha(Image.fromarray(np.where(np.arange(64) < 32, 255, 0 * FILM).astype(np.uint8)))
    return picture


def refusal(data: bytes) -> str:
    with pytest.raises(ImageError) as caught:
        read_image(data)
    return str(caught.value)


@pytest.mark.slow
def test_lossless_films_are_read_to_the_bit_and_lossy_ones_nearly() -> None:
    np.testing.assert_array_equal(read_image(webp(FILM, lossless=True)), FILM)
    assert np.abs(read_image(webp(SMOOTH, quality=95)).astype(int) - SMOOTH).max() <= 6


@pytest.mark.slow
def test_transparent_pixels_become_black() -> None:
    black = np.where(np.arange(64) < 32, FILM, 0)
    np.testing.assert_array_equal(read_image(webp(half_transparent(), lossless=True)), black)
    assert read_image(webp(half_transparent(), quality=90))[:, 36:].max() == 0


def test_a_photo_is_turned_upright_once() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    stored = np.ascontiguousarray(FILM.T[::-1])
    np.testing.assert_array_equal(read_image(webp(stored, lossless=True, exif=exif)), FILM)


def with_size(data: bytes, change: int) -> bytes:
    """The file with another length in its header."""
    return data[:4] + (int.from_bytes(data[4:8], "little") + change).to_bytes(4, "little") + data[8:]


def test_what_is_damaged_or_no_film_is_said_so() -> None:
    whole = webp(FILM, lossless=True)
    assert "it is cut" in refusal(whole[:-7])
    assert "a chunk is cut" in refusal(with_size(whole[:-8], -8))
    assert "it is cut" in refusal(with_size(whole, 10))
    assert "no pixels" in refusal(b"RIFF\x04\0\0\0WEBP")
    assert "at least 32" in refusal(webp(FILM[:8, :8], lossless=True))
    animated = webp(FILM, save_all=True, append_images=[Image.fromarray(SMOOTH)])
    assert "an animation of several images" in refusal(animated)
    extended = bytearray(webp(half_transparent(), quality=90))
    assert extended[12:16] == b"VP8X"
    extended[24] += 1
    assert "different sizes" in refusal(bytes(extended))


def test_large_films_without_loss_are_refused_before_they_are_decoded() -> None:
    packed = (7999 | 7999 << 14).to_bytes(4, "little")
    body = b"VP8L" + (6).to_bytes(4, "little") + b"\x2f" + packed + b"\0"
    data = b"RIFF" + (4 + len(body)).to_bytes(4, "little") + b"WEBP" + body
    assert "takes too much memory" in refusal(data)
