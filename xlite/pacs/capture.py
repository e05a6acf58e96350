"""A map over the film as a Secondary Capture image, which every viewer shows; what it is stands on it."""

import cv2
import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian, SecondaryCaptureImageStorage

from xlite import __version__
from xlite.findings import spoken
from xlite.pacs.codes import SOURCE_IMAGE
from xlite.pacs.common import CAPTURE_SERIES, stamp
from xlite.pacs.outcome import SHORT_NOTICE, Outcome
from xlite.pacs.source import MANUFACTURER
from xlite.report.reading_sentences import map_sentence
from xlite.text import percent

_MARGIN = 0.006  # around the text below the film, as a share of the width
_BOX = "Box: the size of one cell of the map, not a place"
_FONT = cv2.FONT_HERSHEY_SIMPLEX
_LONGEST = 1024  # signs of a derivation description (VR ST)


def captures(outcome: Outcome) -> list[Dataset]:
    """An image for each map that shows a place, likeliest finding first; none of a film that is refused."""
    reading = outcome.answer.reading
    if reading is None:
        return []
    film, small = reading.shrunk(outcome.answer.film)
    return [
        _image(outcome, finding, number, lettered(small.overlay(film, finding), _lines(outcome, finding)))
        for number, finding in enumerate(outcome.mapped, 1)
    ]


def _lines(outcome: Outcome, finding: str) -> tuple[str, ...]:
    reading = outcome.answer.reading
    share = percent(reading.probability(finding)) if reading else ""
    return (
        f"X-Lite {outcome.reader.model} ({outcome.reader.digest[:8]}): {spoken(finding)} {share}",
        _BOX,
        SHORT_NOTICE.upper(),
    )


def lettered(image: np.ndarray, lines: tuple[str, ...]) -> np.ndarray:
    """The picture RGB uint8 (H, W, 3) with lines of white text on black below it, as wide as it is."""
    width = image.shape[1]
    space = max(2, round(width * _MARGIN))
    longest = max(lines, key=len)
    (at_one, high), below = cv2.getTextSize(longest, _FONT, 1, 1)
    scale = min(1.0, (width - 2 * space) / at_one, width / 1000)
    row = max(4, round((high + below) * scale)) + 2 * space
    strip = np.zeros((row * len(lines), width, 3), np.uint8)
    for number, line in enumerate(lines):
        place = (space, row * (number + 1) - space - round(below * scale))
        cv2.putText(strip, _plain(line), place, _FONT, scale, (255, 255, 255), 1, cv2.LINE_AA)
    return np.concatenate([image, strip])


def _plain(line: str) -> str:
    """The line as the font can draw it."""
    return line.encode("ascii", "replace").decode()


def _image(outcome: Outcome, finding: str, number: int, pixels: np.ndarray) -> Dataset:
    uid = outcome.uid("SC", finding)
    image = Dataset()
    image.file_meta = FileMetaDataset()
    image.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    image.file_meta.MediaStorageSOPClassUID = SecondaryCaptureImageStorage
    image.file_meta.MediaStorageSOPInstanceUID = UID(uid)
    image.SpecificCharacterSet = "ISO_IR 192"
    image.SOPClassUID, image.SOPInstanceUID = SecondaryCaptureImageStorage, uid
    image.StudyInstanceUID = outcome.source.study
    image.SeriesInstanceUID = outcome.uid("SC", "series")
    image.SeriesNumber, image.InstanceNumber = CAPTURE_SERIES, number
    image.Modality = "OT"
    image.Manufacturer = MANUFACTURER
    image.ManufacturerModelName = outcome.reader.model[:64]
    image.DeviceSerialNumber = outcome.reader.digest
    image.SoftwareVersions = __version__
    image.SeriesDescription = f"X-Lite maps: {SHORT_NOTICE.lower()}"
    image.ConversionType = "WSD"
    image.ImageType = ["DERIVED", "SECONDARY", "OTHER"]
    image.PatientOrientation = ""
    image.BodyPartExamined = "CHEST"
    image.DerivationDescription = _derived(outcome, finding)
    image.ImageComments = SHORT_NOTICE
    image.SourceImageSequence = [_reference(outcome)]
    _set_pixels(image, pixels)
    stamp(image, outcome)
    image.DateOfSecondaryCapture, image.TimeOfSecondaryCapture = image.ContentDate, image.ContentTime
    return image


def _derived(outcome: Outcome, finding: str) -> str:
    """What the picture is, in words: what its colours mean, and what was done to the film before."""
    reading = outcome.answer.reading
    assert reading is not None
    legend = "" if reading.fault(finding) else reading.legend()
    said = [f"Map of {spoken(finding).lower()}.", legend, map_sentence(reading, finding) or ""]
    if outcome.answer.undone:
        said += outcome.guard_sentences()
    return " ".join(filter(None, said))[:_LONGEST]


def _reference(outcome: Outcome) -> Dataset:
    film, purpose = Dataset(), Dataset()
    film.ReferencedSOPClassUID, film.ReferencedSOPInstanceUID = outcome.source.sop_class, outcome.source.sop
    purpose.CodeValue, purpose.CodingSchemeDesignator, purpose.CodeMeaning = SOURCE_IMAGE
    film.PurposeOfReferenceCodeSequence = [purpose]
    return film


def _set_pixels(image: Dataset, pixels: np.ndarray) -> None:
    """RGB uint8 (H, W, 3), uncompressed, with an even number of bytes."""
    image.SamplesPerPixel, image.PhotometricInterpretation, image.PlanarConfiguration = 3, "RGB", 0
    image.Rows, image.Columns = pixels.shape[:2]
    image.BitsAllocated, image.BitsStored, image.HighBit, image.PixelRepresentation = 8, 8, 7, 0
    data = pixels.tobytes()
    image.PixelData = data + b"\0" * (len(data) % 2)
    image["PixelData"].VR = "OB"
