"""The report of a film, item by item."""

from dataclasses import replace
from typing import get_args

import numpy as np
import pytest
from dicom_films import with_element
from pacs_films import CR, SOP, STUDY, WHEN, film, noise, parsed, reader, texts

from xlite import __version__
from xlite.findings import FINDINGS
from xlite.guarded import GuardedReader, GuardedReading
from xlite.guards.verdict import Check, Guards, Reason, sentence_of
from xlite.pacs.film_objects import Wanted
from xlite.pacs.outcome import NOTICE, Outcome, Reader
from xlite.pacs.results import ObjectMaker
from xlite.pacs.source import TYPE_2, read_source, to_bytes
from xlite.pacs.structured import meaning_of, structured_report

REFUSED = Guards((Check("not_chest", "probability", 0.9, 0.5),))
NOT_CALIBRATED = (
    "Above the model's threshold of 50.0%. Not calibrated: the probability is a score that ranks films."
)
TURNED = Guards((Check("rotated_90", "probability", 0.9, 0.5),))


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> GuardedReader:
    return reader(tmp_path_factory.mktemp("model"))


def seen(own: GuardedReader, *guards: Guards, fix: bool = False) -> GuardedReading:
    """An answer with probabilities and maps that a test knows: Mass peaks in one cell, Nodule is flat."""
    gate = type(own.gate)(*guards)
    answer = GuardedReader(own.classifier, gate).read(noise(), fix=fix)
    if answer.reading is None:
        return answer
    probabilities = np.full(14, 0.125, np.float32)
    probabilities[FINDINGS.index("Mass")], probabilities[FINDINGS.index("Nodule")] = 0.75, 0.5
    maps = np.zeros((14, 6, 8), np.float32)
    maps[FINDINGS.index("Mass"), 2, 5] = 1
    maps[FINDINGS.index("Nodule")] = 1
    return replace(answer, reading=replace(answer.reading, probabilities=probabilities, maps=maps))


def outcome(
    own: GuardedReader, answer: GuardedReading, wanted: Wanted | None = None, **tags: object
) -> Outcome:
    wanted = wanted or Wanted(maps=2)
    named = Reader.of(own.classifier, own.gate.digest, wanted)
    return Outcome(read_source(film(**tags)), answer, named, wanted, WHEN)


@pytest.mark.slow
def test_the_report_says_all_of_the_film_in_its_own_study(own: GuardedReader) -> None:
    tags = {"PatientName": "Muster^Anna", "PatientID": "0042", "AccessionNumber": "A/17", "PatientSex": "F"}
    report = parsed(to_bytes(structured_report(outcome(own, seen(own), **tags))))
    identity = {keyword: str(report[keyword].value or "") for keyword in TYPE_2}
    assert identity == dict.fromkeys(TYPE_2, "") | tags
    assert (report.SOPClassUID, report.StudyInstanceUID) == ("1.2.840.10008.5.1.4.1.1.88.33", STUDY)
    flags = (report.CompletionFlag, report.PreliminaryFlag, report.VerificationFlag)
    assert flags == ("COMPLETE", "PRELIMINARY", "UNVERIFIED")
    times = ("ContentDate", "ContentTime", "SeriesDate", "SeriesTime", "InstanceCreationDate")
    assert [report[name].value for name in times] == ["20260304", "050607", "20260304", "050607", "20260304"]
    assert (report.Manufacturer, report.ManufacturerModelName) == ("X-Lite", "one")
    assert report.ContentTemplateSequence[0].TemplateIdentifier == "1500"
    [evidence] = report.CurrentRequestedProcedureEvidenceSequence
    [series] = evidence.ReferencedSeriesSequence
    [image] = series.ReferencedSOPSequence
    assert (evidence.StudyInstanceUID, image.ReferencedSOPInstanceUID) == (STUDY, SOP)


