"""The written report: what its HTML and Markdown say, and that the file needs nothing but itself."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import plotly.graph_objects as go
import pytest
from demo_home import drawn_films
from xlite.evaluation.doubts import Doubt
from xlite.report.sections.results import published_beside, ranking

from xlite.config import bundled
from xlite.data.predictions import read_predictions
from xlite.errors import DataError
from xlite.evaluation.estimates import evaluate_predictions
from xlite.evaluation.films import Films, read_labels
from xlite.evaluation.judge import Stamp, full_report, write_report
from xlite.findings import FINDINGS, spoken
from xlite.metrics.bands import draw_curves
from xlite.models.checkpoint import load_model
from xlite.models.student import describe
from xlite.report.card import write_card
from xlite.report.document import Alert, Cell, Chart, Heading, Table, Text, to_html, to_markdown
from xlite.report.sections.whole import whole
from xlite.report.sentences import interval, source
from xlite.report.terminal import summary

BLOCKS = [
    Heading("A & B"),
    Text("5 < 6 and *stars*"),
    Alert("Mind", ["one | two"], grave=True),
    Table(
        ["Name", "Figure", "Why"], [["x_y", Cell("0.5", struck=True), Cell("old", grey=True)]], "below", (2,)
    ),
    Chart(lambda: go.Figure(go.Scatter(x=[0, 1], y=[0, 1], name="</script><b>")), "a line"),
]


def judged(**options) -> tuple[dict, Films]:
    """A report on drawn films, thresholds and maps from others."""
    rng = np.random.default_rng(0)
    films, validation = drawn_films(rng), drawn_films(rng, 200)
    report = full_report(
        films,
        Stamp("demo", "patient-42-1a2b3c4d", "test", "2020", 7),
        thresholds=np.full(14, 0.4),
        calibration="none",
        validation=validation,
        validated_on="the 200 films of the val part",
        resamples=20,
        **options,
    )
    return report, films


class Cells(HTMLParser):
    """The texts of a page and the addresses of what it would load."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.loads: list[str] = []
        self.skipped = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.skipped += tag in ("script", "style")
        self.loads += [value for name, value in attrs if name in ("src", "href") and value]

    def handle_endtag(self, tag: str) -> None:
        self.skipped -= tag in ("script", "style")

    def handle_data(self, data: str) -> None:
        if not self.skipped and data.strip():
            self.texts.append(data.strip())


def test_markdown_says_what_the_blocks_say_and_no_mark_is_taken_for_one() -> None:
    assert to_markdown("T_1", BLOCKS) == (
        "# T\\_1\n\n## A & B\n\n5 \\< 6 and \\*stars\\*\n\n> **Mind**\n>\n> - one \\| two\n\n"
        "| Name | Figure | Why |\n| --- | ---: | --- |\n| x\\_y | ~~0.5~~ | *old* |\n\nbelow\n"
    )


def test_html_is_one_file_that_loads_nothing_and_escapes_what_it_is_given() -> None:
    page = to_html("<T>", BLOCKS)
    found = Cells()
    found.feed(page)
    assert found.loads == []
    assert found.texts == [
        "<T>", "<T>", "A & B", "5 < 6 and *stars*", "Mind", "one | two", "Name", "Figure", "Why", "x_y",
        "0.5", "old", "below", "a line",
    ]  # fmt: skip
    assert "<s>0.5</s>" in page and 'class="text grey">old' in page and 'class="alert grave"' in page
    assert "</script><b>" not in page and "\\u003c\\u002fscript" in page
    assert page == to_html("<T>", BLOCKS)


def test_the_folder_holds_the_report_in_each_form(tmp_path: Path) -> None:
    report, films = judged()
    out = tmp_path / "new" / "out"
    write_report(out, report, films)
    assert sorted(path.name for path in out.iterdir()) == [
        "curves.json", "labels.csv", "metrics.json", "predictions.csv", "report.html", "report.md",
    ]  # fmt: skip
    assert json.loads((out / "metrics.json").read_text()) == report
    curves = json.loads((out / "curves.json").read_text())
    assert curves == draw_curves(films.labels, films.probs, films.patients, None, 20, 0)
    assert (out / "report.md").read_text() == to_markdown(*whole(report, curves))
    given = read_predictions(out / "predictions.csv")
    np.testing.assert_array_equal(given.probs.astype(np.float32), films.probs)
    kept = read_labels(out / "labels.csv")
    assert kept.index.tolist() == given.stems
    np.testing.assert_array_equal(kept[list(FINDINGS)], films.labels)
    np.testing.assert_array_equal(kept["patient"], films.patients)
    page = Cells()
    page.feed((out / "report.html").read_text())
    assert page.loads == []
    for c, (finding, figures) in enumerate(report["per_class"].items()):
        assert interval(figures["auc"]) in page.texts, finding
        assert films.labels[:, c].sum() == figures["positives"]
    text = " ".join(page.texts)
    assert source(report) in text and "2020 labels; trained with seed 7; 95 % intervals" in text
    assert "Chosen per finding on the 200 films of the val part" in text
    assert "95 % specificity" in text and "isotonic" in text and "Age: over 60" in text


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    report, films = judged()
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="the report cannot be written to .*file"):
        write_report(tmp_path / "file", report, films)
    with pytest.raises(DataError, match="the labels .*none.csv cannot be read"):
        read_labels(tmp_path / "none.csv")


