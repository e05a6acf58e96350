"""Predictions of anyone: with validation predictions, training lists, radiologists; and odd ones."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TypeVar

import numpy as np
import pandas as pd
import pytest
from demo_home import drawn_films
from judged import TABLE, write_some_predictions

from xlite.data.folder import PHANTOM_NOTE, PHANTOM_TITLE, NihFolder
from xlite.data.predictions import read_predictions, write_predictions
from xlite.data.tables import read_table
from xlite.errors import DataError
from xlite.evaluation.compare import compare_files
from xlite.evaluation.contamination.caveats import (
    Listed,
    NoThresholds,
    NotListed,
    OnePatient,
    SharedWithValidation,
    SwappedColumns,
    UnknownFilms,
)
from xlite.evaluation.options import ScoreOptions
from xlite.evaluation.report import Contamination, Report
from xlite.evaluation.score import judge_predictions
from xlite.evaluation.validation_report import Validation
from xlite.findings import FINDINGS
from xlite.metrics.calibration import fit_calibrator, logit
from xlite.metrics.thresholds import Thresholds
from xlite.report.caveat_sentences import sentence
from xlite.report.metrics_json import report_json
from xlite.report.sentences import clean, comparison_sentence
from xlite.report.terminal import summary

pytestmark = pytest.mark.slow

Kind = TypeVar("Kind")
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


@pytest.fixture
def predictions(tiny_folder: Path, tmp_path: Path) -> Path:
    return write_some_predictions(tmp_path / "p.csv", tiny_folder)


def score(table: Path, predictions: Path | str = "test.csv", **options) -> Report:
    options = ScoreOptions(resamples=20, **options)
    return judge_predictions(table.parent / predictions, table, options).report


def caveats(report: Report, kind: type[Kind]) -> list[Kind]:
    """Those of the report's caveats that are of a class."""
    return [caveat for caveat in report.caveats if isinstance(caveat, kind)]


def labels_of(table: Path, stems: list[str]) -> np.ndarray:
    """The table's labels read another way."""
    raw = pd.read_csv(table, index_col=False).set_index("Image Index")["Finding Labels"]
    return np.array([[finding in raw[f"{stem}.png"].split("|") for finding in FINDINGS] for stem in stems])


def test_predictions_are_scored_by_the_table(predictions: Path, tiny_folder: Path) -> None:
    found = judge_predictions(predictions, tiny_folder / TABLE, ScoreOptions(resamples=20))
    report, folder, given = found.report, NihFolder.open(tiny_folder), read_predictions(predictions)
    assert report.split.id.startswith("table:2020:")
    assert (report.model, report.split.part, report.split.label_version) == ("p.csv", "all", "2020")
    assert (report.split.images, report.split.patients, found.listed) == (23, 12, 24)
    positives = folder.labels(given.stems).sum(axis=0).tolist()
    assert [one.positives for one in report.per_class.values()] == positives
    y, p = folder.labels(given.stems)[:, 5], given.probs[:, 5]
    wins = [(a > b) + (a == b) / 2 for a in p[y == 1] for b in p[y == 0]]
    assert report.per_class["Nodule"].auc.value == pytest.approx(np.mean(wins))
    assert (found.films.names, found.classifier) == (given.names, None)
    np.testing.assert_array_equal(found.films.probs, given.probs)
    assert caveats(report, NoThresholds) == [NoThresholds()]
    assert report.calibration.in_use == "as given"
    folder_that_holds_it = judge_predictions(predictions, tiny_folder, ScoreOptions(resamples=20))
    assert folder_that_holds_it.report == report


def test_of_drawn_films_no_published_result_stands_beside_them(predictions: Path, tiny_folder: Path) -> None:
    def found() -> int:
        return len(judge_predictions(predictions, tiny_folder, ScoreOptions(resamples=2)).report.references)

    assert found() == 14
    (tiny_folder / PHANTOM_NOTE).write_text(PHANTOM_TITLE)
    assert found() == 0


def test_the_id_of_a_scored_set_follows_its_films(predictions: Path, tiny_folder: Path) -> None:
    def split_id() -> str:
        return judge_predictions(predictions, tiny_folder, ScoreOptions(resamples=2)).report.split.id

    first = split_id()
    lines = predictions.read_text().splitlines()
    predictions.write_text("\n".join([lines[0], *reversed(lines[1:])]) + "\n")
    assert split_id() == first
    predictions.write_text("\n".join(lines[:-1]) + "\n")
    assert split_id() != first


