"""Each caveat's sentence has the names and numbers of its fact."""

from typing import get_args

import pytest

from xlite.evaluation.contamination import caveats as facts
from xlite.evaluation.contamination import source_facts
from xlite.evaluation.contamination.caveats import Caveat
from xlite.findings import FINDINGS
from xlite.report.caveat_sentences import sentence

TWO = ("Mass", "Hernia")
SEEN = source_facts.SeenByTeacher(
    split_id="patient-42-0", part="test", films=1500, trained=93, with_val=98, patients=1200
)
SAID: list[tuple[Caveat, str]] = [
    (
        facts.NotListed(),
        "what the model, or its teacher, learned from is not known, so films may not be new to it",
    ),
    (facts.MissingFilms(missing=1, films=1000), "1 of 1,000 films is missing and left out"),
    (
        facts.FlatFilms(flat=2, films=1000),
        "2 of 1,000 films have no contrast (blank, black or white); `xlite data check` lists them",
    ),
    (
        facts.OtherSplit(split_id="a-1", own_split_id="b-2", films=24, learned=None),
        "split a-1 is not the model's own, b-2: this folder does not have that split, so whether it was "
        "trained on these patients is not known",
    ),
    (
        facts.OtherSplit(split_id="a-1", own_split_id="b-2", films=24, learned=0),
        "split a-1 is not the model's own, b-2: by their names none of these 24 films is among those "
        "that the model itself learned from",
    ),
    (
        facts.OtherSplit(
            split_id="all-68c992b02e43",
            own_split_id="b",
            films=24,
            learned=1,
            known=2,
            whole_folder=True,
        ),
        "these are all films of the folder, not a part of the model's own split, b: 1 of these 24 films was "
        "in its training or validation part, 2 are of patients who were",
    ),
    (facts.TrainedOn(films=24, known=24), "the model was trained on these films"),
    (facts.TrainedOn(films=24, known=5), "the model was trained on 5 of these films"),
    (
        facts.ChosenThresholds(findings=TWO),
        "thresholds chosen by hand, not by validation films: Mass, Hernia",
    ),
    (
        facts.ChosenThresholds(findings=TWO, here=("Mass",)),
        "thresholds chosen by hand, not by validation films: Mass, Hernia. Chosen on the very films that are "
        "judged here: Mass, so that F1, precision, sensitivity and specificity are better than other films "
        "will have them",
    ),
    (facts.ChosenOn(known=3), "the model was chosen and calibrated on these films"),
    (
        facts.ChosenOn(known=3, epochs=12),
        "the model was chosen, as the best of 12 epochs, and calibrated on these films",
    ),
    (
        facts.AdaptedOn(films=8, known=2, data="clinic"),
        "calibrator and thresholds were fitted to 2 of the 8 films, when the model was adapted to clinic",
    ),
    (
        facts.SharedPatients(films=8, known=2),
        "the split shares patients: 2 of 8 films (25.0%) are of patients the model was trained on",
    ),
    (
        facts.OtherEdition(learned="2017", judged="2020"),
        "the model learned the 2017 labels, these are the 2020 ones",
    ),
    (
        facts.OtherEdition(learned="2020", judged="unknown"),
        "the model learned 2020 labels, and these are labels of an unknown edition: whether they are the "
        "same cannot be told",
    ),
    (
        facts.NotProbabilities(causes=("focal", "balanced sampler"), findings=FINDINGS),
        "scores are not probabilities: trained with focal and balanced sampler, not calibrated",
    ),
    (
        facts.NotProbabilities(causes=("focal",), findings=TWO),
        "scores of Mass, Hernia are not probabilities: trained with focal, not calibrated",
    ),
    (
        facts.TeacherKnows(
            teachers=(SEEN, source_facts.TeacherSaid(text="and more", counted_on="c-3")), known=1200
        ),
        "teacher contamination: a teacher was trained on 93 of the 1,500 test films of split patient-42-0 "
        "(98 counting validation), and knows the patients of 1,200 of them; and more (counted on the test "
        "part of c-3)",
    ),
    (
        facts.TeacherKnows(
            teachers=(
                source_facts.TeacherUnknown(kind="predictions", name="p.csv"),
                source_facts.TeacherUnknown(kind="split", name="s-4"),
                source_facts.TeacherUnknown(kind="list", name="l.txt"),
                source_facts.TeacherSaid(text="in words"),
            )
        ),
        "teacher contamination: what the model behind the predictions p.csv was trained on is not known: "
        "a list of its training films would tell; a teacher learned from split s-4, which this folder does "
        "not have, so whether it knows these films is not known; a teacher was trained on the films of "
        "a list, l.txt, which is not on this machine, so whether it knows these films is not known: a list "
        "of its training films would tell; in words",
    ),
    (facts.UnknownFilms(films=2), "2 films that the table lacks are left out"),
    (facts.UnknownFilms(films=1, validation=True), "1 validation film that the table lacks is left out"),
    (
        facts.SwappedColumns(pairs=(TWO, ("Edema", "Pleural_Thickening"))),
        "columns may be swapped, each tells the other finding better: Mass and Hernia, Edema and Pleural "
        "thickening",
    ),
    (
        facts.Listed(list_name="seen.txt", films=60, inside=1, known=12),
        "contamination: 1 of these 60 films is in seen.txt, and 12 are of patients who are",
    ),
    (facts.SharedWithValidation(patients=1, name="val"), "1 patient has films both here and in val"),
    (facts.NoThresholds(), "no thresholds given; 0.5 used for every finding"),
    (
        facts.WithheldThresholds(positive={"Mass": 3, "Hernia": 40}, negative={"Mass": 90, "Hernia": 1}),
        "no threshold below 10 validation patients with the finding or without it, so nothing is called and "
        "its rates are undefined: Mass (3 validation patients), Hernia (1 validation patient without it)",
    ),
    (
        facts.OtherPrevalence(here={"Mass": 0.5}, nih={"Mass": 0.0516}),
        "precision, PPV and average precision hold at the prevalence of these films only, which is more than "
        "twice, or less than half, that of all of NIH's films: Mass 50.0% (NIH 5.2%)",
    ),
    (
        facts.NotLabelled(findings=("Mass", "Pleural_Thickening")),
        "not labelled here, so without any metric and left out of all means: Mass, Pleural thickening",
    ),
    (
        facts.UnknownLabels(labelled={"Mass": 1203, "Edema": 40, "Pleural_Thickening": 1203}, films=2000),
        "labels are unknown on some of the 2,000 films, and each finding is judged by the films whose label "
        "of it is known: Mass, Pleural thickening known on 1,203; Edema known on 40",
    ),
    (
        facts.NeverPositive(findings=("Mass", "Pleural_Thickening")),
        "never positive, so without AUC, AP and F1 and left out of their means: Mass, Pleural thickening",
    ),
    (
        facts.AlwaysPositive(findings=TWO),
        "always positive, so without AUC and left out of its mean: Mass, Hernia",
    ),
    (
        facts.NeverCalled(findings=TWO),
        "never called at its threshold, so without precision and left out of its mean: Mass, Hernia",
    ),
    (
        facts.FewPositives(positives={"Mass": 3, "Pleural_Thickening": 9}, auc_without=0.81249),
        "fewer than 10 positives, so hardly known, yet counted in the means: Mass (3), Pleural thickening "
        "(9); without them the mean AUC is 0.812",
    ),
    (
        facts.FewPositives(positives={"Mass": 3}, auc_without=None),
        "fewer than 10 positives, so hardly known, yet counted in the means: Mass (3)",
    ),
    (
        facts.BelowChance(auc={"Pleural_Thickening": 0.1234}),
        "AUC below chance, so the scores may be turned round: Pleural thickening (0.123)",
    ),
    (
        facts.MostlyOnePatient(most=38, films=49, patients=12),
        "38 of 49 films are of one patient, of 12 patients in all, so that most metrics are about that one",
    ),
    (facts.OnePatient(), "all films are of one patient, so there are no intervals"),
    (
        facts.BoxesWithoutFilm(boxes=1, given=5),
        "only 1 of 5 boxes is on films of this part that are in the folder",
    ),
    (
        facts.UnchangedMap(method="eigencam", stage="head", correlation=0.999),
        "EigenCAM hardly changes (rank correlation 1.00) when the classifier forgets what it learned: it "
        "shows where films have structure as much as findings",
    ),
    (
        facts.UnchangedMap(method="eigencam", stage="all", correlation=0.6),
        "EigenCAM hardly changes (rank correlation 0.60) when the whole model forgets what it learned: it is "
        "not a map of the model",
    ),
    (
        facts.NotAboveBaseline(method="gradcam", baseline="centre"),
        "Grad-CAM does not point into more boxes than a map of the film's centre, beyond chance",
    ),
    (
        facts.SmallBoxes(finding="Pleural_Thickening", boxes=1, small=1, cell=0.0204),
        "Pleural thickening: 1 of 1 box is smaller than one cell of a map, 2.0% of the film",
    ),
    (
        facts.FewBoxes(findings=TWO),
        "under 10 patients with a box, so read no metric of theirs alone: Mass, Hernia",
    ),
    (facts.Said(text="in old words"), "in old words"),
]


@pytest.mark.parametrize(("caveat", "text"), SAID, ids=lambda value: getattr(value, "kind", ""))
def test_a_caveat_is_said_with_its_names_and_numbers(caveat: Caveat, text: str) -> None:
    assert sentence(caveat) == text


def test_no_class_is_left_out() -> None:
    union, _ = get_args(Caveat)
    assert {type(caveat) for caveat, _ in SAID} == set(get_args(union))
