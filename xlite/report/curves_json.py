"""curves.json, as `draw_curves` makes it: ROC, precision-recall and reliability of each finding."""

from typing import Any

from pydantic import BaseModel, ConfigDict

from xlite.findings import FINDINGS


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True)


class RocBand(_Part):
    """The 95 % interval of the sensitivity at each false positive rate; empty if it is undefined."""

    fpr: list[float]
    low: list[float]
    high: list[float]


class Roc(_Part):
    """A ROC curve, rates 0-1; empty if it is undefined."""

    fpr: list[float]
    tpr: list[float]
    band: RocBand


class PrecisionBand(_Part):
    """The 95 % interval of the precision at each recall; empty if it is undefined."""

    recall: list[float]
    low: list[float]
    high: list[float]


class PrecisionRecall(_Part):
    """A precision-recall curve, rates 0-1; empty if it is undefined."""

    recall: list[float]
    precision: list[float]
    band: PrecisionBand


class Reliability(_Part):
    """The calibration bins that hold films: how many, mean probability, share of positives with interval."""

    films: list[int]
    probability: list[float]
    share: list[float]
    low: list[float | None]
    high: list[float | None]


class FindingCurves(_Part):
    """One finding's curves; `reliability_before` is that before calibration, if there was any."""

    roc: Roc
    pr: PrecisionRecall
    reliability: Reliability
    reliability_before: Reliability | None = None


Curves = dict[str, FindingCurves]


def read_curves(content: dict[str, Any]) -> Curves:
    """The curves of all 14 findings from curves.json; raises pydantic's ValidationError, or KeyError."""
    return {finding: FindingCurves.model_validate(content[finding]) for finding in FINDINGS}


def dump_curves(curves: Curves) -> dict[str, Any]:
    """curves.json of the curves."""
    return {
        finding: one.model_dump(exclude=None if one.reliability_before else {"reliability_before"})
        for finding, one in curves.items()
    }