def test_contaminated_figures_are_struck_through_and_the_films_counted() -> None:
    report, films = judged(
        doubts=[Doubt("a teacher saw 7 films", 7), Doubt("and 9 of them", 9), Doubt("old")]
    )
    assert report["contamination"] == {
        "films": 9, "of": 200, "reasons": ["a teacher saw 7 films", "and 9 of them"], "clean": None,
    }  # fmt: skip
    assert report["warnings"][:3] == ["a teacher saw 7 films", "and 9 of them", "old"]
    text = to_markdown(*whole(report, draw_curves(films.labels, films.probs, films.patients, None, 5, 0)))
    assert "**Contaminated: 9 of 200 films. Figures are struck through.**" in text
    assert "> - A teacher saw 7 films.\n> - And 9 of them." in text
    assert f"| AUC | ~~{interval(report['macro']['auc'])}~~ |" in text
    unknown = (
        "it cannot be told which those are; xlite evaluate … --teacher-list FILE, a list of its teacher's "
        "training films, tells."
    )
    assert f"There are no figures on clean films alone: {unknown}" in text
    bare = re.findall(r"(?<!~)\b0\.\d{3} \(0\.\d{3}–0\.\d{3}\)", text.partition("## Subgroups")[0])
    assert bare == []
    clean, _ = judged()
    assert clean["contamination"] is None


def test_the_clean_films_of_a_contaminated_report_have_figures_of_their_own() -> None:
    _, films = judged()
    known = films.stems[:61]  # of 31 patients, the last with one film
    report, _ = judged(doubts=[Doubt.on("a teacher saw them", known[:40]), Doubt.on("so did I", known[9:])])
    spoiled = report["contamination"]
    assert (spoiled["films"], spoiled["of"]) == (61, 200)
    rest = slice(61, None)
    alone = evaluate_predictions(
        films.labels[rest], films.probs[rest], films.patients[rest], split_id=report["split"]["id"],
        part="test", label_version="2020", thresholds=np.full(14, 0.4), resamples=20,
    )  # fmt: skip
    assert spoiled["clean"] == {**alone, "training_seed": 7}
    text = to_markdown(*whole(report, draw_curves(films.labels, films.probs, films.patients, None, 5, 0)))
    said = (
        "On the 139 clean films, of 70 patients new to what the model learned from, the mean AUC is "
        f"{interval(alone['macro']['auc'])}, mean of 13"
    )
    assert f"{said}." in text and said in summary(report)
    few = [name for name, one in alone["per_class"].items() if one["few_positives"]]
    rows = re.findall(r"^\| ([A-Z][^|]*) \((\d+) positives\) \|", text, re.MULTILINE)
    assert len(rows) == 14 - len(few) and all(int(count) >= 10 for _, count in rows)
    everyone, _ = judged(doubts=[Doubt.on("all seen", films.stems)])
    assert "no figures on clean films alone: none is left" in summary(everyone)


def test_published_results_are_grey_unless_they_are_of_the_same_films(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from xlite.evaluation import references

    report, films = judged()
    assert not any(one["comparable"] for one in report["references"])
    assert "all are grey" in to_markdown("", [*published(report)])
    monkeypatch.setitem(references.TEST_LISTS, references.films_digest(films.stems), "official")
    report, _ = judged()
    same = [one["name"] for one in report["references"] if one["comparable"]]
    assert (len(same), same[0], same[-1]) == (10, "Wang 2017", "EVA-X-B, 86 M")
    text = to_markdown("", published(report))
    assert "| Wang 2017 | 0.745 | measured on NIH's official test list, as here |" in text
    assert "| *CheXNet* | *0.841* | *measured on a random patient split of their own, and these are" in text
    table = published_beside(report, ["Hernia", "Mass"])
    assert table.header == ["AUC", "demo", "DenseNet-121, 448 px", "jrzech", "CheXNet"]
    assert table.rows[1][2:] == [Cell("0.825"), Cell("0.838", grey=True), Cell("0.868", grey=True)]
    assert table.caption == "Of other films, not to be compared: jrzech, CheXNet."


def published(report: dict) -> list:
    """The chapter on published results."""
    from xlite.report.sections.results import references

    return references(report)


def test_models_are_ranked_by_macro_auc() -> None:
    better, worse = ({**judged()[0], "model": name} for name in ("better", "worse"))
    worse["macro"] = {**worse["macro"], "auc": {"value": 0.1, "low": 0.0, "high": 0.2}}
    table = ranking([worse, better])
    assert [row[0] for row in table.rows] == ["better", "worse"]
    assert table.caption == source(better)


def test_few_positives_have_a_star_and_its_meaning() -> None:
    report, films = judged()
    text = to_markdown(*whole(report, draw_curves(films.labels, films.probs, films.patients, None, 5, 0)))
    assert "| Hernia\\* | 0 | undefined | undefined |" in text
    assert "\\* fewer than 10 positives: hardly known." in text
    assert f"| {spoken('Mass')} | {report['per_class']['Mass']['positives']} |" in text


def test_the_shipped_models_report_and_card_are_what_the_code_makes_of_its_figures(tmp_path: Path) -> None:
    demo = bundled("checkpoints", "demo")
    folder = demo / "evaluation" / "test"
    report, curves = (json.loads((folder / name).read_text()) for name in ("metrics.json", "curves.json"))
    assert (folder / "report.md").read_text() == to_markdown(*whole(report, curves))
    model, info = load_model(demo / "model.safetensors")
    size = (demo / "model.safetensors").stat().st_size / 1e6
    (tmp_path / "demo").mkdir()
    write_card(tmp_path / "demo" / "card.md", info, report, describe(model, 224).parameters, size)
    assert (tmp_path / "demo" / "card.md").read_text() == (demo / "MODEL_CARD.md").read_text()
