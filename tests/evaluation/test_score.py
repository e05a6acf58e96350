"""Predictions of anyone: with validation predictions, training lists, radiologists; and odd ones."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from demo_home import drawn_films

from xlite.data.predictions import read_predictions, write_predictions
from xlite.data.tables import read_list
from xlite.errors import DataError
from xlite.evaluation.references import TEST_LISTS, films_digest
from xlite.evaluation.score import score_predictions
from xlite.findings import FINDINGS
from xlite.metrics.calibration import fit_calibration, logit
from xlite.metrics.per_finding import cross_auc
from xlite.metrics.thresholds import choose_thresholds

pytestmark = pytest.mark.usefixtures("no_charts")

HEADER = (
    "Image Index,Finding Labels,Follow-up #,Patient ID,Patient Age,Patient Gender,View Position,"
    "OriginalImage[Width,Height],OriginalImagePixelSpacing[x,y]"
)


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """NIH's table of 400 drawn films of 200 patients; test.csv and val.csv are predictions for its halves."""
    films = drawn_films(np.random.default_rng(0), count=400)
    rows = [HEADER]
    for row, labels in zip(films.table.itertuples(), films.labels, strict=True):
        said = "|".join(np.array(FINDINGS)[labels > 0]) or "No Finding"
        rows.append(f"{row.image},{said},0,{row.patient},{row.age:.0f},{row.sex},{row.view},9,9,1,1")
    (tmp_path / "table_v2020.csv").write_text("\n".join(rows) + "\n")
    for name, half in (("test", slice(0, 200)), ("val", slice(200, 400))):
        write_predictions(tmp_path / f"{name}.csv", films.names[half], films.probs[half])
    return tmp_path / "table_v2020.csv"


def score(table: Path, predictions: str = "test.csv", **options) -> dict:
    folder = table.parent
    return score_predictions(
        folder / predictions, table, folder / "out", say=lambda _: None, resamples=20, **options
    )


def labels_of(table: Path, stems: list[str]) -> np.ndarray:
    """The table's labels read another way."""
    raw = pd.read_csv(table, index_col=False).set_index("Image Index")["Finding Labels"]
    return np.array([[finding in raw[f"{stem}.png"].split("|") for finding in FINDINGS] for stem in stems])


def test_validation_predictions_choose_thresholds_and_maps(table: Path) -> None:
    plain, report = score(table), score(table, validation=table.parent / "val.csv")
    assert (plain["operating_points"], plain["calibration"]["maps"]) == (None, None)
    assert "--validation" in plain["validation"]["note"]
    val = read_predictions(table.parent / "val.csv")
    labels = labels_of(table, val.stems)
    cuts = choose_thresholds(labels, val.probs)
    assert [one["threshold"] for one in report["per_class"].values()] == cuts.tolist()
    assert report["validation"] == {"films": 200, "note": "the 200 films of val.csv"}
    specific = choose_thresholds(labels, val.probs, "specificity_95")
    found = report["operating_points"]["specificity_95"]["per_class"]
    assert [found[finding]["threshold"] for finding in FINDINGS] == specific.tolist()
    temperature = fit_calibration(logit(val.probs), labels, "temperature")["temperature"]
    assert temperature != pytest.approx(1)
    ece = {method: one["macro"]["ece"]["value"] for method, one in report["calibration"]["maps"].items()}
    assert ece["none"] == pytest.approx(plain["macro"]["ece"]["value"], abs=1e-6)
    assert ece["platt"] < ece["none"]
    assert report["macro"]["auc"] == plain["macro"]["auc"]
    assert not any("0.5 used" in text for text in report["warnings"])


def test_given_thresholds_win_over_those_of_validation(table: Path) -> None:
    path = table.parent / "t.json"
    path.write_text(json.dumps(dict.fromkeys(FINDINGS, 0.25)))
    report = score(table, validation=table.parent / "val.csv", thresholds=path)
    assert {one["threshold"] for one in report["per_class"].values()} == {0.25}