@pytest.mark.parametrize("numbered", ["{}.0", "{:04}", "32190288767206698995128181920214{:04}"])
def test_ids_of_any_length_are_as_many_patients_and_drawn_alike(table: Path, numbered: str) -> None:
    before = score(table, validation=table.parent / "val.csv")
    head, *rows = (line.split(",") for line in table.read_text().splitlines())
    lines = [",".join([*row[:3], numbered.format(int(row[3])), *row[4:]]) for row in rows]
    table.write_text("\n".join([",".join(head), *lines]) + "\n")
    assert score(table, validation=table.parent / "val.csv") == before
    assert before.split.patients == 100


def test_an_edition_that_is_not_certain_is_said_to_be_unknown(table: Path) -> None:
    known = score(table).split
    split = score(table.rename(table.with_name("table.csv"))).split
    assert (known.label_version, split.label_version) == ("2020", "unknown")
    assert split.id == known.id.replace("2020", "unknown")


@pytest.mark.parametrize("form", ["{}.png,", "{} ", "D:\\cxr\\{}.PNG;", '"{}.dcm"\n'])
def test_films_that_were_trained_on_are_counted_in_every_form_of_a_list(table: Path, form: str) -> None:
    stems = read_predictions(table.parent / "test.csv").stems[:20]
    (table.parent / "seen.txt").write_text("".join(form.format(stem) for stem in stems))
    found = caveats(score(table, trained_on=table.parent / "seen.txt"), Listed)
    assert [(one.inside, one.films) for one in found] == [(20, 200)]
    (table.parent / "seen.txt").write_text("")
    with pytest.raises(DataError, match="seen.txt lists no film"):
        score(table, trained_on=table.parent / "seen.txt")


def test_films_that_the_table_lacks_are_refused_or_left_out(predictions: Path, tiny_folder: Path) -> None:
    def judged(ignore: bool = False) -> Report:
        options = ScoreOptions(resamples=20, ignore_unknown=ignore)
        return judge_predictions(predictions, tiny_folder, options).report

    known = judged()
    half = ",".join(["0.5"] * 14)
    lines = predictions.read_text().splitlines()
    predictions.write_text("\n".join([lines[0], f"cat.png,{half}", *lines[1:], f"dog.png,{half}"]))
    with pytest.raises(DataError, match="lacks 2 of the 25 films of .*p.csv, cat first"):
        judged()
    report = judged(ignore=True)
    assert report.caveats[0] == UnknownFilms(films=2)
    assert (report.split, report.per_class) == (known.split, known.per_class)
    predictions.write_text(f"{lines[0]}\ncat.png,{half}\n")
    with pytest.raises(DataError, match="none of the 1 film of .*p.csv is in"):
        judged(ignore=True)


def test_a_damaged_table_is_one_sentence(predictions: Path, tmp_path: Path) -> None:
    shutil.copy(predictions, tmp_path / "table.csv")
    with pytest.raises(DataError, match="lacks the column 'Image Index'"):
        judge_predictions(predictions, tmp_path / "table.csv", ScoreOptions())


def test_scoring_a_file_needs_no_torch() -> None:
    code = "import sys, xlite.evaluation.score; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], timeout=60).returncode == 0


def test_validation_predictions_choose_thresholds_and_calibrators(table: Path) -> None:
    plain, report = score(table), score(table, validation=table.parent / "val.csv")
    assert (plain.operating_points, plain.calibration.calibrators) == (None, None)
    assert plain.validation == Validation(absent="not_given")
    val = read_predictions(table.parent / "val.csv")
    labels = labels_of(table, val.stems)
    patients = read_table(table).set_index("stem").loc[val.stems, "patient"].to_numpy()
    cuts = Thresholds.choose(labels, val.probs, patients)
    assert {name: one.threshold for name, one in report.per_class.items()} == cuts.by_finding()
    assert report.validation == Validation(films=200, file="val.csv")
    specific = Thresholds.choose(labels, val.probs, patients, "specificity_95")
    found = report.operating_points["specificity_95"].per_class
    assert {name: one.threshold for name, one in found.items()} == specific.by_finding()
    assert fit_calibrator(logit(val.probs), labels, patients, "temperature").temperature != pytest.approx(1)
    ece = {method: one.macro["ece"].value for method, one in report.calibration.calibrators.items()}
    assert ece["none"] == pytest.approx(plain.macro.ece.value, abs=1e-6)
    assert ece["platt"] < ece["none"]
    assert report.macro.auc == plain.macro.auc
    assert caveats(plain, NoThresholds) and not caveats(report, NoThresholds)


