"""Shortcuts in words: each verdict by the interval, and what it means."""

import pytest

from xlite.evaluation.contamination.caveats import OtherSplit, TrainedOn
from xlite.evaluation.report_base import Bootstrap
from xlite.evaluation.shortcuts.shortcut_report import Hidden, Shortcuts, Told
from xlite.metrics.estimate import Estimate
from xlite.report.document import Alert, to_markdown
from xlite.report.shortcuts import hidden_table, sentences, shortcuts, told_table, warnings


def report(told: dict[str, Estimate], change: Estimate) -> Shortcuts:
    return Shortcuts(
        model="m",
        split="patient-42-0",
        part="test",
        films=100,
        patients=90,
        bootstrap=Bootstrap(resamples=20, seed=0),
        findings=("Pleural_Thickening",),
        auc=Estimate(0.8, 0.7, 0.9),
        told={name: Told(films={"AP": 40, "PA": 60}, auc=auc) for name, auc in told.items()},
        within={},
        hidden={
            "corners": Hidden(
                share=0.14,
                auc=Estimate(0.8, 0.7, 0.9),
                change=change,
                per_class={"Pleural_Thickening": Estimate(-0.01, -0.04, 0.02)},
            )
        },
    )


def test_what_can_be_told_cannot_and_was_not_probed() -> None:
    told = {"view": Estimate(0.98, 0.96, 0.99), "sex": Estimate(0.55, 0.49, 0.61), "age": Estimate(None)}
    found = sentences(report(told, Estimate(0.0, -0.01, 0.01)))
    assert found[0].startswith("From the model's features one can tell view (AUC 0.980 (0.960–0.990)). If")
    assert found[1] == "Not told beyond chance: sex (AUC 0.550 (0.490–0.610))."
    assert found[2] == "Not probed, as that takes 10 patients of two groups at least: age band."


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (Estimate(-0.02, -0.03, -0.01), "by -0.020 (-0.030 to -0.010): some of what the model goes by lies"),
        (Estimate(0.02, 0.01, 0.03), "by +0.020 (+0.010 to +0.030): what lies there misled the model."),
        (Estimate(0.0, -0.01, 0.01), "by +0.000 (-0.010 to +0.010), no more than chance: the model does not"),
    ],
)
def test_what_hiding_a_part_means(change: Estimate, said: str) -> None:
    last = sentences(report({}, change))[-1]
    assert last.startswith("Hiding corners, 14% of the film, changes the mean AUC ") and said in last


def test_below_a_hundred_patients_nothing_is_called_chance_or_more() -> None:
    found = sentences(report({"view": Estimate(0.9)}, Estimate(-0.02)))
    assert [found[0], found[-1]] == [
        "Told with an AUC that has no interval, as there are too few patients: view (AUC 0.900).",
        "Hiding corners, 14% of the film, changes the mean AUC by -0.020: whether that is more than chance "
        "it cannot say below 100 patients.",
    ]


def test_the_tables_have_a_row_each() -> None:
    found = report({"view": Estimate(0.98, 0.96, 0.99)}, Estimate(0.0, -0.01, 0.01))
    assert told_table(found).texts == [["view", "AP 40, PA 60", "0.980 (0.960–0.990)"]]
    assert hidden_table(found).texts == [
        ["mean", "+0.000 (-0.010 to +0.010)"],
        ["Pleural thickening", "-0.010 (-0.040 to +0.020)"],
    ]


def test_aucs_on_films_that_the_model_learned_from_are_struck_through() -> None:
    clean = report({"view": Estimate(0.98, 0.96, 0.99)}, Estimate(0.0, -0.01, 0.01))
    assert warnings(clean) == [] and "~~" not in to_markdown(*shortcuts(clean))
    found = clean.model_copy(update={"known": 60, "caveats": (TrainedOn(films=100, known=60),)})
    contaminated, why = warnings(found)
    assert contaminated == "Contaminated: 60 of 100 films; no AUC is that of a clean test."
    alert = shortcuts(found)[1][1]
    assert alert == Alert("Contaminated: 60 of 100 films. AUCs are struck through.", [why], grave=True)
    text = to_markdown(*shortcuts(found))
    assert "| ~~0.980 (0.960–0.990)~~ |" in text and "| ~~+0.000 (-0.010 to +0.010)~~ |" in text
    assert "All films (contaminated): 0.800" in text


def test_that_nobody_can_tell_what_the_model_learned_from_is_to_be_kept_in_mind() -> None:
    untold = OtherSplit(split_id="a", own_split_id="b", films=100, learned=None)
    found = report({}, Estimate(0.0)).model_copy(update={"caveats": (untold,)})
    assert shortcuts(found)[1][1] == Alert("To keep in mind", warnings(found))
