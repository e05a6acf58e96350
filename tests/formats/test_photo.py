"""JPEGs of every kind are read as Pillow reads them, and refused if a part is missing."""

import io
import re

import numpy as np
import pytest
from hostile_films import jpegs
from hostile_targets import broken_jpegs
from PIL import Image

from xlite.errors import ImageError
from xlite.formats.photo import read_photo

JPEGS, BROKEN = jpegs(), dict(broken_jpegs())


@pytest.mark.parametrize("data", JPEGS.values(), ids=JPEGS)
def test_every_kind_is_read_as_pillow_does(data: bytes) -> None:
    np.testing.assert_array_equal(read_photo(data), np.array(Image.open(io.BytesIO(data)).convert("L")))


@pytest.mark.parametrize("data", BROKEN.values(), ids=BROKEN)
def test_what_lacks_a_part_is_refused(data: bytes) -> None:
    """Pillow and OpenCV fill what is missing with grey and say nothing."""
    with pytest.raises(
        ImageError, match="JPEG is damaged or incomplete|JPEG is of a kind that cannot be read"
    ):
        read_photo(data)


@pytest.mark.parametrize("kind", JPEGS)
def test_a_cut_anywhere_is_refused_or_changes_nothing(kind: str) -> None:
    """With an end marker behind the cut. The last byte may hold nothing but padding."""
    data = JPEGS[kind]
    film = read_photo(data)
    for at in range(data.index(b"\xff\xda") + 20, len(data) - 2, 13):
        try:
            picture = read_photo(data[:at].rstrip(b"\xff") + b"\xff\xd9")
        except ImageError:
            continue
        np.testing.assert_array_equal(picture, film)


def test_comments_profiles_and_thumbnails_change_nothing() -> None:
    data = JPEGS["colour"]
    more = b"\xff\xfe\0\x06text" + b"\xff\xe2\0\x10ICC_PROFILE\0\1\1"
    np.testing.assert_array_equal(read_photo(data[:2] + more + data[2:]), read_photo(data))


def test_a_scan_may_end_with_a_restart_marker() -> None:
    data = JPEGS["with restart markers"]
    np.testing.assert_array_equal(read_photo(data[:-2] + b"\xff\xd3" + data[-2:]), read_photo(data))


@pytest.mark.parametrize("kind", JPEGS)
def test_fill_bytes_before_markers_change_nothing(kind: str) -> None:
    """Encoders fill a stream up to an even length with one before its end, as DICOM wants it."""
    data = JPEGS[kind]
    begin = data.index(b"\xff\xda")
    marker = rb"\xff(?=[\xc4\xd0-\xda])"
    filled = data[:begin] + re.sub(marker, b"\xff\xff\xff", data[begin:])
    np.testing.assert_array_equal(read_photo(filled), read_photo(data))


def test_several_scans_that_take_too_long_are_refused_before_they_are_decoded() -> None:
    data = JPEGS["progressive"]
    with pytest.raises(ImageError, match=r"56 x 40 pixels in several scans, .* too much time or memory"):
        read_photo(data[:-2] + bytes(24_000_000) + data[-2:])
