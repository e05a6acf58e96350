"""What the verdict on a film is worth, in words: one set of sentences for JSON, pages and demo. No torch."""

from collections.abc import Iterable, Mapping
from typing import Any

from xlite.findings import spoken
from xlite.metrics.estimate import Estimate
from xlite.metrics.triage import needed
from xlite.metrics.validation_record import STEPS, ValidationRecord
from xlite.metrics.worth import Remark, Worth
from xlite.reading import averaged_sentence
from xlite.report.document import Table
from xlite.text import counted, few_patients, number, percent

_ZONES = {
    "low": "below",
    "not_sure": "not sure",
    "high": "above",
    "not_certified": "not certified",
    "void": "void",
}
_SHORT: dict[Remark, str] = {
    "rules_nothing_out": "rules nothing out",
    "says_little": "says little",
    "few_patients": "few patients",
    "no_threshold": "no threshold",
    "averaged": "a mean of readings",
    "not_calibrated": "not calibrated",
    "by_hand": "chosen by hand",
    "two_rules": "the threshold alone calls",
}
TABLE_NOTE = (
    "Sensitivity and specificity: of the threshold on the validation films, with the 95 % interval of what "
    "they will be on new patients. Zone: not sure lies between two cut-offs that are certified on validation "
    "patients. Higher than: this share of the validation films without the finding, and of those with it."
)
_MEMBERS_NOTE = " Members differ by: the standard deviation of what the ensemble's members give."


def worth_sentences(worth: Worth) -> list[str]:
    """All that is to be said beside a finding's probability, as whole sentences; none of an unknown worth."""
    said = [threshold_sentence(worth), zone_sentence(worth), rank_sentence(worth)]
    if worth.averaged:
        said.append(averaged_sentence(worth.averaged).removesuffix("."))
    if not worth.calibrated and worth.averaged != "members":
        said.append("not calibrated: the probability is a score that ranks films")
    if worth.disagreement is not None:
        said.append(f"members of the ensemble disagree by {percent(worth.disagreement)} (standard deviation)")
    return [f"{text[0].upper()}{text[1:]}." for text in said if text]


def worth_json(worths: Iterable[Worth]) -> dict[str, dict[str, Any]]:
    """The facts by finding, with the sentences as `says`."""
    return {one.finding: one.facts() | {"says": worth_sentences(one)} for one in worths}


def threshold_sentence(worth: Worth) -> str | None:
    """`below the model's threshold of 31.0%, which found 6% …`; None if the model has no thresholds.

    `no threshold: 3 validation patients` if it is withheld. An old file knows the threshold alone, or how
    many patients chose it.
    """
    patients = worth.patients
    if worth.threshold is None:
        few = f": {few_patients(patients.positive, patients.negative)}" if patients else ""
        return f"no threshold{few}" if worth.withheld else None
    said = f"{worth.side} the model's threshold of {percent(worth.threshold)}"
    if worth.by_hand:
        said += f", {worth.by_hand}"
    elif patients and not worth.record:
        said += f" ({counted(patients.positive, 'validation patient')})"
    if found := _on_validation(worth):
        said += f", which {found}"
    if "rules_nothing_out" in worth.remarks:
        said += ": it rules nothing out"
    if "says_little" in worth.remarks:
        said += ": it says little"
    if "few_patients" in worth.remarks:
        said += "; too few patients chose it to rely on it"
    return said


def _on_validation(worth: Worth) -> str:
    """What the threshold did on the validation films; nothing if the model file does not say."""
    record = worth.record
    if record is None:
        return ""
    rates = (
        ("found", record.sensitivity, counted(record.positive_films, "validation film"), "with"),
        ("rightly did not call", record.specificity, f"{record.negative_films:,}", "without"),
    )
    patients = {"with": record.patients.positive, "without": record.patients.negative}
    return " and ".join(
        f"{did} {_share(rate)} of {films} {which} it ({counted(patients[which], 'patient')}, 95 % interval "
        f"{_span(rate)})"
        for did, rate, films, which in rates
        if rate is not None
    )


def zone_sentence(worth: Worth) -> str | None:
    """What the cut-offs of the "not sure" zone guarantee of this probability; None from an old file."""
    cuts, record = worth.cut_offs, worth.record
    if cuts is None or record is None:
        return None
    with_it = f"{counted(record.patients.positive, 'validation patient')} with it"
    without = f"{counted(record.patients.negative, 'validation patient')} without it"
    no_low = f"{with_it}, {_wanting(record.patients.positive, cuts.missed, cuts.confidence)}"
    no_high = f"{without}, {_wanting(record.patients.negative, cuts.alarmed, cuts.confidence)}"
    low, high = _cut(cuts.low), _cut(cuts.high)
    match worth.zone:
        case "void":
            return "no guarantee holds: the film is not as the validation films were"
        case "not_certified":
            return f'no "not sure" zone can be certified: {no_low}; {no_high}'
        case "low":
            return (
                f"below the cut-off of {low}: at most {cuts.missed:.0%} of patients with it have a film with "
                f"it there ({100 * cuts.confidence:.0f} % confidence, {with_it}){_two_rules(worth)}"
            )
        case "high":
            return (
                f"at or above the cut-off of {high}: at most {cuts.alarmed:.0%} of patients without it have "
                f"a film without it there ({100 * cuts.confidence:.0f} % confidence, {without})"
                f"{_two_rules(worth)}"
            )
    if cuts.low is None:
        return f"not sure: below the cut-off of {high}, and no lower one can be certified: {no_low}"
    if cuts.high is None:
        return f"not sure: not below the cut-off of {low}, and no higher one can be certified: {no_high}"
    return f"not sure: between the cut-offs of {low} and {high}"


