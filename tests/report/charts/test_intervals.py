"""Dots with intervals as they are drawn."""

from xlite.evaluation.report import Reference
from xlite.evaluation.subgroups_report import Group, Subgroups
from xlite.findings import FINDINGS
from xlite.metrics.estimate import Estimate
from xlite.plots import PALETTE
from xlite.report.charts.intervals import GREY, auc_figure, groups_figure

AUCS = {name: Estimate(0.8, 0.75, 0.9) for name in FINDINGS} | {"Hernia": Estimate(None)}


def test_each_finding_has_a_dot_with_its_interval_and_the_undefined_none() -> None:
    [dots] = auc_figure({"one": AUCS}, ("source",)).data
    assert len(dots.x) == 13 and set(dots.x) == {0.8} and 0 not in dots.y
    assert set(dots.error_x.array.round(6)) == {0.1} and set(dots.error_x.arrayminus.round(6)) == {0.05}


def test_published_results_have_a_shape_each_and_are_grey_if_of_other_films() -> None:
    aucs = dict.fromkeys(FINDINGS, 0.7)
    references = [
        Reference(name="same", auc=0.7, per_class=aucs, comparable=True, films="official"),
        Reference(name="mean alone", auc=0.7, per_class=None, comparable=True, films="official"),
        Reference(name="other", auc=0.7, per_class=aucs, comparable=False, films="random"),
        Reference(name="third", auc=0.7, per_class=aucs, comparable=False, films="random"),
    ]
    *shown, _ = auc_figure({"one": AUCS}, ("source",), references).data
    assert [(one.name, one.marker.symbol, one.marker.color) for one in shown] == [
        ("same", "diamond-open", PALETTE[1]),
        ("other (other films)", "square-open", GREY),
        ("third (other films)", "triangle-up-open", GREY),
    ]
    assert all(one.opacity is None for one in shown)


def test_each_group_has_a_row_that_says_if_its_auc_is_undefined() -> None:
    groups = {
        name: Group(images=images, patients=1, auc=auc, findings=3, per_class={})
        for name, images, auc in (
            ("AP", 1, Estimate(0.6, 0.31, 0.8)), ("PA", 2, Estimate(None)),
        )
    }  # fmt: skip
    subgroups = {
        "view": Subgroups(groups=groups, gaps=()),
        "sex": Subgroups(groups={"F": groups["PA"]}, gaps=()),
    }
    figure = groups_figure(subgroups, ("source",))
    assert [(list(dots.x), list(dots.y)) for dots in figure.data] == [([], []), ([0.6], [2])]
    assert figure.layout.yaxis.ticktext == ("F  (2 films)", "PA  (2 films)", "AP  (1 film)")
    assert (figure.layout.yaxis.range, figure.layout.yaxis.tickvals) == ((-0.6, 2.6), (0, 1, 2))
    assert [(note.text, note.y) for note in figure.layout.annotations] == [("undefined", 0), ("undefined", 1)]
    assert figure.layout.xaxis.range == (0.29, 1.02)


def test_a_chart_without_any_auc_has_its_rows_and_its_axis() -> None:
    figure = auc_figure({"one": dict.fromkeys(FINDINGS, Estimate(None))}, ("source",))
    assert (figure.layout.xaxis.range, figure.layout.yaxis.range) == ((0.4, 1.02), (-0.6, 13.6))
    assert [note.y for note in figure.layout.annotations] == list(range(14))


def test_the_legend_stands_at_the_foot_of_the_figure_clear_of_the_axis() -> None:
    legend = auc_figure({"one": AUCS, "two": AUCS}, ("source",)).layout.legend
    assert (legend.yref, legend.y, legend.yanchor) == ("container", 0, "bottom")
