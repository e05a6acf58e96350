"""What adapting a model to another hospital did, in words, tables and files. No torch."""

from collections.abc import Callable
from pathlib import Path

from xlite.evaluation.adaptation.adaptation import Adaptation, Change, CurvePoint
from xlite.findings import FEW_POSITIVES, FINDINGS, spoken
from xlite.metrics.intervals import LEAST_FOR_ECE, LEAST_FOR_MEAN, LEAST_IN_MEAN
from xlite.metrics.recalibration import LINE_PATIENTS, Rung
from xlite.report.document import Block, Heading, Table, Text
from xlite.report.typed_files import write_typed
from xlite.text import counted, difference, number

REPORT_FILE, FACTS_FILE = "ADAPTED.md", "adapted.json"
_RUNGS: dict[Rung, str] = {
    "as_it_is": "as it was",
    "intercept": "intercept",
    "line": "intercept and slope",
}


def adaptation(found: Adaptation) -> tuple[str, list[Block]]:
    """Title and blocks of the whole report."""
    blocks: list[Block] = [
        *(Text(said) for said in sentences(found)),
        Heading("How many films are enough"),
        curve_table(found),
        Heading("Finding by finding"),
        findings_table(found),
    ]
    return f"{found.model}, adapted to {found.data}", blocks


def sentences(found: Adaptation) -> list[str]:
    """What was done and what came of it, as whole sentences."""
    lines = [spoken(name) for name in FINDINGS if found.per_class[name].rung == "line"]
    chosen = [spoken(name) for name in FINDINGS if found.per_class[name].chosen]
    known = (
        f" {counted(found.known, 'film')} of patients that the model knows were left out."
        if found.known
        else ""
    )
    said = [
        f"Calibrator and thresholds were fitted to {counted(found.films, 'film')} of "
        f"{counted(found.patients, 'patient')}, drawn at random; the other "
        f"{counted(found.judged, 'film')} of {counted(found.judged_patients, 'patient')} judge them.{known}",
        "Each finding whose label is known there gets an intercept, drawn towards none if few of its films "
        f"speak for one. From {LINE_PATIENTS} local patients with the finding and as many without it on it "
        f"gets a slope, too: {', '.join(lines) or 'none has them'}. From {FEW_POSITIVES} on its threshold is "
        f"chosen anew: {', '.join(chosen) or 'none has them'}. The other thresholds move with the "
        "probabilities, so that they call the same films as before.",
        f"Of {counted(len(found.findings), 'finding')} with {LEAST_IN_MEAN} patients among the films that "
        f"judge, the mean calibration error {verdict(found.ece, LEAST_FOR_ECE)} The mean Brier score, "
        f"which also counts the ranking, {verdict(found.brier, LEAST_FOR_MEAN)}",
        f"The AUC is that of the model, {found.auc}: a calibrator moves no film past another.",
    ]
    return said


def verdict(change: Change, least: int) -> str:
    """What became of a mean that is better if it is lower; no interval below `least` patients."""
    low, high = change.difference.low, change.difference.high
    assert change.difference.value is not None
    moved = f"goes from {change.before} to {change.after}"
    if low is None or high is None:
        return f"{moved}: whether that is more than chance it cannot say below {least:,} patients."
    by = difference(change.difference.value, low, high)
    if high < 0:
        return f"{moved}: better, by {by}."
    return f"{moved}: worse, by {by}." if low > 0 else f"{moved}: no difference beyond chance, {by}."


def curve_table(found: Adaptation) -> Table:
    """The learning curve, a row a number of films."""
    header = ["films", "thresholds chosen", "calibration error", "10 % to 90 % of draws", "Brier score", "F1"]
    caption = (
        f"Means of {counted(found.draws, 'draw')} of other films, over "
        f"{counted(len(found.findings), 'finding')}. 0 films: the model as it was. Calls changed: film by "
        "film and finding by finding, of those with a threshold before and after."
    )
    return Table([*header, "calls changed"], [_curve_row(point) for point in found.curve], caption)


def _curve_row(point: CurvePoint) -> list[str]:
    return [
        f"{point.films:,}",
        f"{point.thresholds:.1f}",
        f"{point.ece:.3f}",
        f"{point.ece_low:.3f}–{point.ece_high:.3f}",
        f"{point.brier:.3f}",
        number(point.f1),
        "" if point.changed is None else f"{point.changed:.1%}",
    ]


def findings_table(found: Adaptation) -> Table:
    """Before and after, a row a finding."""
    rows = []
    for name in FINDINGS:
        one = found.per_class[name]
        rows.append(
            [
                spoken(name),
                f"{one.with_it:,}",
                _RUNGS[one.rung],
                f"{one.positives:,} of {one.films:,}",
                *(_pair(pair, number) for pair in (one.ece, one.threshold, one.sensitivity, one.specificity)),
                "" if one.changed is None else f"{one.changed:.1%}",
            ]
        )
    header = ["finding", "patients with it", "fitted", "judged: with it", "calibration error", "threshold"]
    return Table([*header, "sensitivity", "specificity", "calls changed"], rows, words=(2,))


def _pair(pair: tuple[float | None, float | None], write: Callable[[float | None], str]) -> str:
    before, after = map(write, pair)
    return before if before == after else f"{before} → {after}"


def write_adaptation(out: Path, found: Adaptation) -> None:
    """Writes ADAPTED.md and adapted.json into `out`. Raises DataError if that cannot be done."""
    write_typed(out, found, (FACTS_FILE, REPORT_FILE), adaptation(found))
