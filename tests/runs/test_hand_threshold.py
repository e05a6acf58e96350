"""A threshold that a person chose, in the model file and wherever it is read."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from demo_home import SPLIT, drawn_films, save_demo_evaluation, save_demo_model

from xlite.errors import CheckpointError
from xlite.evaluation.contamination.caveats import Caveat, ChosenOn, TrainedOn
from xlite.evaluation.films import Films
from xlite.evaluation.validation import fit_info
from xlite.findings import FINDINGS
from xlite.metrics.thresholds import ChosenByHand, Thresholds, ValidationPatients
from xlite.metrics.validation_record import promised_rates, validation_records
from xlite.models import available
from xlite.models.checkpoint import load_model
from xlite.models.info import header_of, parse_header, read_info, rewrite_info
from xlite.reading import Reading
from xlite.report.judged import JudgedFilms, judged_films
from xlite.report.saved import Evaluation, read_evaluation
from xlite.report.worth import threshold_sentence
from xlite.runs import hand_threshold
from xlite.runs.hand_threshold import choice_warnings, is_shipped, keep_threshold, threshold_changes

pytestmark = pytest.mark.usefixtures("no_charts")
MASS = FINDINGS.index("Mass")


def judged(films: Films) -> JudgedFilms:
    return JudgedFilms(films.names, films.stems, films.patients, films.labels, films.probs)


@pytest.fixture
def validation() -> Films:
    """The validation films of the model."""
    return drawn_films(np.random.default_rng(7), first=1000)


@pytest.fixture
def model(own_home: Path, validation: Films) -> Path:
    """A model with its validation records, a card and an export."""
    path = save_demo_model(own_home)
    thresholds = Thresholds(np.full(14, 0.5))
    films = validation.labels, validation.probs, validation.patients
    info = read_info(path).model_copy(update={"validation": validation_records(*films, thresholds)})
    rewrite_info(path, info)
    path.with_name("MODEL_CARD.md").write_text("# Model card: demo0\n\nAll of it.\n")
    path.with_name("model.onnx").write_bytes(b"")
    return path


@pytest.fixture
def evaluation(model: Path, own_home: Path) -> Evaluation:
    save_demo_evaluation(own_home)
    return read_evaluation("demo0", model.parent / "evaluation" / "test")


@pytest.mark.slow
def test_another_info_leaves_the_weights_to_the_last_bit(model: Path) -> None:
    (before, info), path = load_model(model), model
    changed = info.noting(run="another name, so that the header has another length")
    rewrite_info(path, changed)
    after, read = load_model(path)
    assert read == changed == read_info(path)
    first, second = before.state_dict(), after.state_dict()
    assert first.keys() == second.keys() and all(bool((first[name] == second[name]).all()) for name in first)
    with pytest.raises(CheckpointError, match="thresholds lack"):
        rewrite_info(path, info.model_copy(update={"thresholds": {"Mass": 0.5}}))
    assert read_info(path) == changed


@pytest.mark.slow
def test_a_threshold_is_kept_and_what_it_is_worth_is_recorded_anew(
    model: Path, evaluation: Evaluation, validation: Films
) -> None:
    before, films = read_info(model), judged_films(evaluation, None)
    kept = keep_threshold(model, evaluation, films, "Mass", 0.25, [judged(validation)])
    info, day = read_info(model), date.today().isoformat()
    positive = films.labels[:, MASS] > 0
    have, lack = len(set(films.patients[positive])), len(set(films.patients[~positive]))
    chosen = ChosenByHand(SPLIT, "test", have, lack, day, 0.5)
    assert info.notes.thresholds_by_hand == {"Mass": chosen}
    assert info.thresholds == {**before.thresholds, "Mass": 0.25}
    called = validation.probs[:, MASS] >= 0.25
    rates = promised_rates(validation.labels[:, MASS] > 0, called, validation.patients)
    record = before.validation["Mass"].model_copy(update=rates)
    assert info.validation == {**before.validation, "Mass": record}
    assert load_model(model)[1] == info
    assert kept.done == (
        "demo0 now calls Mass from 25.0% on instead of 50.0%, chosen by hand on the test part of split "
        f"{SPLIT} on {day}."
    )
    assert [line.split(":")[0] for line in kept.costs] == [
        "It was chosen on test films",
        "Exports made before have the old threshold",
        "Reports made before are of the old threshold",
    ]


def test_films_whose_label_is_unknown_have_no_say_in_a_threshold(
    model: Path, evaluation: Evaluation, validation: Films
) -> None:
    """Neither in whether one may be chosen, nor in what it does on the validation films."""
    gone = np.arange(200) % 4 == 0
    labels = validation.table[list(FINDINGS)].astype(np.float32)
    labels.loc[gone, "Mass"] = np.nan
    validation = replace(validation, table=validation.table.assign(**labels))
    known = validation.labels, validation.probs, validation.patients
    records = validation_records(*known, Thresholds(np.full(14, 0.5)))
    rewrite_info(model, read_info(model).model_copy(update={"validation": records}))
    films = judged_films(evaluation, None)
    films.labels[gone, MASS] = np.nan
    keep_threshold(model, evaluation, films, "Mass", 0.25, [judged(validation)])
    info, rest = read_info(model), validation.labels[~gone, MASS] > 0
    rates = promised_rates(rest, validation.probs[~gone, MASS] >= 0.25, validation.patients[~gone])
    assert info.validation["Mass"] == records["Mass"].model_copy(update=rates)
    chosen, had = info.notes.thresholds_by_hand["Mass"], films.labels[:, MASS]
    both = [len(set(films.patients[had == value])) for value in (1, 0)]
    assert [chosen.positive, chosen.negative] == both
    films.labels[:, MASS] = np.nan
    with pytest.raises(CheckpointError, match="Mass is not labelled here: its label is known of none"):
        keep_threshold(model, evaluation, films, "Mass", 0.3, [])


def test_it_says_so_wherever_the_model_is_read(model: Path, evaluation: Evaluation) -> None:
    films, day = judged_films(evaluation, None), date.today().isoformat()
    keep_threshold(model, evaluation, films, "Mass", 0.25, [])
    info, said = read_info(model), f"chosen by hand on the test part of split {SPLIT} on {day}"
    worth = Reading.by(info, np.full(14, 0.3)).worth("Mass")
    assert threshold_sentence(worth) == f"above the model's threshold of 25.0%, {said}"
    assert "by_hand" in worth.remarks and worth.row()["remarks"].endswith("by_hand")
    other = Reading.by(info, np.full(14, 0.3)).worth("Edema")
    assert other.by_hand is None and "by hand" not in threshold_sentence(other)
    card = model.with_name("MODEL_CARD.md").read_text()
    assert card.startswith("# Model card: demo0\n\nAll of it.\n\n## Thresholds chosen by hand\n")
    assert f"- Mass: 0.250, {said}, in the place of 0.500" in card
    [change] = threshold_changes(info, evaluation.report)
    assert change == (
        f"Mass is now called from 25.0% on, {said}. The tables below are of 50.0%, with which the films were "
        "judged: evaluate again."
    )
    keep_threshold(model, evaluation, films, "Edema", 0.3, [])
    card_file = model.with_name("MODEL_CARD.md")
    # A version that worded the section otherwise, and wrote another behind it.
    card_file.write_text(
        f"{card_file.read_text()}\n## Use\n\nResearch.\n".replace("Not by validation", "Once not by")
    )
    keep_threshold(model, evaluation, films, "Mass", 0.2, [])
    again = card_file.read_text()
    assert again.endswith("\n\n## Use\n\nResearch.\n") and "Once not by" not in again
    assert again.count("## Thresholds chosen by hand") == 1 and "- Edema: 0.300" in again
    assert "- Mass: 0.200" in again and "in the place of 0.500" in again
    assert read_info(model).notes.thresholds_by_hand["Mass"].before == 0.5


def test_without_the_validation_films_its_rates_are_withheld(model: Path, evaluation: Evaluation) -> None:
    before = read_info(model).validation["Mass"]
    others = [judged(drawn_films(np.random.default_rng(8), first=1000))]  # of another model
    kept = keep_threshold(model, evaluation, judged_films(evaluation, None), "Mass", 0.25, others)
    after = read_info(model).validation["Mass"]
    assert (after.sensitivity, after.specificity) == (None, None)
    assert (after.zone, after.ranks_with, after.ranks_without) == (
        before.zone, before.ranks_with, before.ranks_without,
    )  # fmt: skip
    assert kept.costs[1].startswith("What it finds on the validation films is withheld")


def test_only_a_threshold_that_a_person_chose_may_lack_its_rates(model: Path, evaluation: Evaluation) -> None:
    keep_threshold(model, evaluation, judged_films(evaluation, None), "Mass", 0.25, [])
    info = read_info(model)
    bare = info.model_copy(update={"notes": info.notes.without_hand()})
    assert "thresholds_by_hand" not in bare.notes.model_dump()
    with pytest.raises(CheckpointError, match="validation.Mass.sensitivity is None, but its threshold is"):
        parse_header(header_of(bare) | {"format": "xlite-student-1"}, model)


def test_validation_films_that_choose_anew_undo_it(
    model: Path, evaluation: Evaluation, validation: Films
) -> None:
    keep_threshold(model, evaluation, judged_films(evaluation, None), "Mass", 0.25, [])
    fitted = fit_info(read_info(model), validation.logits, validation.labels, validation.patients)
    assert fitted.notes.thresholds_by_hand == {} and "thresholds_by_hand" not in fitted.notes.model_dump()
    assert fitted.validation["Mass"].sensitivity is not None


def test_a_file_without_hand_is_as_it_was(own_home: Path) -> None:
    info = read_info(save_demo_model(own_home))
    assert header_of(info)["notes"] == "{}" and info.notes.thresholds_by_hand == {}


@pytest.mark.parametrize("case", ["shipped", "changed", "calibrated", "few", "trains", "none"])
def test_what_cannot_be_kept_is_refused_and_nothing_is_changed(
    case: str, model: Path, evaluation: Evaluation, monkeypatch: pytest.MonkeyPatch
) -> None:
    films, finding, info = judged_films(evaluation, None), "Mass", read_info(model)
    match case:
        case "shipped":
            monkeypatch.setattr(hand_threshold, "bundled", lambda name: model.parent.parent)
            assert is_shipped(model)
            words = "demo0 comes with X-Lite and is not changed: copy its folder"
        case "changed":
            rewrite_info(model, info.model_copy(update={"thresholds": {**info.thresholds, "Edema": 0.4}}))
            words = "demo0 has changed since it was judged"
        case "calibrated":
            calibration = evaluation.report.calibration.model_copy(update={"in_use": "platt"})
            report = evaluation.report.model_copy(update={"calibration": calibration})
            evaluation = replace(evaluation, report=report)
            words = "demo0 has changed since it was judged"
        case "few":
            finding, words = "Hernia", "Hernia: 0 patients with it and 100 without it"
        case "trains":
            monkeypatch.setattr(hand_threshold.Run, "is_held", lambda self: True)
            words = "demo0 is being trained"
        case _:
            rewrite_info(model, info.model_copy(update={"thresholds": None, "validation": None}))
            words = "demo0 has no thresholds yet"
    before = model.read_bytes()
    with pytest.raises(CheckpointError, match=words):
        keep_threshold(model, evaluation, films, finding, 0.25, [])
    assert model.read_bytes() == before


def test_a_threshold_that_films_known_to_the_model_choose_is_warned_of(own_home: Path) -> None:
    def warnings(part: str, *reasons: Caveat) -> list[str]:
        report = save_demo_evaluation(own_home, caveats=reasons)
        split = report.split.model_copy(update={"part": part})
        return choice_warnings(report.model_copy(update={"split": split}))

    own_val, trained = ChosenOn(known=200), TrainedOn(films=200, known=200)
    assert warnings("val") == warnings("val", own_val) == []
    assert (
        warnings("val", trained)
        == warnings("val", own_val, trained)
        == [
            "200 of 200 val films are known to the model or its teacher: what is known is called with more "
            "confidence than what is new, so that a threshold chosen here need not hold on other films."
        ]
    )
    test, known = warnings("test", trained)
    assert test.startswith("These are test films. ") and known.startswith("200 of 200 test films are known")


def test_a_shipped_model_is_known_by_its_place(own_home: Path) -> None:
    assert is_shipped(available.bundled("checkpoints", "demo", "model.safetensors"))
    assert not is_shipped(own_home / "checkpoints" / "demo" / "model.safetensors")


def test_patients_that_chose_are_those_judged(model: Path, evaluation: Evaluation, own_home: Path) -> None:
    info = read_info(model)
    known = dict.fromkeys(FINDINGS, ValidationPatients(30, 70))
    rewrite_info(model, info.model_copy(update={"thresholds_chosen_on": known}))
    keep_threshold(model, evaluation, judged_films(evaluation, None), "Mass", 0.25, [])
    chosen = read_info(model)
    by_hand = chosen.notes.thresholds_by_hand["Mass"]
    assert chosen.thresholds_chosen_on == {
        **known, "Mass": ValidationPatients(by_hand.positive, by_hand.negative),
    }  # fmt: skip
