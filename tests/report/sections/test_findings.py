"""The tables of findings."""

import pytest
from demo_home import drawn_report

from xlite.report.document import to_markdown
from xlite.report.sections.findings import findings, strongest
from xlite.report.view import View

pytestmark = pytest.mark.slow


def test_few_positives_have_a_star_and_its_meaning() -> None:
    report, _ = drawn_report(threshold=0.4)
    text = to_markdown("", findings(View(report, {})))
    assert "| Hernia\\* | 0 | undefined | undefined |" in text
    assert "\\* fewer than 10 positive patients: hardly known." in text
    mass = report.per_class["Mass"]
    assert f"| Mass | {mass.positives} films of {mass.positive_patients} patients | {mass.auc} |" in text


def test_the_strongest_have_the_most_positives_and_an_auc() -> None:
    report, _ = drawn_report()
    names = strongest(report)
    counts = {name: one.positives for name, one in report.per_class.items()}
    assert len(names) == 4 and "Hernia" not in names
    assert [counts[name] for name in names] == sorted(counts.values(), reverse=True)[:4]
    assert len(strongest(report, 20)) == 13