def test_thresholds_are_never_chosen_on_films_that_are_judged(table: Path) -> None:
    with pytest.raises(
        DataError, match="200 of the 200 films of .*test.csv are judged too, 00000000_000 first"
    ):
        score(table, validation=table.parent / "test.csv")


def test_patients_that_validation_shares_are_counted(table: Path) -> None:
    given = read_predictions(table.parent / "test.csv")
    write_predictions(table.parent / "odd.csv", given.names[1::2], given.probs[1::2])
    write_predictions(table.parent / "even.csv", given.names[::2], given.probs[::2])
    report = score(table, "odd.csv", validation=table.parent / "even.csv")
    assert "100 patients have films both here and in even.csv" in report["warnings"]
    assert report["contamination"] is None


def test_films_that_were_in_training_strike_the_figures_through(table: Path) -> None:
    names = read_predictions(table.parent / "test.csv").names
    (table.parent / "seen.txt").write_text("\n".join([*names[:11], "00000999_000.png"]))
    report = score(table, trained_on=table.parent / "seen.txt")
    said = "contamination: 11 of these 200 films are in seen.txt, and 12 are of patients who are"
    assert report["warnings"][0] == said
    spoiled = report["contamination"]
    assert {**spoiled, "clean": None} == {"films": 12, "of": 200, "reasons": [said], "clean": None}
    assert (spoiled["clean"]["split"]["images"], spoiled["clean"]["split"]["patients"]) == (188, 94)
    (table.parent / "seen.txt").write_text("00000999_000.png\n")
    assert score(table, trained_on=table.parent / "seen.txt")["contamination"] is None


def test_swapped_columns_are_noticed(table: Path) -> None:
    path = table.parent / "test.csv"
    given = read_predictions(path)
    sharp = np.clip(0.8 * labels_of(table, given.stems) + 0.2 * given.probs, 0, 1)
    write_predictions(path, given.names, sharp)
    assert not any("swapped" in text for text in score(table)["warnings"])
    lines = path.read_text().splitlines()
    lines[0] = lines[0].replace("Mass", "?").replace("Edema", "Mass").replace("?", "Edema")
    path.write_text("\n".join(lines) + "\n")
    said = [text for text in score(table)["warnings"] if "swapped" in text]
    assert said == ["columns may be swapped, each tells the other finding better: Mass and Edema"]


def test_the_auc_of_each_finding_by_each_score_is_the_share_of_pairs_won() -> None:
    films = drawn_films(np.random.default_rng(2), count=60)
    labels, probs = films.labels, films.probs.round(1)
    found = cross_auc(labels, probs)
    for a, b in ((0, 0), (3, 7), (7, 3)):
        high, low = probs[labels[:, a] == 1, b], probs[labels[:, a] == 0, b]
        wins = (high[:, None] > low).mean() + (high[:, None] == low).mean() / 2
        assert found[a, b] == pytest.approx(wins)
    assert np.isnan(found[13]).all()


def test_a_table_of_one_patient_has_figures_without_intervals(table: Path) -> None:
    lines = table.read_text().splitlines()
    rows = [line.split(",") for line in lines[1:]]
    for row in rows:
        row[3] = "7"
    table.write_text("\n".join([lines[0], *(",".join(row) for row in rows)]) + "\n")
    report = score(table)
    assert report["split"]["patients"] == 1
    assert report["macro"]["auc"]["value"] > 0.5 and report["macro"]["auc"]["low"] is None
    assert "all films are of one patient, so there are no intervals" in report["warnings"]
    groups = [group for one in report["subgroups"].values() for group in one["groups"].values()]
    assert {group["auc"]["low"] for group in groups} == {None}
    assert not any(gap["larger_than_noise"] for one in report["subgroups"].values() for gap in one["gaps"])