@pytest.mark.parametrize("validation", [None, "val.csv"])
def test_given_thresholds_win_over_those_of_validation(table: Path, validation: str | None) -> None:
    path = table.parent / "t.json"
    path.write_text(json.dumps(dict.fromkeys(FINDINGS, 0.25)))
    report = score(table, validation=validation and table.parent / validation, thresholds=path)
    assert {one.threshold for one in report.per_class.values()} == {0.25}
    assert not caveats(report, NoThresholds)


def test_thresholds_are_never_chosen_on_films_that_are_judged(table: Path) -> None:
    with pytest.raises(DataError, match="200 of the 200 films of .*test.csv are judged too, 00000000_000"):
        score(table, validation=table.parent / "test.csv")


def test_patients_that_validation_shares_are_counted(table: Path) -> None:
    given = read_predictions(table.parent / "test.csv")
    write_predictions(table.parent / "odd.csv", given.names[1::2], given.probs[1::2])
    write_predictions(table.parent / "even.csv", given.names[::2], given.probs[::2])
    report = score(table, "odd.csv", validation=table.parent / "even.csv")
    assert caveats(report, SharedWithValidation) == [SharedWithValidation(patients=100, name="even.csv")]
    assert report.contamination.films == 0


def test_validation_films_that_the_table_lacks_are_left_out(table: Path) -> None:
    given = read_predictions(table.parent / "val.csv")
    write_predictions(
        table.parent / "more.csv", [*given.names, "cat.png"], np.vstack([given.probs, given.probs[:1]])
    )
    report = score(table, validation=table.parent / "more.csv", ignore_unknown=True)
    assert report.caveats[0] == UnknownFilms(films=1, validation=True)


def test_films_that_were_in_training_contaminate_the_report(table: Path) -> None:
    given = read_predictions(table.parent / "test.csv")
    (table.parent / "seen.txt").write_text("\n".join([*given.names[:11], "00000999_000.png"]))
    report = score(table, trained_on=table.parent / "seen.txt")
    known = frozenset(given.stems[:12])
    listed = Listed(list_name="seen.txt", films=200, inside=11, outside=1, known=12, stems=known)
    assert report.caveats[0] == listed
    contamination = report.contamination
    assert (contamination.films, contamination.of, contamination.reasons) == (12, 200, (listed,))
    assert (contamination.clean.split.images, contamination.clean.split.patients) == (188, 94)
    write_predictions(table.parent / "clean.csv", given.names[12:], given.probs[12:])
    assert contamination.clean.macro == score(table, "clean.csv").macro
    (table.parent / "seen.txt").write_text("00000999_000.png\n")
    report = score(table, trained_on=table.parent / "seen.txt")
    assert report.contamination is None
    assert sentence(report.caveats[0]) == (
        "contamination: 0 of these 200 films are in seen.txt, and 0 are of patients who are: 0 of 200 known; "
        "1 listed film is not in the table"
    )


def test_listed_films_whose_patients_nobody_can_tell_leave_no_film_clean(table: Path) -> None:
    given = read_predictions(table.parent / "test.csv")
    (table.parent / "seen.txt").write_text("\n".join([*given.names[:10], "else.png", "other.png"]))
    report = score(table, "test.csv", trained_on=table.parent / "seen.txt")
    [listed] = caveats(report, Listed)
    assert (listed.known, listed.outside, listed.untold) == (10, 2, 2)
    assert report.contamination == Contamination(films=10, of=200, reasons=(listed,), unknown=(listed,))
    why = "the patients of 2 films of seen.txt, all of which the table lacks, cannot be told"
    more = ", and the patients of 2 of them cannot be told"
    assert sentence(listed).endswith(f": 10 of 200 known; 2 listed films are not in the table{more}")
    assert clean(report) == f"There are no metrics on clean films alone: {why}"
    assert Report.model_validate(json.loads(json.dumps(report_json(report)))).contamination == (
        report.contamination.model_copy(update={"reasons": (plain(listed),), "unknown": (plain(listed),)})
    )


