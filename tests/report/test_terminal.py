"""The report on a terminal."""

import numpy as np
import pytest
from demo_home import SPLIT, drawn_films, drawn_report

from xlite.evaluation.contamination.caveats import Said, TrainedOn
from xlite.evaluation.full_report import InUse, ValidationFilms, full_report
from xlite.evaluation.report_base import Stamp
from xlite.evaluation.subgroups_report import Gap, Subgroups
from xlite.evaluation.validation_report import Validation
from xlite.findings import FINDINGS
from xlite.metrics.bootstrap import Resamples
from xlite.metrics.estimate import Estimate
from xlite.report.sentences import clean
from xlite.report.terminal import summary

pytestmark = pytest.mark.slow


def test_a_summary_has_a_row_a_finding_the_films_and_the_warnings() -> None:
    report, _ = drawn_report(caveats=[Said(text="another edition")])
    lines = summary(report).splitlines()
    assert len(lines[0].split()) == 7
    mass = report.per_class["Mass"]
    assert [line.split()[:4] for line in lines if line.startswith("Mass")] == [
        ["Mass", f"{mass.auc.value:.3f}", f"{mass.auc.low:.3f}", "to"]
    ]
    assert [line.split()[1:] for line in lines if line.startswith("Hernia")] == [["–", "–", "–", "0"]]
    assert any(line.startswith("Pleural thickening ") for line in lines)
    assert f"200 films of 100 patients, split {SPLIT}, part test, labels 2020" in lines
    assert "Warning: another edition" in lines
    assert not any(line.startswith("Contaminated") for line in lines)


def test_a_contaminated_summary_counts_the_films_and_has_the_clean_mean() -> None:
    _, films = drawn_report()
    for known in (films.stems[:60], films.stems):
        seen = TrainedOn(films=200, known=len(known), stems=frozenset(known))
        report, _ = drawn_report(caveats=[seen])
        lines = summary(report).splitlines()
        assert any(line.startswith(f"Contaminated: {len(known)} of 200 films") for line in lines)
        assert clean(report) in lines
    assert clean(report).endswith("none is left")


def test_a_gap_of_the_mean_is_told_and_that_of_a_finding_is_not() -> None:
    report, _ = drawn_report()
    gaps = [
        Gap(
            between=("F", "M"), finding=finding, findings=3, values=(0.8, 0.7),
            difference=Estimate(0.1, 0.05, 0.15), larger_than_noise=True,
        )
        for finding in (None, "Mass")
    ]  # fmt: skip
    subgroups = {"sex": Subgroups(groups={}, gaps=tuple(gaps))}
    text = summary(report.model_copy(update={"subgroups": subgroups}))
    assert "The mean AUC of 3 findings is higher on films of sex F (0.800)" in text
    assert "AUC of Mass" not in text


def test_a_summary_without_any_positive_is_no_crash() -> None:
    films = drawn_films(np.random.default_rng(0), count=5)
    films.table[list(FINDINGS)] = 0
    report = full_report(
        films,
        Stamp("m", "s", "test", "2020"),
        Resamples(films.patients, 9),
        InUse(None, "none"),
        ValidationFilms(None, Validation(absent="not_given")),
    )
    assert report.macro.auc.value is None
    assert "Mean" in summary(report)