@pytest.mark.slow
def test_each_finding_has_its_group_and_the_guards_the_first(own: GuardedReader) -> None:
    made = outcome(own, seen(own))
    items = list(texts(structured_report(made)))
    starts = [place for place, (_, name, _) in enumerate(items) if name == "Measurement Group"]
    groups = [items[start + 1 : end] for start, end in zip(starts, [*starts[1:], None], strict=True)]
    assert [group[2][2].split(" ", 2)[2] for group in groups[:4]] == [
        *("What the picture is", "Lung mass", "Nodule of lung", "Atelectasis"),
    ]
    assert len(groups) == 1 + len(FINDINGS)
    digest = own.classifier.digest
    box = made.box("Mass").ravel()
    assert box.tolist() == [40, 16, 48, 16, 48, 24, 40, 24, 40, 16]
    assert groups[1] == [
        (3, "Tracking Identifier", "X-Lite Mass"),
        (3, "Tracking Unique Identifier", made.uid("tracking", "Mass")),
        (3, "Finding", "309529002 SCT Lung mass"),
        (3, "Algorithm Name", "X-Lite one"),
        (3, "Algorithm Version", __version__),
        (3, "Algorithm Manufacturer", "X-Lite"),
        (3, "Algorithm Parameters", f"SHA-256 of the model file: {digest}"),
        (3, "Probability", "75 %"),
        (3, "Threshold of the model", "50 %"),
        (3, "Side of the threshold", "above 99XLITE At or above the threshold"),
        (3, "Image Region", "POLYLINE 40 16 48 16 48 24 40 24 40 16"),
        (4, "Source", f"{CR} {SOP}"),
        (
            3,
            "Comment",
            f"{NOT_CALIBRATED} One cell of this map is 2.1% of the film, and half of the boxes that "
            "radiologists drew for mass are below 1.5%: the map shows surroundings only. The region is where "
            "the map is at least half as high as at its peak.",
        ),
    ]
    assert [name for _, name, _ in groups[2]].count("Image Region") == 0
    assert groups[2][-2:] == [
        (3, "Source of Measurement", f"{CR} {SOP}"),
        (
            3,
            "Comment",
            f"{NOT_CALIBRATED} Not painted: the map of nodule is flat: every place in the film raises the "
            "score alike.",
        ),
    ]
    assert groups[0][-3:] == [
        (3, "Verdict of the guards", "pass 99XLITE Pass: read"),
        (3, "Source of Measurement", f"{CR} {SOP}"),
        (
            3,
            "Comment",
            "Research, not for clinical use. The guards found nothing to say: a frontal chest film, the "
            "right way up.",
        ),
    ]
    about = own.classifier.about
    assert items[-1] == (2, "Comment", f"{NOTICE} {about} Its file has the SHA-256 {digest}.")


def test_a_refused_film_has_a_report_without_probabilities_and_no_map(own: GuardedReader) -> None:
    maker = ObjectMaker(own, Wanted())
    [report] = maker.of(read_source(film()), seen(own, REFUSED), WHEN)
    items = list(texts(report))
    names = [name for _, name, _ in items]
    assert "Probability" not in names and names.count("Measurement Group") == 1
    assert (3, "Verdict of the guards", "refuse 99XLITE Refuse: not read") in items
    assert (3, "Reason of the guards", "not_chest 99XLITE This does not look like a chest X-ray") in items
    [said] = [text for depth, name, text in items if (depth, name) == (3, "Comment")]
    assert said == (
        "Research, not for clinical use. Refused. This does not look like a chest X-ray (probability of "
        "another picture 0.9, the limit is 0.5). It was not read: no probabilities are given for it."
    )


def test_a_reason_that_is_longer_than_a_meaning_may_be_is_its_first_clause() -> None:
    meanings = {reason: meaning_of(sentence_of(reason)) for reason in get_args(Reason)}
    assert max(map(len, meanings.values())) <= 64
    assert meanings["lateral"] == "This looks like a lateral film"
    assert meanings["child"] == "This looks like a film of a child"
    assert meanings["mirrored"] == "The film may be mirrored (or dextrocardia); it is read as it is"


def test_a_film_that_was_turned_has_its_region_where_it_lies_in_the_file(own: GuardedReader) -> None:
    answer = seen(own, TURNED, fix=True)
    assert answer.film.shape == (64, 48) and answer.undone == ("rotated_90",)
    # The map's cell (2, 5) of 6 x 8 is 21.3 to 32 px down and 30 to 36 across in the film as it was read.
    box = outcome(own, answer).box("Mass")
    assert box.min(0).tolist() == pytest.approx([64 - 32, 30], abs=1)
    assert box.max(0).tolist() == pytest.approx([64 - 21.3, 36], abs=1)


@pytest.mark.slow
def test_a_number_that_is_longer_than_it_may_be_is_kept_as_it_is(own: GuardedReader) -> None:
    """A warning of pydicom would be an error here; it says the number."""
    data = with_element(film(), "AccessionNumber", "SH", b"A" * 40)
    source = read_source(data)
    maker = ObjectMaker(own, Wanted(2))
    objects = [to_bytes(one) for one in maker.of(source, seen(own), WHEN)]
    assert [one.count(b"A" * 40) for one in objects] == [1] * len(objects) and len(objects) > 1


@pytest.mark.slow
def test_another_kind_of_report_and_another_number_of_maps_are_other_objects(own: GuardedReader) -> None:
    answer = seen(own)
    kinds = [Wanted(2), Wanted(2), Wanted(2, three_d=True), Wanted(3), Wanted(2, fix=True)]
    reports = [structured_report(outcome(own, answer, wanted)) for wanted in kinds]
    assert to_bytes(reports[0]) == to_bytes(reports[1])
    assert len({one.SOPInstanceUID for one in reports}) == 4
    assert [one.SOPClassUID[-2:] for one in reports] == ["33", "33", "34", "33", "33"]


@pytest.mark.slow
def test_what_is_said_can_be_written_whatever_the_film_is_called_in(own: GuardedReader) -> None:
    report = structured_report(
        outcome(own, seen(own, TURNED), SpecificCharacterSet="ISO_IR 100", PatientName="Ä^Ö")
    )
    again = parsed(to_bytes(report))
    assert (again.SpecificCharacterSet, str(again.PatientName)) == ("ISO_IR 192", "Ä^Ö")
    assert any("90°" in text for _, _, text in texts(again))