def _two_rules(worth: Worth) -> str:
    """What holds if threshold and cut-offs, which two rules choose, seem to contradict each other."""
    if "two_rules" not in worth.remarks:
        return ""
    called = "called" if worth.side == "above" else "not called"
    return f"; it is {called} all the same, as another rule chose the threshold, which alone says so"


def rank_sentence(worth: Worth) -> str | None:
    """`higher than 93% of the 112 validation films without Effusion, …`; None from an old file."""
    record, name = worth.record, spoken(worth.finding)
    if record is None:
        return None
    ranks = (
        (worth.rank_without, record.negative_films, f"without {name}"),
        (worth.rank_with, record.positive_films, f"with {name}"),
    )
    parts = [
        f"than {_rank(place, films)} of the {counted(films, 'validation film')} {which}"
        for place, films, which in ranks
        if place is not None
    ]
    return f"higher {', and '.join(parts)}" if parts else None


def worth_table(worths: Iterable[Worth]) -> Table:
    """A row a finding: probability, threshold and what it is worth; of an ensemble how far members differ."""
    worths = list(worths)
    apart = any(one.disagreement is not None for one in worths)
    header = ["Finding", "Probability", "Threshold", "Sensitivity", "Specificity", "Patients with it", "Zone"]
    header += ["Higher than", *(["Members differ by"] if apart else []), "Remarks"]
    rows = [
        [
            spoken(one.finding),
            percent(one.probability),
            "none" if one.threshold is None else f"{one.side} {percent(one.threshold)}",
            _rate(one.sensitivity),
            _rate(one.specificity),
            f"{one.patients.positive:,}" if one.patients else "",
            _zone_cell(one),
            " and ".join(f"{place}%" for place in (one.rank_without, one.rank_with) if place is not None),
            *([percent(one.disagreement)] if one.disagreement is not None else []),
            ", ".join(_SHORT[remark] for remark in one.remarks),
        ]
        for one in worths
    ]
    return Table(header, rows, TABLE_NOTE + _MEMBERS_NOTE * apart, (2, 6, len(header) - 1))


def _zone_cell(worth: Worth) -> str:
    """Where a probability lies. Nothing of a mere score: above or below would look like a verdict on it."""
    is_mere_score = worth.threshold is None and not worth.calibrated
    if worth.zone is None or (is_mere_score and worth.zone in ("low", "high")):
        return ""
    return _ZONES[worth.zone]


def records_sentence(records: Mapping[str, ValidationRecord]) -> str:
    """What the thresholds found on the validation films, and which zones are certified."""
    rates = [
        f"{spoken(finding)} {_share(one.sensitivity)} of {one.positive_films:,}"
        for finding, one in records.items()
        if one.sensitivity
    ]
    found = f"thresholds found {', '.join(rates)} films" if rates else "there are no thresholds"
    low, high = (
        ", ".join(spoken(finding) for finding, one in records.items() if getattr(one.zone, end) is not None)
        for end in ("low", "high")
    )
    return f"{found}; a low cut-off is certified for {low or 'none'}; a high one for {high or 'none'}"


def records_table(records: Mapping[str, ValidationRecord], thresholds: Mapping[str, float | None]) -> Table:
    """A row a finding: what the card says of its validation films."""
    rows = [
        [spoken(finding), number(thresholds.get(finding), "none"), *_record_cells(one)]
        for finding, one in records.items()
    ]
    header = ["finding", "threshold", "films with it", "sensitivity", "films without it", "specificity"]
    return Table([*header, "low cut-off", "high cut-off"], rows)


def _record_cells(one: ValidationRecord) -> list[str]:
    """What a record says, in six cells; of a finding that no validation film is labelled for only that."""
    have, lack = one.patients.positive, one.patients.negative
    if not have and not lack:
        return [few_patients(0, 0), *[""] * 5]
    return [
        f"{counted(one.positive_films, 'film')} of {counted(have, 'patient')}",
        _rate(one.sensitivity),
        f"{counted(one.negative_films, 'film')} of {counted(lack, 'patient')}",
        _rate(one.specificity),
        _certified(one.zone.low, have, one.zone.missed, one.zone.confidence),
        _certified(one.zone.high, lack, one.zone.alarmed, one.zone.confidence),
    ]


def _certified(cut: float | None, patients: int, share: float, confidence: float) -> str:
    if cut is not None:
        return number(cut, digits=4)
    return f"not certified: {counted(patients, 'patient')}, {_wanting(patients, share, confidence)}"


def _wanting(patients: int, share: float, confidence: float) -> str:
    """Why so many patients certify no cut-off: they are too few, or too many have the highest score."""
    few = patients < needed(share, confidence)
    return f"{needed(share, confidence)} needed" if few else "too many of them at 100%"


def _rank(place: int, films: int) -> str:
    """How many of so many films; a table of many films tells one per cent of them at least."""
    if place == 0:
        return "none" if films < STEPS else "at most 1%"
    return "all" if place == 100 else f"{place}%"


def _rate(found: Estimate | None) -> str:
    if found is None or found.low is None or found.high is None:
        return ""
    low, high = (percent(one, 0).removesuffix("%") for one in (found.low, found.high))
    return f"{_share(found)} ({low}–{high})"


def _share(found: Estimate) -> str:
    return _whole(found.value)


def _span(found: Estimate) -> str:
    return f"{_whole(found.low)} to {_whole(found.high)}"


def _whole(share: float | None) -> str:
    return "undefined" if share is None else percent(share, 0)


def _cut(cut: float | None) -> str:
    return "none" if cut is None else percent(cut, 2)