def test_without_a_list_nobody_can_tell_which_films_are_clean(table: Path) -> None:
    report = score(table)
    unknown = NotListed()
    assert caveats(report, NotListed) == [unknown]
    assert report.contamination == Contamination(films=0, of=200, reasons=(), unknown=(unknown,))
    assert not report.contaminated
    why = "without a list of its training films (--trained-on) it cannot be told which those are"
    assert clean(report) == f"There are no metrics on clean films alone: {why}"
    written = json.loads(json.dumps(report_json(report)))
    assert sentence(unknown) in written["warnings"] and clean(report) in summary(report)
    assert Report.model_validate(written).contamination == report.contamination
    found = score(table, against=table.parent / "test.csv").comparison
    assert (found.known, found.untold, found.clean) == (0, True, None)
    assert comparison_sentence(found).endswith(
        ". But whether test.csv, or its teacher, knows any of these films is not known. What test.csv, or "
        "its teacher, learned from is not known"
    )


def plain(listed: Listed) -> Listed:
    """The caveat as a file keeps it."""
    return listed.model_copy(update={"stems": frozenset()})


def test_a_comparison_has_the_films_that_are_new_to_the_first_alone(table: Path) -> None:
    given = read_predictions(table.parent / "test.csv")
    write_predictions(table.parent / "b.csv", given.names, given.probs[::-1])
    write_predictions(table.parent / "few.csv", given.names[20:], given.probs[20:])
    (table.parent / "seen.txt").write_text("\n".join(given.names[:20]))
    options = {"trained_on": table.parent / "seen.txt"}
    found = score(table, against=table.parent / "b.csv", **options).comparison
    no_one = {"trained_on": table.parent / "no_one.txt"}
    no_one["trained_on"].write_text("00000999_000.png\n")
    whole = score(table, against=table.parent / "b.csv", **no_one).comparison
    write_predictions(table.parent / "clean.csv", given.names[20:], given.probs[20:])
    clean_one = score(table, "clean.csv", against=table.parent / "b.csv", **no_one).comparison
    names = {"names": ("test.csv", "b.csv")}
    assert found == whole.model_copy(
        update={"known": 20, "clean": clean_one.model_copy(update=names | {"second_untold": False})}
    )
    assert whole.second_untold and comparison_sentence(whole).endswith(
        ". What b.csv, or its teacher, learned from is not known"
    )
    assert "But test.csv, or its teacher, knows 20 of these films. On clean films alone: " in (
        comparison_sentence(found)
    )
    # Films that only one of the two has are not compared.
    assert score(table, against=table.parent / "few.csv", **options).comparison.known == 0
    (table.parent / "seen.txt").write_text("\n".join(given.names))
    found = score(table, against=table.parent / "b.csv", **options).comparison
    assert (found.known, found.clean, found.untold) == (200, None, False)
    (table.parent / "seen.txt").write_text("else.png\n")
    found = score(table, against=table.parent / "b.csv", **options).comparison
    assert found == whole.model_copy(update={"untold": True})
    assert comparison_sentence(found).endswith(
        ". But whether test.csv, or its teacher, knows any of these films is not known. What b.csv, or its "
        "teacher, learned from is not known"
    )


def test_swapped_columns_are_noticed(table: Path) -> None:
    path = table.parent / "test.csv"
    given = read_predictions(path)
    sharp = np.clip(0.8 * labels_of(table, given.stems) + 0.2 * given.probs, 0, 1)
    write_predictions(path, given.names, sharp)
    assert not caveats(score(table), SwappedColumns)
    lines = path.read_text().splitlines()
    lines[0] = lines[0].replace("Mass", "?").replace("Edema", "Mass").replace("?", "Edema")
    path.write_text("\n".join(lines) + "\n")
    assert caveats(score(table), SwappedColumns) == [SwappedColumns(pairs=(("Mass", "Edema"),))]