def test_the_known_test_lists_are_told_by_their_films(shared_data: Path) -> None:
    tables = shared_data / "nih_tables"
    lists = {"official": "test_list.txt", "chexnet": "chexnet_test_list.txt"}
    assert {films_digest(read_list(tables / file)): name for name, file in lists.items()} == TEST_LISTS


@pytest.mark.slow
def test_thresholds_of_other_patients_give_the_public_model_its_known_f1(
    shared_data: Path, tmp_path: Path
) -> None:
    """Macro F1 .316 with thresholds fitted on other patients, .172 at 0.5; ECE .009 needs no map."""
    given = read_predictions(shared_data / "reference" / "densenet121_test_predictions.csv")
    patients = np.array([int(stem[:8]) for stem in given.stems])
    held = np.isin(patients, np.random.default_rng(0).permutation(np.unique(patients))[::2])
    for name, rows in (("test", ~held), ("val", held)):
        names = np.array(given.names)[rows].tolist()
        write_predictions(tmp_path / f"{name}.csv", names, given.probs[rows])
    report = score_predictions(
        tmp_path / "test.csv",
        shared_data / "nih_tables" / "Data_Entry_2017_v2020.csv.gz",
        tmp_path / "out",
        say=lambda _: None,
        resamples=100,
        validation=tmp_path / "val.csv",
    )
    assert report["macro"]["f1"]["value"] == pytest.approx(0.316, abs=0.02)
    assert report["macro"]["f1"]["low"] > 0.25
    maps = report["calibration"]["maps"]
    assert maps["none"]["macro"]["ece"]["value"] == pytest.approx(0.009, abs=0.004)
    assert maps["platt"]["macro"]["ece"]["value"] < 0.011


def test_the_average_of_several_predictions_is_judged_and_compared(table: Path) -> None:
    folder = table.parent
    given = read_predictions(folder / "test.csv")
    other = np.random.default_rng(3).random(given.probs.shape)
    write_predictions(folder / "other.csv", given.names, other)
    write_predictions(folder / "mean.csv", given.names, (given.probs + other) / 2)
    both = f"{folder / 'test.csv'},{folder / 'other.csv'}"
    alone = score(table, "mean.csv", against=folder / "test.csv")
    report = score_predictions(
        both, table, folder / "out", say=lambda _: None, resamples=20, against=folder / "test.csv"
    )
    assert report["model"] == "the average of 2 files"
    assert report["macro"]["auc"] == pytest.approx(alone["macro"]["auc"])
    names = {"names": ["the mean of test.csv and other.csv", "test.csv"]}
    same = {**alone["comparison"], **names, "sentence": report["comparison"]["sentence"]}
    assert report["comparison"] == same
    reverse = score(table, against=both)["comparison"]
    assert reverse["second"] == pytest.approx(alone["comparison"]["first"])
    assert f"against {reverse['second']:.4f} of the mean of test.csv and other.csv, on" in reverse["sentence"]


def test_files_of_one_name_are_told_apart_by_their_folders(table: Path) -> None:
    folder, names = table.parent, {}
    for run in ("a", "b", "c"):
        inside = folder / run / "evaluation" / "test"
        inside.mkdir(parents=True)
        names[run] = inside / "predictions.csv"
        names[run].write_bytes((folder / "test.csv").read_bytes())
    found = score(table, names["a"], against=f"{names['b']},{names['c']}")["comparison"]
    spoken = ["a/evaluation/test/predictions.csv", "the mean of b/evaluation/test/predictions.csv and "
              "c/evaluation/test/predictions.csv"]  # fmt: skip
    assert json.loads((folder / "out" / "comparison.json").read_text())["names"] == found["names"] == spoken
    assert found["sentence"].startswith(
        f"Macro AUC {found['first']:.4f} of {spoken[0]} against {found['second']:.4f} of {spoken[1]}, on the "
    )
    again = score(table, names["a"], against=names["a"])["comparison"]
    assert again["names"] == ["predictions.csv"] * 2
