"""Labels in doubt while training: which are dropped or softened, and that a run with them resumes exactly."""

from pathlib import Path

import numpy as np
import pytest
from noise_folder import write_noise_folder
from tiny_runs import assert_same_end, config, run_to_end, stop_after_first_epoch
from unknown_labels import hide_labels

from xlite.config import TrainConfig
from xlite.data.folder import NihFolder
from xlite.data.joined import open_data
from xlite.data.split_files import load_split
from xlite.data.splits import Split
from xlite.errors import DataError, RunError
from xlite.findings import FINDINGS
from xlite.models.info import read_info
from xlite.runs.run import Run
from xlite.training.doubts import TrainedLabels, trained_labels
from xlite.training.job import open_job
from xlite.training.loop import train

pytestmark = pytest.mark.usefixtures("quick_report", "own_home")
HEADER = "Image Index,Patient ID,Rank,Finding,Label,Probability,Score,Rank in Finding"


def doubt(path: Path, folder: NihFolder, stems: list[str]) -> list[tuple[int, int]]:
    """Writes a list that doubts one label of each film, the last film first; rows and columns in order."""
    labels = folder.labels(stems)
    columns = [int(np.nanargmax(row)) for row in labels]
    lines = [
        f"{stem}.png,1,{rank},{FINDINGS[column]},{'yes' if row[column] else 'no'},0.25,0.25,1"
        for rank, (stem, column, row) in enumerate(
            reversed(list(zip(stems, columns, labels, strict=True))), 1
        )
    ]
    path.write_text("\n".join([HEADER, *lines]) + "\n")
    return [(len(stems) - 1 - place, columns[len(stems) - 1 - place]) for place in range(len(stems))]


def labels_of(settings: TrainConfig) -> tuple[TrainedLabels, np.ndarray, Split]:
    """What a run would train on, the table's labels of the same films, and the split."""
    folder = open_data(settings.data)
    split = load_split(folder, "patient")
    stems = split.stems("train")
    return trained_labels(settings, folder, split, stems), folder.labels(stems), split


@pytest.fixture
def listed(films: Path, tmp_path: Path) -> tuple[Path, list[tuple[int, int]]]:
    folder = NihFolder.open(films)
    path = tmp_path / "doubts.csv"
    return path, doubt(path, folder, load_split(folder, "patient").stems("train"))


def test_without_a_list_the_labels_are_those_of_the_table(films: Path) -> None:
    found, labels, _ = labels_of(config(films, "a"))
    np.testing.assert_array_equal(found.hard, labels)
    assert found.soft is found.hard and found.digest == ""


def test_the_most_doubtful_labels_are_dropped(
    films: Path, listed: tuple[Path, list[tuple[int, int]]]
) -> None:
    path, places = listed
    found, labels, _ = labels_of(config(films, "a", doubts=str(path), drop=3))
    for row, column in places[:3]:
        labels[row, column] = np.nan
    np.testing.assert_array_equal(found.hard, labels)
    np.testing.assert_array_equal(found.soft, labels)
    assert (found.dropped, found.softened) == (3, 0)


def test_a_share_to_drop_is_one_of_the_known_labels(films: Path, tmp_path: Path) -> None:
    folder = NihFolder.open(films)
    stems = load_split(folder, "patient").stems("train")
    hide_labels(films, {stem: ("Hernia", "Mass", "Edema", "Nodule") for stem in stems})
    path = tmp_path / "doubts.csv"
    doubt(path, NihFolder.open(films), stems)
    found, labels, _ = labels_of(config(films, "a", doubts=str(path), drop=0.02))
    count = round(0.02 * 10 * len(stems))  # 4 of the 14 findings are not labelled
    assert found.dropped == np.isnan(found.hard).sum() - np.isnan(labels).sum() == count
    assert count != round(0.02 * labels.size)


def test_the_others_are_softened(films: Path, listed: tuple[Path, list[tuple[int, int]]]) -> None:
    path, places = listed
    found, labels, _ = labels_of(config(films, "a", doubts=str(path), drop=1, soften=0.75))
    hard, soft = labels.copy(), labels.copy()
    hard[places[0]] = soft[places[0]] = np.nan
    for place in places[1:]:
        soft[place] = 0.4375 if labels[place] else 0.1875  # a quarter of the label, three of probability .25
    np.testing.assert_array_equal(found.hard, hard)
    np.testing.assert_array_equal(found.soft, soft)
    assert (found.dropped, found.softened) == (1, len(places) - 1)


def test_labels_of_val_and_test_films_are_left_as_they_are(
    films: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = NihFolder.open(films)
    split = load_split(folder, "patient")
    path = tmp_path / "all.csv"
    doubt(path, folder, [*split.stems("val"), *split.stems("train")])
    settings = config(films, "a", doubts=str(path), soften=1.0, backbone="test_resnet")
    job = open_job(settings, kept=None, progress=lambda done, total: None)
    np.testing.assert_array_equal(job.val.labels.numpy(), folder.labels(split.stems("val")))
    assert job.info.notes.labels_softened == len(split.stems("train"))
    assert "was made of val or test films, too" in caplog.text
    assert [source["predictions"] for source in job.info.notes.teacher_knows] == ["all.csv"]


def test_of_several_folders_a_name_that_two_have_doubts_nothing(
    films: Path, tmp_path: Path, listed: tuple[Path, list[tuple[int, int]]]
) -> None:
    path, places = listed
    other = write_noise_folder(tmp_path / "other", seed=1)
    found, _, split = labels_of(config(Path(f"{films},{other}"), "a", doubts=str(path), drop=10_000))
    alone = [stem for stem in split.stems("train") if "~" not in stem]
    assert found.dropped == len(alone) < len(places)


@pytest.mark.parametrize(
    "given", [{"drop": 2}, {"soften": 0.5}, {"doubts": "doubts.csv"}], ids=["drop", "soften", "list alone"]
)
def test_a_list_and_what_it_is_for_belong_together(films: Path, given: dict[str, object]) -> None:
    with pytest.raises(RunError, match="--doubts names the labels that --drop or --soften is for: give both"):
        labels_of(config(films, "a", **given))


def test_a_list_of_other_films_is_refused(films: Path, tmp_path: Path) -> None:
    path = tmp_path / "doubts.csv"
    path.write_text(f"{HEADER}\nother.png,1,1,Mass,yes,0.1,0.1,1\n")
    with pytest.raises(DataError, match="doubts no label that the .* training films have"):
        labels_of(config(films, "a", doubts=str(path), drop=1))


@pytest.mark.slow
def test_a_run_resumes_exactly_and_only_with_the_same_list(
    films: Path, listed: tuple[Path, list[tuple[int, int]]]
) -> None:
    path, places = listed
    how = {"doubts": str(path), "drop": 4, "soften": 0.3, "epochs": 2}
    whole, _ = run_to_end(config(films, "whole", **how))
    run = Run.create(config(films, "parts", **how))
    assert stop_after_first_epoch(run).reason == "stopped"
    content = path.read_text()
    path.write_text(content.replace("0.25,0.25", "0.26,0.26", 1))
    with pytest.raises(RunError, match="the list of labels in doubt of run 'parts' has changed"):
        train(run.config(), run)
    path.write_text(content)
    train(run.config(), run)
    assert_same_end(whole, run)
    notes = read_info(run.folder / "model.safetensors").notes
    assert (notes.labels_dropped, notes.labels_softened) == (4, len(places) - 4)
    card = (run.folder / "MODEL_CARD.md").read_text()
    assert f"| Labels in doubt | 4 dropped, {len(places) - 4} softened |" in card
