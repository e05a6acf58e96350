"""Dots with intervals as they are drawn."""

from xlite.evaluation.report import Group, Reference, Subgroups
from xlite.findings import FINDINGS
from xlite.metrics.estimate import Estimate
from xlite.plots import PALETTE, QUIET
from xlite.report.charts.intervals import auc_figure, groups_figure

AUCS = {name: Estimate(0.8, 0.75, 0.9) for name in FINDINGS} | {"Hernia": Estimate(None)}


def test_each_finding_has_a_dot_with_its_interval_and_the_undefined_none() -> None:
    [dots] = auc_figure({"one": AUCS}, ("source",)).data
    assert len(dots.x) == 13 and set(dots.x) == {0.8} and 0 not in dots.y
    assert set(dots.error_x.array.round(6)) == {0.1} and set(dots.error_x.arrayminus.round(6)) == {0.05}


def test_published_results_are_diamonds_grey_if_of_other_films() -> None:
    aucs = dict.fromkeys(FINDINGS, 0.7)
    references = [
        Reference(name="same", auc=0.7, per_class=aucs, comparable=True, films="official"),
        Reference(name="other", auc=0.7, per_class=aucs, comparable=False, films="random"),
        Reference(name="mean alone", auc=0.7, per_class=None, comparable=True, films="official"),
    ]
    same, other, _ = auc_figure({"one": AUCS}, ("source",), references).data
    assert (same.name, same.marker.color, same.opacity) == ("same", PALETTE[1], 1)
    assert (other.name, other.marker.color) == ("other (other films)", QUIET)


def test_each_group_has_a_row() -> None:
    groups = {
        name: Group(images=images, patients=1, auc=Estimate(auc), findings=3, per_class={})
        for name, images, auc in (("AP", 1, 0.6), ("PA", 2, None))
    }
    [dots] = groups_figure({"view": Subgroups(groups=groups, gaps=())}, ("source",)).data
    assert (list(dots.x), list(dots.y)) == ([0.6], [1])
    figure = groups_figure({"view": Subgroups(groups=groups, gaps=())}, ("source",))
    assert figure.layout.yaxis.ticktext == ("AP  (1 film)", "PA  (2 films)")
