"""The files of a report, and what they say."""

import json
from pathlib import Path

import numpy as np
import pytest
from demo_home import drawn_report
from html_texts import HtmlTexts

from xlite.data.predictions import read_predictions
from xlite.errors import DataError
from xlite.evaluation.films import read_labels
from xlite.findings import FINDINGS
from xlite.metrics.bands import draw_curves
from xlite.metrics.bootstrap import Resamples
from xlite.report.curves_json import read_curves
from xlite.report.document import to_markdown
from xlite.report.metrics_json import report_json
from xlite.report.sections.whole import whole
from xlite.report.sentences import source
from xlite.report.view import View
from xlite.report.write import write_report


def test_the_folder_holds_the_report_in_each_form(tmp_path: Path) -> None:
    report, films = drawn_report(threshold=0.4, training_seed=7)
    out = tmp_path / "new" / "out"
    write_report(out, report, films)
    assert sorted(path.name for path in out.iterdir()) == [
        "curves.json", "labels.csv", "metrics.json", "predictions.csv", "report.html", "report.md",
    ]  # fmt: skip
    assert json.loads((out / "metrics.json").read_text()) == report_json(report)
    curves = json.loads((out / "curves.json").read_text())
    assert curves == draw_curves(films.labels, films.probs, Resamples(films.patients, 20, 0))
    assert (out / "report.md").read_text() == to_markdown(*whole(View(report, read_curves(curves))))
    given = read_predictions(out / "predictions.csv")
    np.testing.assert_array_equal(given.probs.astype(np.float32), films.probs)
    kept = read_labels(out / "labels.csv")
    assert kept.index.tolist() == given.stems
    np.testing.assert_array_equal(kept[list(FINDINGS)], films.labels)
    np.testing.assert_array_equal(kept["patient"], films.patients)
    page = HtmlTexts()
    page.feed((out / "report.html").read_text())
    assert page.loads == []
    for c, (finding, one) in enumerate(report.per_class.items()):
        assert str(one.auc) in page.texts, finding
        assert films.labels[:, c].sum() == one.positives
    text = " ".join(page.texts)
    assert source(report) in text and "2020 labels; trained with seed 7; 95 % intervals" in text
    assert "Chosen per finding on the 200 films of the val part" in text
    assert "95 % specificity" in text and "isotonic" in text and "Age: over 60" in text


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    report, films = drawn_report()
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="cannot be written to .*file"):
        write_report(tmp_path / "file", report, films)
