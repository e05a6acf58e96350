"""Where the maps look: heat maps against radiologists' boxes."""

from collections.abc import Iterator

from xlite.evaluation.localisation.localisation_report import (
    STAGES,
    LocalisationReport,
    PublishedBoxes,
    SanityChecks,
)
from xlite.findings import spoken
from xlite.metrics.estimate import Estimate
from xlite.metrics.intervals import LEAST, LEAST_FOR_MEAN, LEAST_IN_MEAN
from xlite.metrics.localisation import BASELINES, OVERLAPS, RANDOM_MAPS
from xlite.report.caveat_sentences import map_name, sentence
from xlite.report.document import Alert, Block, Cell, Row, Table, Text
from xlite.report.sentences import as_sentence, boxes_reason, source
from xlite.report.view import View, metric_cell
from xlite.text import counted, number

_CHECKS = {
    "deletion": "deletion",
    "insertion": "insertion",
    "head": "rank kept: head",
    "half": "half",
    "all": "all shuffled",
}


def localisation(view: View) -> list[Block]:
    """The pointing game and overlaps of each map, beside maps that know nothing and published results."""
    found = view.report.localisation
    if found is None:
        return [
            Text("No box of this folder is on a film of this part, so where the maps look is not judged.")
        ]
    mind = [as_sentence(note) for note in map_notes(found)]
    alert = [Alert("To keep in mind", mind)] if mind else []
    return [Text(_what(found)), *alert, *map_tables(found, view.contaminated), _published(found)]


def map_notes(found: LocalisationReport) -> list[str]:
    """What limits the metrics of maps, and why some have no interval; without capital and full stop."""
    return [*map(sentence, found.caveats), *_not_shuffled(found), *_missing_intervals(found)]


def _not_shuffled(found: LocalisationReport) -> Iterator[str]:
    """Whether the maps of a model without weights of its own depend on what it learned was not checked."""
    own = [one.checks for name, one in found.methods.items() if name not in BASELINES and one.checks]
    if own and not any(stage in checks.metrics for checks in own for stage in STAGES):
        yield (
            "what the maps owe to training is not checked: an export or an ensemble has no weights to be "
            "shuffled"
        )


def _missing_intervals(found: LocalisationReport) -> Iterator[str]:
    patients = {name: one.patients for name, one in found.findings.items() if one.patients is not None}
    if not patients:  # an old report, whose intervals follow other rules
        return
    few = [f"{spoken(name)} ({n})" for name, n in patients.items() if n < LEAST]
    if few:
        yield f"no interval below {LEAST} patients with a box of the finding: {', '.join(few)}"
    if found.split.patients < LEAST:
        yield f"no interval of all findings together below {LEAST} patients with a box"
    checks = [
        one for method in found.methods.values() if method.checks for one in method.checks.metrics.values()
    ]
    if any(one.value is not None and one.low is None for one in checks):
        yield f"no interval of checks below {LEAST} patients"
    if found.split.patients < LEAST_FOR_MEAN:
        yield f"no interval of means of findings below {LEAST_FOR_MEAN} patients with a box"
    elif min(patients.values()) < LEAST_IN_MEAN:
        yield (
            f"no interval of means of findings, as fewer than {LEAST_IN_MEAN} patients have a box of one of "
            "them"
        )


def _what(found: LocalisationReport) -> str:
    """What was judged, and what its metrics are."""
    split = found.split
    boxes = f"{counted(split.boxes, 'box', 'boxes')} on {split.films:,} of these films"
    if split.targets is None:
        first = f"{boxes}. Pointing: the share of boxes that hold the peak of their finding's map. "
    else:
        first = (
            f"{_counted(found)}, each all boxes of one finding on one film: {boxes}. Pointing: the share of "
            "targets with the peak of their finding's map in one of their boxes; if several are equally "
            "high, the share of them that lies in one. "
        )
    return (
        f"{first}IoBB and IoU: the share with a box that a box of the map overlaps by more than that, both "
        "as Wang 2017 has them. False boxes: the map's boxes that reach no IoBB above 0.25, on average. A "
        f"random map is the mean of {RANDOM_MAPS}; the centre's says the middle of every film."
    )


