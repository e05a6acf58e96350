"""Several models on the same films."""

import pytest
from demo_home import drawn_report

from xlite.metrics.estimate import Estimate, FixedMean
from xlite.report.sections.ranking import ranking
from xlite.report.view import View

pytestmark = pytest.mark.slow


def test_models_are_ranked_by_macro_auc() -> None:
    better, worse = (drawn_report(name)[0] for name in ("better", "worse"))
    macro = worse.macro.model_copy(update={"auc": Estimate(0.1, 0.0, 0.2)})
    views = [View(report, {}) for report in (worse.model_copy(update={"macro": macro}), better)]
    table = ranking(views)
    assert [row[0] for row in table.rows] == ["better", "worse"]
    perfect = f"{better.baseline.perfect_ece:.3f}"
    assert table.rows[0][table.header.index("ECE if perfect")] == perfect
    told = "Mean AUC: mean of 13. AP at a mean prevalence of 0.213. Split"
    assert table.caption.startswith(f"{told} patient-42-1a2b3c4d, test part")


def test_a_mean_without_interval_is_told_with_that_of_fewer_findings() -> None:
    report, other = drawn_report("few")[0], drawn_report("other")[0]
    fixed = FixedMean(("Mass", "Nodule"), Estimate(0.735, 0.702, 0.761))
    one = report.model_copy(update={"macro_fixed": {**report.macro_fixed, "auc": fixed}})
    told = "mean of 13; 0.735 (0.702–0.761) of the 2 with 10 patients or more. "
    assert ranking([View(one, {})]).caption.startswith(f"Mean AUC: {told}AP at a mean prevalence")
    both = f"Mean AUC of few: {told}Mean AUC of other: mean of 13. AP at a mean prevalence"
    assert ranking([View(one, {}), View(other, {})]).caption.startswith(both)
