"""The facts of a report in words: source, contamination, gaps, references, comparisons. No torch."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from xlite.evaluation.contamination.caveats import TeacherKnows, is_of_teacher
from xlite.evaluation.localisation.localisation_report import (
    NIH_BOXES,
    LocalisationJudged,
    LocalisationReport,
)
from xlite.evaluation.report import Comparison, Contamination, Metrics, Reference, Report
from xlite.evaluation.subgroups_report import Gap, Subgroups
from xlite.evaluation.validation_report import Validation
from xlite.findings import FEW_POSITIVES, FINDINGS, spoken
from xlite.metrics.calibration import Calibrator, uncalibrated
from xlite.metrics.estimate import Estimate
from xlite.metrics.significance import ALPHA
from xlite.metrics.thresholds import ValidationPatients
from xlite.models.info import Pooled
from xlite.report.learned_sentences import why_not_known
from xlite.report.means import mean_auc
from xlite.text import are, capital, counted, difference, films_judged, labels_of, verb

_MEASURED_ON = {
    "official": "NIH's official test list",
    "chexnet": "the chexnet 70/10/20 test list",
    "random": "a random patient split of their own",
}


_NOT_COMPARED = {
    "no_groups": "the table has no groups",
    "one_group": "all films are in one group",
    "few_patients": f"no two groups have {FEW_POSITIVES} patients with and {FEW_POSITIVES} without a finding",
}


class CalibratorWords(NamedTuple):
    """A calibrator's name, and how it makes probabilities."""

    name: str
    how: str


CALIBRATORS = {
    "none": CalibratorWords("none", "not"),
    "temperature": CalibratorWords("temperature", "by one temperature"),
    "platt": CalibratorWords("Platt", "by Platt scaling per finding"),
    "isotonic": CalibratorWords("isotonic", "by isotonic regression per finding"),
}
"""By method."""


def as_sentence(text: str) -> str:
    """The text with a capital and a full stop."""
    return capital(text) + "."


def source(found: Metrics | LocalisationReport) -> str:
    """What belongs beside each of its metrics: split, part, films, patients, labels, seeds."""
    first, *others = source_lines(found)
    return f"{first}: {'; '.join(others)}"


def source_lines(found: Metrics | LocalisationReport) -> tuple[str, ...]:
    """`source` in short lines, which fit a figure on a phone."""
    split, drawn, seed = found.split, found.bootstrap, found.training_seed
    films, data = (split.films, "") if isinstance(split, LocalisationJudged) else (split.images, split.data)
    trained = () if seed is None else (f"trained with seed {seed}",)
    return (
        films_judged(f"split {split.id}, {split.part} part", split.id, data),
        f"{counted(films, 'film')} of {counted(split.patients, 'patient')}, {labels_of(split.label_version)}",
        *trained,
        f"95 % intervals from {drawn.resamples:,} resamples of patients, seed {drawn.seed}",
    )


def known_films(report: Report) -> str:
    """`98 of 150 test films are known to its teacher` of a contaminated report; else nothing."""
    found = report.contamination
    if found is None or not found.films:
        return ""
    return f"{found.films:,} of {found.of:,} {report.split.part} films are known to {_who_knows(found)}"


def _who_knows(found: Contamination) -> str:
    if not all(map(is_of_teacher, found.reasons)):
        return "the model or its teacher"
    facts = [fact for one in found.reasons if isinstance(one, TeacherKnows) for fact in one.teachers]
    starts = {fact.start for fact in facts if fact not in found.unknown}
    return "what it learned from" if True in starts else "its teacher"


def contaminated_films(known: int, of: int) -> str:
    """`Contaminated: 98 of 150 films`."""
    return f"Contaminated: {known:,} of {counted(of, 'film')}"


def clean(report: Report) -> str:
    """The mean AUC on the films that are new to what is judged, or why there is none; nothing if all are."""
    found = report.contamination
    if found is None:
        return ""
    if found.clean is None:
        if found.films == found.of:
            why = "none is left"
        elif found.unknown:
            why = "; ".join(map(why_not_known, found.unknown))
        else:
            why = "without a list of its teacher's training films it cannot be told which those are"
        return f"There are no metrics on clean films alone: {why}"
    split, (over, auc) = found.clean.split, mean_auc(found.clean)
    return (
        f"On the {counted(split.images, 'clean film')}, of {counted(split.patients, 'patient')} new to what "
        f"the model learned from, the mean AUC is {auc}, {over}"
    )


