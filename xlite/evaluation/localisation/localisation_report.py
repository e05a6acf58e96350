"""`LocalisationReport`: maps by several methods against radiologists' boxes, as typed values. No torch."""

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from pydantic import SerializerFunctionWrapHandler, model_serializer, model_validator

from xlite.data.splits import Split
from xlite.evaluation.contamination.caveats import (
    BoxesWithoutFilm,
    Caveat,
    FewBoxes,
    NotAboveBaseline,
    SmallBoxes,
    UnchangedMap,
)
from xlite.evaluation.report_base import Bootstrap, ReportModel, WithCaveats
from xlite.metrics.estimate import Estimate
from xlite.metrics.localisation import BASELINES, FEW_BOXES
from xlite.metrics.target_means import BoxSummary
from xlite.pixels import RELEASE_SIDE

NIH_BOXES = 984
STAGES = ("head", "half", "all")  # of what a model is made to forget, as `sanity.randomised` does
UNCHANGED = 0.5  # a mean rank correlation above it: the map hardly depends on what was forgotten


class _InPlace(ReportModel):
    """A part whose `metrics` are written in place: in a file their names stand beside the other keys."""

    metrics: dict[str, Any]
    _in_words: ClassVar[frozenset[str]] = frozenset()  # keys of a file that no field reads

    @model_validator(mode="before")
    @classmethod
    def _gather(cls, content: Any) -> Any:
        if not isinstance(content, Mapping) or "metrics" in content:
            return content
        own = cls.model_fields.keys()
        metrics = {key: content[key] for key in content if key not in own | cls._in_words}
        return {**{key: content[key] for key in content if key in own}, "metrics": metrics}

    @model_serializer(mode="wrap")
    def _spread(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        content = handler(self)
        return {**content.pop("metrics"), **content}


class LocalisationJudged(ReportModel):
    """The boxes judged, the films and patients they are of, and the boxes on films that are not here.

    targets: how many pairs of a film and a finding have boxes; None in old reports, which judge box by box.
    """

    id: str
    part: str
    films: int
    patients: int
    boxes: int
    boxes_without_film: int
    label_version: str
    targets: int | None = None


class CheckedEstimate(ReportModel):
    """A sanity check's mean over the `targets` for which it is defined, and how many boxes these have.

    targets: None in old reports, which check box by box.
    """

    value: float | None
    low: float | None = None
    high: float | None = None
    boxes: int
    targets: int | None = None

    @property
    def estimate(self) -> Estimate:
        """The mean with its interval."""
        return Estimate(self.value, self.low, self.high)


class SanityChecks(_InPlace):
    """The sanity checks of one method on `targets` targets, which have `boxes` boxes.

    targets: None in old reports, which check box by box.

    metrics: "deletion" and "insertion", each also "_above_random", and the rank correlation with the map
    after each of STAGES; maps that know nothing have no rank correlation.
    """

    boxes: int
    targets: int | None = None
    metrics: dict[str, CheckedEstimate]


class MethodMetrics(_InPlace):
    """One way to make maps: its metrics, how many maps have each fault, and the sanity checks.

    metrics: each of `metrics.localisation.BOX_METRICS`, and "pointing_above_random", "pointing_above_centre".
    """

    metrics: dict[str, BoxSummary]
    faults: dict[str, int]
    checks: SanityChecks | None = None


class BoxCounts(ReportModel):
    """The boxes of a finding, whether too few patients have one, how many are smaller than a cell.

    targets: the films that have boxes of it; patients: of those films. Both None in old reports, which judge
    box by box and call a finding few by its boxes.
    """

    boxes: int
    few: bool
    smaller_than_a_cell: int
    targets: int | None = None
    patients: int | None = None


class PublishedMetric(ReportModel):
    """A published metric of boxes: the mean of the findings, and some findings."""

    mean: float
    per_finding: dict[str, float] = {}


class PublishedBoxes(_InPlace):
    """A published result, by metrics of `BOX_METRICS`; comparable if it was measured on the boxes judged."""

    _in_words: ClassVar[frozenset[str]] = frozenset({"not_comparable"})
    name: str
    metrics: dict[str, PublishedMetric]
    comparable: bool

    @model_validator(mode="before")
    @classmethod
    def _of_old(cls, content: Any) -> Any:
        if isinstance(content, Mapping) and "not_comparable" in content:
            return {"comparable": content["not_comparable"] is None, **content}
        return content


class LocalisationReport(WithCaveats):
    """Maps by several methods against radiologists' boxes; the shape of localisation.json.

    grid: cells of a map, down and across; cell: the share of the film (0-1) that one covers; methods: by
    name, the baselines that know nothing last.
    """

    model: str
    split: LocalisationJudged
    grid: tuple[int, int]
    cell: float
    methods: dict[str, MethodMetrics]
    findings: dict[str, BoxCounts]
    published: tuple[PublishedBoxes, ...]
    bootstrap: Bootstrap
    training_seed: int | None = None


# As published; the others of these papers are not repeated.
_PUBLISHED = {
    "Wang 2017": {
        "iobb_0.25": PublishedMetric(mean=0.486, per_finding={"Cardiomegaly": 0.979, "Nodule": 0.051})
    },
    "DenseNet-121, 512 px, Grad-CAM": {"pointing": PublishedMetric(mean=0.496)},
    "DenseNet-121, 512 px, Grad-CAM++": {"pointing": PublishedMetric(mean=0.544)},
    "DenseNet-121, 512 px, a random map": {"pointing": PublishedMetric(mean=0.228)},
}


def published_boxes(boxes: int, split: Split, part: str) -> tuple[PublishedBoxes, ...]:
    """Published results, and whether these boxes, of a part of a split, are those they were measured on."""
    same = boxes == NIH_BOXES and split.way == "official" and part == "test"
    return tuple(
        PublishedBoxes(name=name, metrics=metrics, comparable=same) for name, metrics in _PUBLISHED.items()
    )


def count_boxes(table: pd.DataFrame, patients: np.ndarray, grid: tuple[int, int]) -> dict[str, BoxCounts]:
    """The counts of each finding.

    table as `read_boxes` gives it, patients (N,): whose film each of its boxes is on, grid: cells of a map,
    down and across.
    """
    small = table["w"] * table["h"] / RELEASE_SIDE**2 * grid[0] * grid[1] < 1
    rows = table.assign(small=small, patient=patients).groupby("finding")
    return {
        str(name): BoxCounts(
            boxes=len(boxes),
            few=boxes["patient"].nunique() < FEW_BOXES,
            smaller_than_a_cell=int(boxes["small"].sum()),
            targets=boxes["stem"].nunique(),
            patients=boxes["patient"].nunique(),
        )
        for name, boxes in rows
    }


def map_caveats(report: LocalisationReport) -> list[Caveat]:
    """What limits the worth of a report's metrics, read off these."""
    split, found = report.split, list[Caveat]()
    if split.boxes_without_film:
        found.append(BoxesWithoutFilm(boxes=split.boxes, given=split.boxes + split.boxes_without_film))
    for name, method in report.methods.items():
        found += [*_unchanged(name, method), *_not_above(name, method)]
    for finding, counts in report.findings.items():
        small = counts.smaller_than_a_cell
        if 2 * small > counts.boxes:
            found.append(SmallBoxes(finding=finding, boxes=counts.boxes, small=small, cell=report.cell))
    few = tuple(name for name, counts in report.findings.items() if counts.few)
    return found + ([FewBoxes(findings=few)] if few else [])


def _unchanged(name: str, method: MethodMetrics) -> list[Caveat]:
    checks = method.checks.metrics if method.checks else {}
    kept = {stage: checks[stage].value for stage in STAGES if stage in checks}
    return [
        UnchangedMap(method=name, stage=stage, correlation=value)
        for stage, value in kept.items()
        if value is not None and value > UNCHANGED
    ]


def _not_above(name: str, method: MethodMetrics) -> list[Caveat]:
    if name in BASELINES:
        return []
    gaps = {base: method.metrics[f"pointing_above_{base}"].all for base in BASELINES}
    return [
        NotAboveBaseline(method=name, baseline=base)
        for base, gap in gaps.items()
        if gap.low is None or gap.low <= 0
    ]
