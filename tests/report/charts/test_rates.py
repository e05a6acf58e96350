"""ROC and precision-recall curves as they are drawn."""

from pathlib import Path

import pytest
from demo_home import save_demo_evaluation

from xlite.evaluation.contamination.caveats import TrainedOn
from xlite.report.charts.rates import Kind, Mark, curves_figure, curves_grid, model_curves, model_curves_words
from xlite.report.saved import read_evaluation
from xlite.report.view import View


@pytest.fixture
def clean(own_home: Path, no_charts: None) -> View:
    save_demo_evaluation(own_home)
    return read_evaluation("demo0", own_home / "checkpoints" / "demo0" / "evaluation" / "test").view()


@pytest.fixture
def contaminated(own_home: Path, no_charts: None) -> View:
    save_demo_evaluation(own_home, "seen", caveats=[TrainedOn(films=200, known=7)])
    return read_evaluation("seen", own_home / "checkpoints" / "seen" / "evaluation" / "test").view()


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["roc", "pr"])
def test_a_curve_is_labelled_with_its_area(clean: View, contaminated: View, kind: Kind) -> None:
    one = clean.report.per_class["Pleural_Thickening"]
    area = one.auc if kind == "roc" else one.ap
    [alone] = model_curves([clean], ["Pleural_Thickening"], kind)
    assert alone.name == f"Pleural thickening  {area}"
    first, second = model_curves([clean, contaminated], ["Pleural_Thickening"], kind)
    assert first.name == f"Pleural thickening demo0  {area}"
    assert second.name == f"Pleural thickening seen  <s>{area}</s>"
    assert model_curves_words([clean], ["Pleural_Thickening"], kind) == f"Pleural thickening {area}"
    assert model_curves_words([clean, contaminated], ["Pleural_Thickening"], kind) == (
        f"Pleural thickening demo0 {area}; Pleural thickening seen {area} (struck through)"
    )
    points = clean.curves["Pleural_Thickening"]
    expected = (points.roc.fpr, points.roc.tpr) if kind == "roc" else (points.pr.recall, points.pr.precision)
    assert (alone.x, alone.y) == expected


def test_of_many_curves_one_has_its_band(clean: View) -> None:
    two, three = (
        curves_figure(model_curves([clean], names, "pr"), ("source",), "pr")
        for names in (["Mass", "Edema"], ["Mass", "Edema", "Fibrosis"])
    )
    assert [sum(trace.fill == "toself" for trace in figure.data) for figure in (two, three)] == [2, 1]
    assert [len(figure.data) for figure in (two, three)] == [4, 4]


def test_a_grid_has_a_panel_a_finding(clean: View) -> None:
    panels = {name: model_curves([clean], [name], "roc") for name in ("Mass", "Edema", "Hernia")}
    figure = curves_grid(panels, ("source",), "roc")
    notes = [note.text for note in figure.layout.annotations]
    assert [text for text in notes if "  " not in text] == ["Mass", "Edema", "Hernia"]
    assert figure.layout.xaxis3.domain[0] > figure.layout.xaxis2.domain[1] > 0
    assert len(figure.data) == 3 + 2 * 2 + 1  # diagonals, curves with bands, and one that is undefined


def test_a_finding_has_a_colour_and_a_model_a_dash(clean: View, contaminated: View) -> None:
    lines = model_curves([clean, contaminated], ["Mass", "Edema"], "roc")
    assert [(line.hue, line.dash) for line in lines] == [(0, "solid"), (0, "dash"), (1, "solid"), (1, "dash")]
    drawn = [trace for trace in curves_figure(lines, (), "roc", ("#111111", "#222222")).data if trace.name]
    assert [(trace.line.color, trace.line.dash) for trace in drawn] == [
        ("#111111", "solid"), ("#111111", "dash"), ("#222222", "solid"), ("#222222", "dash"),
    ]  # fmt: skip


def test_each_line_has_its_band_if_that_is_wanted(clean: View) -> None:
    lines = model_curves([clean], ["Mass", "Edema", "Fibrosis"], "pr")
    figure = curves_figure(lines, (), "pr", all_bands=True)
    assert sum(trace.fill == "toself" for trace in figure.data) == 3


def test_a_point_is_marked_on_a_curve(clean: View) -> None:
    figure = curves_figure(model_curves([clean], ["Mass"], "roc"), (), "roc", mark=Mark(0.1, 0.7, "at 31.0%"))
    point = figure.data[-1]
    assert (point.x, point.y, point.name, point.mode) == ((0.1,), (0.7,), "at 31.0%", "markers")