def clean_in_short(report: Report) -> str:
    """`clean` beside the report's caveats, which say at length why nobody can tell which films are clean."""
    open_question = not_known(report)
    return f"There are no metrics on clean films alone: {open_question}" if open_question else clean(report)


def not_known(report: Report) -> str:
    """That nobody can tell which of the films judged are clean, as a clause; nothing if that is known."""
    found = report.contamination
    if found is None or found.clean is not None or not found.unknown or found.films == found.of:
        return ""
    which = "the others" if found.films else "these films"
    return f"whether the model or what it learned from knows {which} is not known"


def validation_note(validation: Validation) -> str:
    """What the validation films are, or why there are none."""
    part, here = f"of the val part of split {validation.split_id}", validation.here
    words = {
        "": f"the {counted(validation.films, 'film')} {f'of {validation.file}' if validation.file else part}",
        "no_split": f"this folder does not have the model's split, {validation.split_id}",
        "no_part": f"the model's split, {validation.split_id}, has no validation part",
        "same_films": "these are the validation films themselves",
        "not_here": f"only {here:,} of the {counted(validation.expected, 'film')} {part} {are(here)} here",
        "not_given": "no validation predictions were given",
    }
    return validation.text or words[validation.absent]


def calibrator_sentence(
    calibrator: Calibrator | None, patients: np.ndarray, pooled: Pooled | None = None
) -> str:
    """For how many findings a calibrator was fitted; patients (N,) of the validation films.

    calibrator as `fit_info` leaves it; pooled: the films that fitted it beside these. Which findings have too
    few validation patients `thresholds_sentence` says.
    """
    bare = uncalibrated(calibrator)
    every = counted(len(np.unique(patients)), "validation patient")
    if pooled is not None:
        every += f" and the {counted(pooled.patients, 'patient')} whom {counted(pooled.runs, 'run')} left out"
    few = f"fewer than {FEW_POSITIVES} patients with it or without it among the {every}"
    if calibrator is None:
        return f"no calibrator could be fitted: every finding has {few}"
    name = CALIBRATORS[calibrator.method].name
    fitted = f"{name} calibrator for {len(FINDINGS) - len(bare)} of {len(FINDINGS)} findings"
    if bare:
        return f"{fitted}; the others have {few}"
    return f"{fitted}, by the {every}" if pooled else fitted


def thresholds_sentence(chosen_on: Mapping[str, ValidationPatients]) -> str:
    """How many validation patients with the finding chose each threshold, and which are withheld."""
    kept = [f"{spoken(finding)} {one.positive:,}" for finding, one in chosen_on.items() if not one.few]
    few = [
        f"{spoken(finding)} {min(one.positive, one.negative)}"
        + (" without it" if one.negative < one.positive else "")
        for finding, one in chosen_on.items()
        if one.few
    ]
    chosen = (
        f"number of validation patients with the finding that each was chosen on: {', '.join(kept)}"
        if kept
        else ""
    )
    withheld = f"withheld below {FEW_POSITIVES} validation patients: {', '.join(few)}" if few else ""
    return "; ".join(filter(None, [chosen, withheld]))


def reference_reason(reference: Reference) -> str:
    """What a published result was measured on, and whether these are the same films."""
    if reference.reason:
        return reference.reason
    here = "as here" if reference.comparable else "and these are other films"
    return f"measured on {_MEASURED_ON[reference.films]}, {here}"


def boxes_reason(comparable: bool, found: LocalisationReport) -> str:
    """What published results for boxes were measured on, and whether these are the same boxes."""
    if comparable:
        return "measured on the same boxes"
    split = found.split
    return f"measured on NIH's {NIH_BOXES} boxes; these are {split.boxes}, {split.id}, {split.part}"


def gap_sentence(attribute: str, gap: Gap) -> str | None:
    """A gap between two groups of films; None if it is not larger than noise."""
    if not gap.larger_than_noise:
        return None
    if gap.values is None:
        return gap.text
    which = {"age": "aged {}", "sex": "of sex {}", "view": "in view {}", "folder": "of {}"}[attribute]
    title = (
        f"AUC of {spoken(gap.finding)}" if gap.finding else f"mean AUC of {counted(gap.findings, 'finding')}"
    )
    p = "" if gap.p is None else f", p {gap.p:.3f}"
    (first, second), (a, b), difference = gap.between, gap.values, gap.difference
    if a < b:
        (first, second), (a, b), difference = (second, first), (b, a), _turned(difference)
    return (
        f"The {title} is higher on films {which.format(first)} ({a:.3f}) than {which.format(second)} "
        f"({b:.3f}): difference {difference}{p}."
    )


