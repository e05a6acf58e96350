"""What test shares with training across data folders."""

import json
import shutil
from pathlib import Path

import pytest
from command_line import Command
from noise_folder import write_noise_folder

from xlite.data.folder import NihFolder
from xlite.data.folder_leakage import folder_leakage
from xlite.data.joined import open_data
from xlite.data.leakage import leakage_report
from xlite.data.split_files import foresee_split

pytestmark = pytest.mark.slow


def test_a_film_of_two_folders_that_crosses_from_train_to_test_is_found(
    tmp_path: Path, xlite: Command
) -> None:
    west = write_noise_folder(tmp_path / "west")
    east = write_noise_folder(tmp_path / "east", patients=15, seed=1)
    folder = open_data(f"{west},{east}")
    split = foresee_split(folder, "patient")
    learned = next(stem for stem in split.stems("train") if stem.startswith("west~"))
    judged = next(stem for stem in split.stems("test") if not stem.startswith("west~"))
    shutil.copy(folder.paths[learned], folder.paths[judged])
    found = folder_leakage(open_data(f"{west},{east}"), split)
    assert (found.same_films, found.crossing) == ([(learned, judged)], 1)
    own = [NihFolder.open(one) for one in (west, east)]
    reports = [
        leakage_report(one.stems("train"), one.stems("test"), folder.table)
        for one, folder in ((foresee_split(folder, "patient"), folder) for folder in own)
    ]
    assert found.folders == dict(zip(("west", "east"), reports, strict=True))
    whole = found.whole
    assert whole.train_patients == sum(one.train_patients for one in reports)
    affected = sum(folder.patients(split.stems("test")) == folder.patients([judged])[0])
    assert (whole.shared_images, whole.shared_patients, whole.affected_images) == (1, 1, affected)

    listed = tmp_path / "teacher.txt"
    listed.write_text(f"{judged.split('~')[-1]}.png\n")
    words = ["data", "leakage", "--data", west, "--data", east]
    status, out, _ = xlite(*words, "--teacher-list", listed, "--json")
    facts = json.loads(out)
    assert (status, facts["split"], facts["same_films"]) == (0, split.id, [[learned, judged]])
    # A name that both folders have stands for the film of each of them, if it is a test film there.
    clash = [one for one in split.stems("test") if one.split("~")[-1] == judged.split("~")[-1]]
    assert facts["teacher_seen_images"] == len(clash) and facts["clean_images"] < whole.test_images
    status, out, err = xlite(*words)
    assert status == 0 and f"1 film in two folders:\n  {learned} = {judged}\n1 of these between" in out
    assert "12 patients with the same number in two of them" in err


def test_lists_and_folders_are_not_mixed(xlite: Command, tiny_folder: Path) -> None:
    listed = tiny_folder / "test_list.txt"
    status, _, err = xlite("data", "leakage", "--data", tiny_folder, "--test", listed)
    assert status == 2 and "takes no --train, --test or --table" in err
    status, _, err = xlite("data", "leakage", "--test", listed)
    assert status == 2 and "give --train and --test, or data folders by --data" in err
    status, out, _ = xlite("data", "leakage", "--data", tiny_folder, "--json")
    facts = json.loads(out)
    assert (status, facts["folders"], facts["same_films"], facts["train_images"]) == (0, {}, [], 16)
