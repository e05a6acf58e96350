"""Doubts about the labels of folders: wrong ones stand first, by predictions and by a model's features."""

from pathlib import Path

import numpy as np
import pytest
from doubtful_labels import EFFUSION, INVENTED, MISSED, write_doubtful_folder, write_knowing_predictions
from judged import save_tiny_model, write_common_folder
from unknown_labels import hide_labels

from xlite.data.folder import NihFolder
from xlite.data.split_files import load_split
from xlite.errors import DataError
from xlite.evaluation.contamination.caveats import TrainedOn
from xlite.evaluation.doubts import doubts_by_model, doubts_by_predictions
from xlite.findings import FINDINGS


def test_predictions_that_know_better_name_the_wrong_labels_in_both_directions(tmp_path: Path) -> None:
    folder = write_doubtful_folder(tmp_path / "data")
    file = write_knowing_predictions(tmp_path / "said.csv", folder)
    found = doubts_by_predictions(file, folder.root)
    facts, table = found.facts, found.table
    assert (facts.films, facts.patients, facts.predictions, facts.split) == (200, 200, "said.csv", "")
    assert facts.not_judged == tuple(name for name in FINDINGS if name != "Effusion")
    effusion = facts.findings["Effusion"]
    assert (effusion.films, effusion.positives, effusion.doubtful_yes, effusion.doubtful_no) == (
        200,
        100,
        3,
        3,
    )
    assert (effusion.wrong_yes, effusion.wrong_no) == pytest.approx((0.03, 0.03), abs=0.005)
    assert table["Rank"].tolist() == table["Rank in Finding"].tolist() == [1, 2, 3, 4, 5, 6]
    said = {(row["Image Index"], row["Label"]) for _, row in table.iterrows()}
    assert said == {(f"{film:08d}_000.png", "no") for film in MISSED} | {
        (f"{film:08d}_000.png", "yes") for film in INVENTED
    }
    first = table.iloc[0]
    assert first["Score"] == pytest.approx(
        1 - first["Probability"] if first["Label"] == "no" else first["Probability"]
    )


def test_unknown_labels_are_left_out(tmp_path: Path) -> None:
    folder = write_doubtful_folder(tmp_path / "data")
    file = write_knowing_predictions(tmp_path / "said.csv", folder)
    stem = f"{MISSED[0]:08d}_000"
    hide_labels(folder.root, {stem: ("Effusion",)})
    found = doubts_by_predictions(file, folder.root)
    assert found.facts.findings["Effusion"].films == 199
    assert f"{stem}.png" not in found.table["Image Index"].tolist()


def test_of_a_split_its_train_part_alone_is_looked_at(tmp_path: Path) -> None:
    folder = write_doubtful_folder(tmp_path / "data")
    file = write_knowing_predictions(tmp_path / "said.csv", folder)
    found = doubts_by_predictions(file, folder.root, "patient")
    split = load_split(folder, "patient")
    assert (found.facts.split, found.facts.films) == (split.id, len(split.stems("train")))
    assert {*found.table["Image Index"]} <= {*split.parts["train"]}


def test_predictions_of_other_films_and_labels_of_too_few_patients_are_refused(tmp_path: Path) -> None:
    folder = write_doubtful_folder(tmp_path / "data")
    file = write_knowing_predictions(tmp_path / "said.csv", folder)
    file.write_text(file.read_text().replace("_000.png", "_999.png"))
    with pytest.raises(DataError, match="predictions of none of the 200 films"):
        doubts_by_predictions(file, folder.root)
    few = write_doubtful_folder(tmp_path / "few", films=6)
    with pytest.raises(DataError, match="none of the 14 findings is labelled yes for 5 patients"):
        doubts_by_predictions(write_knowing_predictions(tmp_path / "few.csv", few), few.root)


@pytest.mark.slow
def test_a_model_s_features_are_cross_fitted_and_what_it_knows_is_said(
    tmp_path: Path, tiny_folder: Path, own_home: Path
) -> None:
    model = save_tiny_model(own_home, tiny_folder)
    root = write_common_folder(tmp_path / "common", model)
    calls: list[tuple[int, int]] = []
    found = doubts_by_model(model, root, "patient", progress=lambda *one: calls.append(one))
    films = len(load_split(NihFolder.open(root), "patient").stems("train"))
    assert calls[-1] == (films, films) and [*found.facts.findings] == ["Effusion", "Mass"]
    assert found.facts.model == "tiny" and found.facts.films == films
    [known] = found.facts.caveats
    assert isinstance(known, TrainedOn) and known.known == films
    # The films are noise, so nobody can know better than chance what they show.
    assert found.facts.findings["Effusion"].auc == pytest.approx(0.5, abs=0.15)
    assert not np.isnan(found.table["Probability"]).any() and EFFUSION == 2
