"""A report's contamination stands at its head, and the clean films have a table of their own."""

import re

import numpy as np
import pytest
from demo_home import drawn_report

from xlite.evaluation.contamination.caveats import OtherEdition, TeacherKnows, TrainedOn
from xlite.evaluation.contamination.source_facts import TeacherUnknown
from xlite.evaluation.estimates import evaluate_predictions
from xlite.evaluation.report_base import Stamp
from xlite.metrics.bootstrap import Resamples
from xlite.metrics.thresholds import Thresholds
from xlite.report.document import Text, to_markdown
from xlite.report.means import shown_mean
from xlite.report.sections.overall import clean_films, grave_blocks, mild_alerts, overall
from xlite.report.sections.whole import whole
from xlite.report.sentences import clean
from xlite.report.view import View
from xlite.report.write import curves_of

pytestmark = pytest.mark.slow

NOT_THESE = (
    "There are no metrics on clean films alone: without a list of its teacher's training films it cannot be "
    "told which those are."
)


def test_contaminated_metrics_are_struck_through_and_the_films_counted() -> None:
    caveats = [
        TrainedOn(films=200, known=7),
        TrainedOn(films=200, known=9),
        OtherEdition(learned="a", judged="b"),
    ]
    report, films = drawn_report(caveats=caveats, threshold=0.4)
    contamination = report.contamination
    assert contamination and (contamination.films, contamination.of, contamination.clean) == (9, 200, None)
    assert list(contamination.reasons) == caveats[:2] and list(report.caveats[:3]) == caveats
    view = View(report, curves_of(report, films))
    text = to_markdown(*whole(view))
    assert "**Contaminated: 9 of 200 films. Metrics are struck through.**" in text
    assert "> - The model was trained on 7 of these films.\n> - The model was trained on 9 of" in text
    assert f"| AUC | ~~{report.macro.auc}~~ |" in text
    assert NOT_THESE in text
    bare = re.findall(r"(?<!~)\b0\.\d{3} \(0\.\d{3}–0\.\d{3}\)", text.partition("## Subgroups")[0])
    assert bare == []
    assert len(grave_blocks(view)) == 2
    [mild] = mild_alerts(view)
    assert mild.sentences[0] == "The model learned the a labels, these are the b ones."


def test_why_nobody_knows_which_films_are_clean_is_said_once() -> None:
    split = TeacherUnknown(kind="split", name="s-4")
    unsure = TeacherKnows(teachers=(split, TeacherUnknown(kind="list", name="known.txt")))
    report, films = drawn_report(caveats=[unsure])
    text = to_markdown(*whole(View(report, curves_of(report, films))))
    assert text.count("s-4") == text.count("known.txt") == 1
    said = (
        "There are no metrics on clean films alone: whether the model or what it learned from knows these "
        "films is not known."
    )
    assert said in text and grave_blocks(View(report, {})) == [Text(said)]
    assert "known.txt" in "".join(mild_alerts(View(report, {}))[0].sentences)


def test_a_clean_report_has_nothing_struck_through() -> None:
    report, _ = drawn_report()
    view = View(report, {})
    assert report.contamination is None
    assert clean_films(view) == grave_blocks(view) == []
    text = to_markdown("", overall(view))
    assert "~~" not in text and f"| AUC | {report.macro.auc} | 0.5 by chance | 13 |" in text


def test_the_clean_films_of_a_contaminated_report_have_metrics_of_their_own() -> None:
    _, films = drawn_report()
    known = films.stems[:61]  # of 31 patients, the last with one film
    caveats = [
        TrainedOn(films=200, known=len(stems), stems=frozenset(stems)) for stems in (known[:40], known[9:])
    ]
    report, _ = drawn_report(caveats=caveats, threshold=0.4, training_seed=7)
    contamination = report.contamination
    assert contamination and (contamination.films, contamination.of) == (61, 200)
    rest = slice(61, None)
    alone = evaluate_predictions(
        films.labels[rest], films.probs[rest], Resamples(films.patients[rest], 20, 0),
        Stamp("m", report.split.id, "test", "2020", 7), Thresholds(np.full(14, 0.4)),
    )  # fmt: skip
    assert contamination.clean == alone
    text = to_markdown("", clean_films(View(report, {})))
    said = (
        "On the 139 clean films, of 70 patients new to what the model learned from, the mean AUC is "
        f"{shown_mean(alone, 'auc')}, mean of 13"
    )
    assert clean(report) == said and f"{said}." in text
    assert re.search(rf"^\| Mean of 13 .*\| {alone.baseline.perfect_ece:.3f} \|$", text, re.MULTILINE)
    few = [name for name, one in alone.per_class.items() if one.few_positives]
    rows = re.findall(r"^\| ([A-Z][^|]*) \(\d+ films of (\d+) patients\) \|", text, re.MULTILINE)
    assert len(rows) == 14 - len(few) and all(int(patients) >= 10 for _, patients in rows)
    everyone, _ = drawn_report(caveats=[TrainedOn(films=200, known=200, stems=frozenset(films.stems))])
    assert "none is left" in to_markdown("", clean_films(View(everyone, {})))
