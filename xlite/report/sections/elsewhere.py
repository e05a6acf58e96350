"""A model on films of another hospital, beside its own test films."""

from collections.abc import Callable

from xlite.evaluation.elsewhere.elsewhere_report import Elsewhere, FindingElsewhere, Guarded, Shift
from xlite.findings import spoken
from xlite.guards.verdict import Verdict
from xlite.report.document import Block, Cell, Row, Table, Text
from xlite.report.elsewhere_sentences import ATTRIBUTES, Topic, by_topic, mix_shares
from xlite.report.view import View, difference_cell, metric_cell
from xlite.text import number

_RATES: dict[str, Callable[[FindingElsewhere], Shift]] = {
    "Sensitivity": lambda one: one.sensitivity,
    "Specificity": lambda one: one.specificity,
}
_THREE = ("here", "there", "difference")
_VERDICTS: dict[Verdict, str] = {
    "pass": "passed",
    "caution": "warned of",
    "offer": "would be turned or inverted",
    "refuse": "refused",
}


def elsewhere(view: View) -> list[Block]:
    """What was compared; then ranking, calibration, calls, mix of films and guards in words and tables."""
    found = view.report.elsewhere
    if found is None:
        return []
    tables: dict[Topic, list[Table]] = {"mix": [_mix(found)], "guards": [_guards(found)]}
    if found.per_class:
        rates = [_calls(found, name, shift) for name, shift in _RATES.items()]
        tables["ranking"], tables["calls"] = [_auc(found)], rates
        tables["calibration"] = [_error(found), _line(found)]
    blocks: list[Block] = []
    for topic, said in by_topic(found).items():
        blocks += [*([Text(" ".join(said))] if said else []), *tables.get(topic, [])]
    return blocks


def _auc(found: Elsewhere) -> Table:
    rows: list[Row] = [
        [spoken(name), *_three(found, one.auc), *(_with_it(one, side) for side in (0, 1))]
        for name, one in found.per_class.items()
    ]
    if found.mean_findings:
        rows.append([f"mean of {len(found.mean_findings)}", *_three(found, found.mean_auc), "", ""])
    return Table(
        ["AUC", *_THREE, "with it here", "with it there"], rows, "The difference is there minus here."
    )


def _with_it(one: FindingElsewhere, side: int) -> str:
    share = one.prevalence[side]
    return f"{one.positives[side]:,} of {one.films[side]:,}" + ("" if share is None else f" ({share:.1%})")


def _error(found: Elsewhere) -> Table:
    rows: list[Row] = [
        [spoken(name), *_three(found, one.ece), *map(number, one.perfect_ece)]
        for name, one in found.per_class.items()
    ]
    header = ["Calibration error", *_THREE, "if right, here", "if right, there"]
    caption = "If right: that of as many films if the probabilities were right."
    return Table(header, rows, caption)


def _line(found: Elsewhere) -> Table:
    rows: list[Row] = [
        [spoken(name), *_three(found, one.intercept, signed=True), *_three(found, one.slope)[:2]]
        for name, one in found.per_class.items()
    ]
    caption = (
        "Intercept: below 0 probabilities are too high, above 0 too low. Slope: below 1 they are too "
        "extreme, above 1 not extreme enough."
    )
    return Table(["Calibration intercept", *_THREE, "slope here", "slope there"], rows, caption)


def _calls(found: Elsewhere, name: str, shift: Callable[[FindingElsewhere], Shift]) -> Table:
    rows: list[Row] = [
        [spoken(finding), *_three(found, shift(one)), f"{one.threshold:.3f}"]
        for finding, one in found.per_class.items()
        if one.threshold is not None
    ]
    return Table([name, *_THREE, "threshold"], rows, "At the thresholds of the model file, on both sides.")


def _mix(found: Elsewhere) -> Table:
    rows: list[Row] = []
    for attribute, groups in found.mix.items():
        shares = mix_shares(groups) or {}
        for name, counts in groups.items():
            said = [f" ({share:.0%})" for share in shares[name]] if shares else ["", ""]
            cells = [f"{count:,}{share}" for count, share in zip(counts, said, strict=True)]
            rows.append([f"{ATTRIBUTES[attribute]}: {name}", *cells])
    caption = "All films judged, of each attribute those of which the tables tell it."
    return Table(["Films", "here", "there"], rows, caption)


def _guards(found: Elsewhere) -> Table:
    here, there = found.guards_here, found.guards
    rows: list[Row] = [
        [_VERDICTS[verdict], *(_count(side, verdict) for side in ((here, there) if here else (there,)))]
        for verdict in there.verdicts
    ]
    looked_at = f"{here.films:,} films here and " if here else ""
    caption = f"Of {looked_at}{there.films:,} films there that the guards looked at."
    return Table(["Guards", *(("here", "there") if here else ("there",))], rows, caption)


def _count(side: Guarded, verdict: Verdict) -> str:
    count = side.verdicts[verdict]
    return f"{count:,} ({count / side.films:.1%})"


def _three(found: Elsewhere, shift: Shift, *, signed: bool = False) -> list[Cell]:
    """Here, there and the difference, struck through if films are known to the model."""
    here, there = found.here.contaminated, found.there.contaminated
    return [
        difference_cell(shift.here, here) if signed else metric_cell(shift.here, here),
        difference_cell(shift.there, there) if signed else metric_cell(shift.there, there),
        difference_cell(shift.difference, here or there),
    ]