def _turned(difference: Estimate) -> Estimate:
    """The same difference the other way round."""
    value, low, high = (
        None if one is None else -one for one in (difference.value, difference.high, difference.low)
    )
    return Estimate(value, low, high)


def gap_sentences(subgroups: Mapping[str, Subgroups]) -> list[tuple[Gap, str]]:
    """The gaps that are larger than noise, each in words."""
    said = [
        (gap, gap_sentence(attribute, gap)) for attribute, found in subgroups.items() for gap in found.gaps
    ]
    return [(gap, text) for gap, text in said if text]


def looks_sentence(subgroups: Mapping[str, Subgroups]) -> str:
    """How many gaps were looked at, and by which attributes nothing could be compared, and why.

    An old report does not have their number, but lists a gap if anything was compared.
    """
    looks = sum(found.looks or 0 for found in subgroups.values())
    by_reason = {
        words: [name for name, found in subgroups.items() if found.not_compared == reason]
        for reason, words in _NOT_COMPARED.items()
    }
    reasons = "; ".join(f"by {' and '.join(names)}, {words}" for words, names in by_reason.items() if names)
    if not looks and not any(found.gaps for found in subgroups.values()):
        return f"Nothing could be compared{reasons and ': '}{reasons}."
    said = []
    if not gap_sentences(subgroups):
        said.append("No gap between two groups is larger than the noise of resampling patients.")
    if looks:
        were = verb(looks, "was", "were")
        said.append(f"{counted(looks, 'gap')} {were} looked at; p and intervals hold for all together.")
    return " ".join([*said, *([f"Not compared: {reasons}."] if reasons else [])])


def comparison_sentence(found: Comparison, names: Sequence[str] = ()) -> str:
    """What a paired comparison found; `names` to call the two models otherwise."""
    first, second = names or found.names
    gap = found.difference
    assert gap.value is not None
    both = f"{counted(found.images, 'film')} of {counted(found.patients, 'patient')}"
    over = "" if found.findings is None else f", mean of {counted(found.findings, 'finding')}"
    if found.least_films is not None:
        over += f", each on the films whose label is known, {found.least_films:,} or more"
    return (
        f"Mean AUC {found.first:.4f} of {first} against {found.second:.4f} of {second}, on the {both} that "
        f"both have{over}: difference {difference(gap.value, gap.low, gap.high, digits=4)}, p {found.p:.3f}: "
        f"{_verdict(found, second)}{_without_known(found, names)}"
    )


def _verdict(found: Comparison, second: str) -> str:
    """Which of the two is higher, if the films can tell."""
    if not found.in_every_resample:
        return "too few patients for a verdict, as no finding is in every resample"
    if found.tie:
        return "a tie, the difference is within the noise"
    return f"{'higher' if (found.difference.value or 0) > 0 else 'lower'} than {second}"


def comparisons_note(count: int) -> str:
    """What several paired comparisons, each a test of its own, are worth together."""
    return (
        f"Each of these {count} comparisons is a test of its own: of equal models one is called higher or "
        f"lower by chance in up to {1 - (1 - ALPHA) ** count:.0%} of cases."
    )


def _without_known(found: Comparison, names: Sequence[str]) -> str:
    """What a comparison says of films that the two learned from, and of the others; nothing without any."""
    said = [_first_knows(found, names), _second_knows(found, names)]
    return "".join(f". {text}" for text in said if text)


def _first_knows(found: Comparison, names: Sequence[str]) -> str:
    if not found.known and not found.untold:
        return ""
    more = ", and maybe more" if found.untold else ""
    who = f"{(names or found.names)[0]}, or its teacher,"
    if not found.known:
        return f"But whether {who} knows any of these films is not known"
    knows = f"{who} knows {found.known:,} of these films{more}"
    if found.clean is None:
        return f"But {knows}: there is no comparison on clean films alone"
    return f"But {knows}. On clean films alone: {comparison_sentence(found.clean, names)}"


def _second_knows(found: Comparison, names: Sequence[str]) -> str:
    who = f"{(names or found.names)[1]}, or its teacher,"
    if found.second_known:
        more = ", and maybe more" if found.second_untold else ""
        return f"But {who} knows {found.second_known:,} of these films{more}"
    return f"What {who} learned from is not known" if found.second_untold else ""
