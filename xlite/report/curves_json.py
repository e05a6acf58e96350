"""curves.json: the curves that `draw_curves` makes, by finding."""

from typing import Any

from xlite.findings import FINDINGS
from xlite.metrics.bands import Curves, FindingCurves


def read_curves(content: dict[str, Any]) -> Curves:
    """The curves of all 14 findings from curves.json; raises pydantic's ValidationError, or KeyError."""
    return {finding: FindingCurves.model_validate(content[finding]) for finding in FINDINGS}


def dump_curves(curves: Curves) -> dict[str, Any]:
    """curves.json of the curves."""
    return {
        finding: one.model_dump(exclude=None if one.reliability_before else {"reliability_before"})
        for finding, one in curves.items()
    }
