"""Doubts about labels in words."""

from xlite.evaluation.contamination.caveats import TrainedOn
from xlite.evaluation.doubts import FindingDoubts, LabelDoubts
from xlite.report.doubts import findings_table, sentences

FACTS = LabelDoubts(
    data="films",
    data_fingerprint="0" * 12,
    label_version="2020",
    split="patient-42-1a2b3c4d",
    films=1200,
    patients=800,
    model="demo",
    findings={
        "Pleural_Thickening": FindingDoubts(
            films=1100,
            positives=100,
            auc=0.8,
            wrong_yes=0.3,
            wrong_no=0.02,
            noise=0.045,
            doubtful_yes=30,
            doubtful_no=20,
        )
    },
    not_judged=("Hernia",),
    caveats=(TrainedOn(films=1200, known=1200, stems=frozenset()),),
)


def test_counts_source_and_caveats_are_said() -> None:
    said = list(sentences(FACTS))
    assert said[0] == (
        "1,200 films of 800 patients of the train part of patient-42-1a2b3c4d, labels 2020: 50 labels in "
        "doubt, 30 that say yes and 20 that say no."
    )
    assert said[1].startswith(
        "By the features of demo: a logistic regression a finding, cross-fitted in 5 folds"
    )
    assert said[2] == "The model was trained on these films."
    assert said[-1].endswith("5 patients with the finding and as many without: Hernia.")


def test_of_predictions_it_is_said_that_nobody_can_check_them() -> None:
    given = FACTS.model_copy(update={"model": "", "predictions": "said.csv", "caveats": (), "split": ""})
    said = list(sentences(given))
    assert said[0].startswith("1,200 films of 800 patients, labels 2020: ")
    assert said[1].startswith("By the predictions said.csv. Nobody can check that they are out of fold")


def test_the_table_has_both_directions() -> None:
    table = findings_table(FACTS)
    assert table.texts == [["Pleural thickening", "1,100", "100", "0.800", "4.5%", "30 (30.0%)", "20 (2.0%)"]]