def _counted(found: LocalisationReport) -> str:
    """How many targets were judged; in an old report how many boxes."""
    targets = found.split.targets
    return counted(found.split.boxes, "box", "boxes") if targets is None else counted(targets, "target")


def map_tables(found: LocalisationReport, contaminated: bool = False) -> list[Table]:
    """Tables of the methods, of their overlaps, of the findings and of the sanity checks.

    What the model's own maps reach is struck through if the films are contaminated.
    """
    struck = set(found.methods) - set(BASELINES) if contaminated else set[str]()
    checked = {name: one.checks for name, one in found.methods.items() if one.checks}
    tables = [_methods(found, struck), _overlaps(found, struck), _findings(found, struck)]
    return [*tables, _checks(checked, struck)] if checked else tables


def _methods(found: LocalisationReport, struck: set[str]) -> Table:
    header = [_counted(found), "pointing", "mean of findings", "mean IoU", "false boxes"]
    rows: list[Row] = [
        [
            map_name(name),
            metric_cell(one.metrics["pointing"].all, name in struck),
            metric_cell(_mean_pointing(found, one.metrics["pointing"].mean), name in struck),
            *(metric_cell(one.metrics[key].all.value, name in struck) for key in ("iou", "false_boxes")),
            *map(str, one.faults.values()),
        ]
        for name, one in found.methods.items()
    ]
    return Table([*header, "empty", "flat", "outside"], rows)


def _mean_pointing(found: LocalisationReport, mean: Estimate) -> Estimate:
    """A mean of findings; without the interval that an old report has, whatever patients bear it."""
    is_old = found.split.targets is None
    return Estimate(mean.value) if is_old else mean


def _overlaps(found: LocalisationReport, struck: set[str]) -> Table:
    columns = [(kind, overlap) for kind in ("IoBB", "IoU") for overlap in OVERLAPS]
    rows: list[Row] = [
        [
            map_name(name),
            *(
                metric_cell(one.metrics[f"{kind.lower()}_{overlap}"].all.value, name in struck)
                for kind, overlap in columns
            ),
        ]
        for name, one in found.methods.items()
    ]
    unit = "boxes" if found.split.targets is None else "targets"
    return Table([f"Share of {unit}", *(f"{kind}>{overlap:g}" for kind, overlap in columns)], rows)


def _findings(found: LocalisationReport, struck: set[str]) -> Table:
    header = ["boxes"] if found.split.targets is None else ["targets", "patients"]
    rows: list[Row] = [
        [
            spoken(finding),
            *(
                str(n)
                for n in ([counts.boxes] if counts.targets is None else [counts.targets, counts.patients])
            ),
            *(
                metric_cell(one.metrics["pointing"].per_finding[finding].value, name in struck)
                for name, one in found.methods.items()
            ),
        ]
        for finding, counts in found.findings.items()
    ]
    return Table(["Pointing", *header, *map(map_name, found.methods)], rows)


def _checks(checked: dict[str, SanityChecks], struck: set[str]) -> Table:
    rows: list[Row] = [
        [map_name(name), *(_checked(checks, key, name in struck) for key in _CHECKS)]
        for name, checks in checked.items()
    ]
    return Table(["Checks", *_CHECKS.values()], rows)


def _checked(checks: SanityChecks, key: str, struck: bool) -> Cell:
    """A check's mean, and over how many targets if not all define it."""
    one = checks.metrics.get(key)
    if one is None:
        return Cell("")
    mean = metric_cell(one.estimate, struck)
    over = one.boxes if one.targets is None else one.targets
    some = one.value is not None and one.boxes < checks.boxes
    return mean._replace(text=f"{mean.text} of {over}") if some else mean


def _published(found: LocalisationReport) -> Table:
    """Published results; those of other boxes are marked."""
    rows: list[Row] = [
        [
            Cell(text, grey=not one.comparable)
            for text in (
                one.name,
                _mean(one, "pointing"),
                _mean(one, "iobb_0.25"),
                boxes_reason(one.comparable, found),
            )
        ]
        for one in found.published
    ]
    header = ["Published, mean of findings", "Pointing", "IoBB>0.25", "Boxes"]
    return Table(header, rows, source(found), (3,))


def _mean(published: PublishedBoxes, name: str) -> str:
    return number(published.metrics[name].mean) if name in published.metrics else ""
