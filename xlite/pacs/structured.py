"""The Structured Report of one film (Comprehensive SR, TID 1500), preliminary and unverified."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from highdicom import sr
from highdicom.coding_schemes import CodingSchemeIdentificationItem
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes

from xlite import __version__
from xlite.findings import FINDINGS, spoken
from xlite.metrics.worth import Worth
from xlite.pacs.codes import (
    CHEST_XRAY,
    COMMENT,
    EVALUATIONS,
    FINDING_TERMS,
    PICTURE,
    PROBABILITY,
    REASON,
    SCHEME,
    SIDE,
    SIDES,
    THRESHOLD,
    VERDICT,
    VERDICTS,
    Term,
)
from xlite.pacs.common import SR_SERIES, stamp
from xlite.pacs.outcome import NOTICE, SHORT_NOTICE, Outcome, reasons_of
from xlite.pacs.source import MANUFACTURER, TYPE_2, Source
from xlite.pacs.uids import derived_uid
from xlite.report.reading_sentences import map_sentence
from xlite.report.worth import worth_sentences

_Group = sr.MeasurementsAndQualitativeEvaluations | sr.PlanarROIMeasurementsAndQualitativeEvaluations
_MOST_OF_A_MEANING = 64
"""So many signs a code's meaning may have."""
_CONTAINS = sr.RelationshipTypeValues.CONTAINS


def structured_report(outcome: Outcome) -> Dataset:
    """What the model and the guards say of the film; of a film that is refused, what the guards say alone."""
    kind = sr.Comprehensive3DSR if outcome.wanted.three_d else sr.ComprehensiveSR
    report = kind(
        evidence=[_evidence(outcome.source)],
        content=_content(outcome),
        series_instance_uid=outcome.uid("SR", "series"),
        series_number=SR_SERIES,
        sop_instance_uid=outcome.uid("SR"),
        instance_number=1,
        manufacturer=MANUFACTURER,
        manufacturer_model_name=outcome.reader.model[:64],
        software_versions=__version__,
        device_serial_number=outcome.reader.digest,
        series_description=f"X-Lite report: {SHORT_NOTICE.lower()}",
        is_complete=True,
        is_final=False,
        specific_character_set="ISO_IR 192",
        coding_schemes=[_own_scheme()],
    )
    stamp(report, outcome)
    for equipment in report.get("ContributingEquipmentSequence", []):
        equipment.ContributionDateTime = outcome.when.strftime("%Y%m%d%H%M%S")
    return report


def _own_scheme() -> CodingSchemeIdentificationItem:
    return CodingSchemeIdentificationItem(
        designator=SCHEME, name="X-Lite", responsible_organization="The X-Lite authors"
    )


def _evidence(source: Source) -> Dataset:
    """The film as highdicom wants it: with all of patient and study, here empty. `stamp` writes who it is."""
    film = Dataset()
    film.SOPClassUID, film.SOPInstanceUID = source.sop_class, source.sop
    film.StudyInstanceUID, film.SeriesInstanceUID = source.study, source.series
    for keyword in TYPE_2:
        setattr(film, keyword, "")
    return film


def _content(outcome: Outcome) -> sr.MeasurementReport:
    observer = sr.DeviceObserverIdentifyingAttributes(
        uid=derived_uid("device", outcome.reader.digest),
        name=f"X-Lite {outcome.reader.model}",
        manufacturer_name=MANUFACTURER,
        model_name=outcome.reader.model,
        serial_number=outcome.reader.digest,
    )
    content = sr.MeasurementReport(
        observation_context=sr.ObservationContext(
            observer_device_context=sr.ObserverContext(codes.DCM.Device, observer)
        ),
        procedure_reported=_concept(CHEST_XRAY),
        imaging_measurements=[_picture(outcome), *_findings(outcome)],
    )
    evaluations = sr.ContainerContentItem(name=_concept(EVALUATIONS), relationship_type=_CONTAINS)
    evaluations.ContentSequence = sr.ContentSequence(
        [_comment([NOTICE, outcome.reader.about, f"Its file has the SHA-256 {outcome.reader.digest}."])]
    )
    content[0].ContentSequence.append(evaluations)
    return content


