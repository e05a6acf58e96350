"""Maps as Secondary Capture images: what a viewer shows."""

from pathlib import Path

import numpy as np
import pytest
from pacs_films import CR, SOP, STUDY, WHEN, film, noise, parsed, reader

from xlite.findings import spoken
from xlite.guards.verdict import Check, Guards
from xlite.pacs.capture import captures, lettered
from xlite.pacs.film_objects import Wanted
from xlite.pacs.outcome import Outcome, Reader
from xlite.pacs.source import read_source, to_bytes


@pytest.mark.slow
def test_each_map_is_an_image_of_the_film_s_study_that_says_what_it_is(tmp_path: Path) -> None:
    own = reader(tmp_path)
    answer = own.read(noise(shape=(300, 400)))
    wanted = Wanted(maps=14)
    named = Reader.of(own.classifier, own.gate.digest, wanted)
    made = Outcome(read_source(film(PatientName="Muster^Anna")), answer, named, wanted, WHEN)
    reading = answer.reading
    assert reading is not None
    shown = [finding for finding, _ in reading.top(14) if reading.fault(finding) is None]
    assert made.mapped == shown and len(shown) > 1
    images = [parsed(to_bytes(one)) for one in captures(made)]
    assert [one.InstanceNumber for one in images] == list(range(1, len(shown) + 1))
    assert {(one.StudyInstanceUID, one.SeriesNumber, str(one.PatientName)) for one in images} == {
        (STUDY, 9102, "Muster^Anna")
    }
    assert len({one.SOPInstanceUID for one in images}) == len(shown)
    assert len({one.SeriesInstanceUID for one in images}) == 1
    first = images[0]
    assert (first.SOPClassUID, first.Modality, first.ConversionType) == (
        *("1.2.840.10008.5.1.4.1.1.7", "OT", "WSD"),
    )
    assert first.ImageComments == "Research, not for clinical use"
    assert first.DerivationDescription.startswith(f"Map of {spoken(shown[0]).lower()}. Colour shows")
    [source] = first.SourceImageSequence
    assert (source.ReferencedSOPClassUID, source.ReferencedSOPInstanceUID) == (CR, SOP)
    assert (first.Columns, first.PhotometricInterpretation) == (400, "RGB")
    drawn = reading.overlay(answer.film, shown[0])
    lines = (
        f"X-Lite {named.model} ({named.digest[:8]}): {spoken(shown[0])} {reading.probability(shown[0]):.1%}",
        "Box: the size of one cell of the map, not a place",
        "RESEARCH, NOT FOR CLINICAL USE",
    )
    np.testing.assert_array_equal(first.pixel_array, lettered(drawn, lines))


def test_words_stand_below_the_picture_and_cover_none_of_it() -> None:
    picture = np.full((30, 200, 3), 90, np.uint8)
    found = lettered(picture, ("X-Lite: Mass 75.0%", "RESEARCH"))
    np.testing.assert_array_equal(found[:30], picture)
    strips = np.array_split(found[30:], 2)
    assert found.shape[1] == 200 and all(strip.max() > 100 and strip.min() == 0 for strip in strips)
    wide = lettered(picture, ("a name that is far too long for a picture of this width" * 3,))
    assert wide.shape[1] == 200 and not wide[30:, -1].any()


def test_a_refused_film_has_none(tmp_path: Path) -> None:
    own = reader(tmp_path, Guards((Check("blank", "contrast", 1, 10, below=True),)))
    named = Reader.of(own.classifier, own.gate.digest, Wanted())
    answer = own.read(noise())
    assert captures(Outcome(read_source(film()), answer, named, Wanted(), WHEN)) == []
