"""The process that decodes: it gives what the decoder gives, and ends at its limits."""

import io
import time

import numpy as np
import pytest
from dicom_films import RAMP, make
from PIL import Image
from pydicom.encaps import get_frame
from pydicom.uid import JPEG2000Lossless

from xlite.errors import ImageError
from xlite.formats import codec
from xlite.formats.codec import decode_apart


def jpeg(pixels: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=95)
    return buffer.getvalue()


@pytest.mark.slow
def test_it_gives_the_samples_of_the_frame() -> None:
    dataset = make()
    dataset.compress(JPEG2000Lossless, generate_instance_uid=False)
    frame = get_frame(dataset.PixelData, 0, number_of_frames=1)
    np.testing.assert_array_equal(
        decode_apart("openjpeg", frame, seconds=5, kind="<u2", damaged="it is damaged"), RAMP.ravel()
    )
    assert (
        decode_apart("reduced:1", frame, seconds=5, kind="<u2", damaged="it is damaged").size
        == RAMP.size // 4
    )
    flat = np.full((40, 48), 90, np.uint8)
    np.testing.assert_array_equal(
        decode_apart("libjpeg", jpeg(flat), seconds=5, kind="u1", damaged="it is damaged"),
        np.full(flat.size, 90),
    )


def test_what_is_no_frame_is_an_error_of_the_film() -> None:
    with pytest.raises(ImageError, match="damaged"):
        decode_apart("libjpeg", b"no frame", seconds=5, kind="u1", damaged="it is damaged")


@pytest.mark.slow
def test_memory_and_time_are_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    frame, started = jpeg(np.zeros((6000, 6000), np.uint8)), time.monotonic()
    with pytest.raises(ImageError, match="damaged"):
        decode_apart("libjpeg", frame, seconds=0.2, kind="u1", damaged="it is damaged")
    assert time.monotonic() - started < 5
    monkeypatch.setattr(codec, "MAX_MEMORY", 2**20)
    with pytest.raises(ImageError, match="damaged"):
        decode_apart("libjpeg", frame, seconds=30, kind="u1", damaged="it is damaged")