def test_a_table_of_one_patient_has_metrics_without_intervals(table: Path) -> None:
    lines = table.read_text().splitlines()
    rows = [line.split(",") for line in lines[1:]]
    for row in rows:
        row[3] = "7"
    table.write_text("\n".join([lines[0], *(",".join(row) for row in rows)]) + "\n")
    report = score(table)
    assert report.split.patients == 1
    assert report.macro.auc.value > 0.5 and report.macro.auc.low is None
    assert caveats(report, OnePatient)
    groups = [group for one in report.subgroups.values() for group in one.groups.values()]
    assert {group.auc.low for group in groups} == {None}
    assert not any(gap.larger_than_noise for one in report.subgroups.values() for gap in one.gaps)


def test_thresholds_of_other_patients_give_the_public_model_its_known_f1(
    shared_data: Path, tmp_path: Path
) -> None:
    """Macro F1 .316 with thresholds fitted on other patients, .172 at 0.5; ECE .009 needs no calibrator."""
    given = read_predictions(shared_data / "reference" / "densenet121_test_predictions.csv")
    patients = np.array([int(stem[:8]) for stem in given.stems])
    others = np.isin(patients, np.random.default_rng(0).permutation(np.unique(patients))[::2])
    for name, rows in (("test", ~others), ("val", others)):
        names = np.array(given.names)[rows].tolist()
        write_predictions(tmp_path / f"{name}.csv", names, given.probs[rows])
    report = judge_predictions(
        tmp_path / "test.csv",
        shared_data / "nih_tables" / "Data_Entry_2017_v2020.csv.gz",
        ScoreOptions(resamples=100, validation=tmp_path / "val.csv"),
    ).report
    assert report.macro.f1.value == pytest.approx(0.316, abs=0.02)
    assert report.macro.f1.low > 0.25
    errors = report.calibration.calibrators
    assert errors["none"].macro["ece"].value == pytest.approx(0.009, abs=0.004)
    assert errors["platt"].macro["ece"].value < 0.011


def test_the_average_of_several_predictions_is_judged_and_compared(table: Path) -> None:
    folder = table.parent
    given = read_predictions(folder / "test.csv")
    other = np.random.default_rng(3).random(given.probs.shape)
    write_predictions(folder / "other.csv", given.names, other)
    write_predictions(folder / "mean.csv", given.names, (given.probs + other) / 2)
    both = f"{folder / 'test.csv'},{folder / 'other.csv'}"
    alone = score(table, "mean.csv", against=folder / "test.csv")
    report = judge_predictions(both, table, ScoreOptions(resamples=20, against=folder / "test.csv")).report
    assert report.model == "the average of 2 files"
    assert report.macro.auc.value == pytest.approx(alone.macro.auc.value)
    names = ("the mean of test.csv and other.csv", "test.csv")
    assert report.comparison == alone.comparison.model_copy(update={"names": names})
    reverse = score(table, against=both).comparison
    assert reverse.second == pytest.approx(alone.comparison.first)
    assert reverse.names == names[::-1]


def test_a_comparison_draws_the_patients_that_the_options_ask_for(table: Path) -> None:
    files = table.parent / "test.csv", table.parent / "other.csv"
    given = read_predictions(files[0])
    write_predictions(files[1], given.names, given.probs[::-1])
    found = score(table, files[0], against=files[1], seed=3)
    assert found.comparison.p == compare_files(*files, table, resamples=20, seed=3).p
    assert found.comparison.difference == compare_files(*files, table, resamples=20, seed=3).difference


def test_files_of_one_name_are_told_apart_by_their_folders(table: Path) -> None:
    folder, names = table.parent, {}
    for run in ("a", "b", "c"):
        inside = folder / run / "evaluation" / "test"
        inside.mkdir(parents=True)
        names[run] = inside / "predictions.csv"
        names[run].write_bytes((folder / "test.csv").read_bytes())
    found = score(table, names["a"], against=f"{names['b']},{names['c']}").comparison
    assert found.names == (
        "a/evaluation/test/predictions.csv",
        "the mean of b/evaluation/test/predictions.csv and c/evaluation/test/predictions.csv",
    )
    again = score(table, names["a"], against=names["a"]).comparison
    assert again.names == ("predictions.csv", "predictions.csv")
