"""What adapting a model to another hospital did, in words, tables and files. No torch."""

from collections.abc import Callable
from pathlib import Path

from xlite.evaluation.adaptation import Adaptation, CurvePoint
from xlite.findings import FEW_POSITIVES, FINDINGS, spoken
from xlite.metrics.ladder import LINE_PATIENTS, Rung
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
    moved = [spoken(name) for name in FINDINGS if found.per_class[name].rung != "as_it_is"]
    before, after = found.ece
    known = (
        f" {counted(found.known, 'film')} of patients that the model knows were left out."
        if found.known
        else ""
    )
    said = [
        f"Calibrator and thresholds were fitted to {counted(found.films, 'film')} of "
        f"{counted(found.patients, 'patient')}, drawn at random; the other "
        f"{counted(found.judged, 'film')} of {counted(found.judged_patients, 'patient')} judge them.{known}",
        f"To have anything fitted, a finding takes {FEW_POSITIVES} local patients with it and as many "
        f"without it, for its slope {LINE_PATIENTS}: {', '.join(moved) or 'none has them'}. The others stay "
        "as they were.",
        f"The calibration error, mean of {counted(len(found.findings), 'finding')} with {FEW_POSITIVES} "
        f"patients among the films that judge, goes from {before} to {after}: {_verdict(found)}.",
        f"The AUC is that of the model, {found.auc}: a calibrator moves no film past another.",
    ]
    return said


def _verdict(found: Adaptation) -> str:
    change = found.ece_change
    assert change.value is not None and change.low is not None and change.high is not None
    by = difference(change.value, change.low, change.high)
    if change.high < 0:
        return f"better, by {by}"
    return f"worse, by {by}" if change.low > 0 else f"no difference beyond chance, {by}"


def curve_table(found: Adaptation) -> Table:
    """The learning curve, a row a number of films."""
    header = ["films", "findings fitted", "calibration error", "10 % to 90 % of draws", "Brier score", "F1"]
    caption = (
        f"Means of {counted(found.draws, 'draw')} of other films, over "
        f"{counted(len(found.findings), 'finding')}. 0 films: the model as it was. Calls changed: film by "
        "film and finding by finding, of those with a threshold before and after."
    )
    return Table([*header, "calls changed"], [_curve_row(point) for point in found.curve], caption)


def _curve_row(point: CurvePoint) -> list[str]:
    return [
        f"{point.films:,}",
        f"{point.findings:.1f}",
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