def _picture(outcome: Outcome) -> _Group:
    """What the guards say of the film, and first of all what the report is not for."""
    codes_of = [_evaluation(VERDICT, VERDICTS[outcome.answer.said.verdict])]
    codes_of += [
        _evaluation(REASON, Term(code, SCHEME, meaning_of(said))) for code, said in reasons_of(outcome.answer)
    ]
    group = sr.MeasurementsAndQualitativeEvaluations(
        tracking_identifier=_tracking(outcome, "Picture"),
        finding_type=_concept(PICTURE),
        algorithm_id=_algorithm(outcome),
        qualitative_evaluations=codes_of,
        source_images=[_source_image(outcome.source)],
    )
    return _with_comment(group, [f"{SHORT_NOTICE}.", *outcome.guard_sentences()])


def meaning_of(sentence: str) -> str:
    """The sentence, or its first clause if it is too long for a code's meaning; the comment has all of it."""
    return sentence if len(sentence) <= _MOST_OF_A_MEANING else sentence.partition(";")[0]


def _findings(outcome: Outcome) -> Iterator[_Group]:
    """A group for each finding, likeliest first; with a region if its map is shown and shows a place."""
    reading = outcome.answer.reading
    if reading is None:
        return
    mapped = outcome.mapped
    asked = [finding for finding, _ in reading.top(outcome.wanted.maps)]
    for finding, _ in reading.top(len(FINDINGS)):
        worth = reading.worth(finding)
        said = worth_sentences(worth)
        if finding in asked and (of_map := map_sentence(reading, finding)):
            said.append(of_map)
        if finding in mapped:
            said.append("The region is where the map is at least half as high as at its peak.")
        yield _with_comment(_group(outcome, worth, finding in mapped), said)


def _group(outcome: Outcome, worth: Worth, has_region: bool) -> _Group:
    measured = [_percent(PROBABILITY, worth.probability)]
    if worth.threshold is not None:
        measured.append(_percent(THRESHOLD, worth.threshold))
    shared: dict[str, Any] = {
        "tracking_identifier": _tracking(outcome, worth.finding),
        "finding_type": _concept(FINDING_TERMS[worth.finding]),
        "algorithm_id": _algorithm(outcome),
        "measurements": measured,
        "qualitative_evaluations": [_evaluation(SIDE, SIDES[worth.side])],
    }
    if not has_region:
        image = _source_image(outcome.source)
        return sr.MeasurementsAndQualitativeEvaluations(**shared, source_images=[image])
    region = sr.ImageRegion(
        graphic_type=sr.GraphicTypeValues.POLYLINE,
        graphic_data=outcome.box(worth.finding),
        source_image=sr.SourceImageForRegion(outcome.source.sop_class, outcome.source.sop),
    )
    return sr.PlanarROIMeasurementsAndQualitativeEvaluations(**shared, referenced_region=region)


def _source_image(source: Source) -> sr.SourceImageForMeasurementGroup:
    return sr.SourceImageForMeasurementGroup(source.sop_class, source.sop)


def _tracking(outcome: Outcome, name: str) -> sr.TrackingIdentifier:
    return sr.TrackingIdentifier(uid=outcome.uid("tracking", name), identifier=f"X-Lite {spoken(name)}")


def _algorithm(outcome: Outcome) -> sr.AlgorithmIdentification:
    return sr.AlgorithmIdentification(
        name=f"X-Lite {outcome.reader.model}",
        version=__version__,
        parameters=[f"SHA-256 of the model file: {outcome.reader.digest}"],
        manufacturer=MANUFACTURER,
    )


def _percent(name: Term, share: float) -> sr.Measurement:
    """A share as per cent with two digits behind the point, more if these would make it none or all."""
    value = round(100 * share, 2)
    exact = value if share in (0, 1) or value not in (0, 100) else float(f"{100 * share:.9g}")
    return sr.Measurement(name=_concept(name), value=exact, unit=codes.UCUM.Percent)


def _evaluation(name: Term, value: Term) -> sr.QualitativeEvaluation:
    return sr.QualitativeEvaluation(_concept(name), _concept(value))


def _with_comment(
    group: _Group,
    sentences: Sequence[str],
) -> _Group:
    """The group with what is said of it in words, which its template allows as a comment."""
    if sentences:
        group[0].ContentSequence.append(_comment(sentences))
    return group


def _comment(sentences: Iterable[str]) -> sr.TextContentItem:
    return sr.TextContentItem(_concept(COMMENT), " ".join(sentences), relationship_type=_CONTAINS)


def _concept(term: Term) -> sr.CodedConcept:
    return sr.CodedConcept(*term)
