"""`xlite select` and `xlite select-study`: what they say, and that their files are there."""

import json
import subprocess
from pathlib import Path

import pandas as pd
import pytest
from command_line import Command
from demo_home import save_demo_model
from labelled import given
from noise_folder import write_noise_folder
from tiny_models import TINY, save_student, student
from tiny_runs import config, run_to_end
from unknown_labels import hide_labels

from xlite.active.study_report import SelectStudy
from xlite.data.folder import NihFolder
from xlite.data.phantom import write_phantom
from xlite.data.tables import find_table
from xlite.data.worklist import FILM, PATIENT, read_worklist, write_worklist
from xlite.findings import FINDINGS
from xlite.labelling.labelling import Labelling
from xlite.models.student import Student

pytestmark = pytest.mark.slow


def test_a_round_of_films_to_label(xlite: Command, own_home: Path, tiny_folder: Path, tmp_path: Path) -> None:
    save_demo_model(own_home)
    hide_labels(tiny_folder, dict.fromkeys(NihFolder.open(tiny_folder).paths, FINDINGS))
    out = tmp_path / "round 1.csv"
    words = ("select", tiny_folder, "--model", "demo0", "--budget", "4", "--out", out)
    status, said, _ = xlite(*words)
    stems = read_worklist(out)
    patients = len(set(NihFolder.open(tiny_folder).patients(stems)))
    assert status == 0 and said == (
        f"4 films of {patients} patients to label, by random, of 24 that could be chosen; 0 films of the "
        f"folder are labelled\nWorklist: {out}\n"
    )
    status, said, _ = xlite(*words, "--patients", "--strategy", "uncertainty", "--json")
    answer = json.loads(said)
    assert (status, answer["strategy"], answer["whole_patients"]) == (0, "uncertainty", True)
    assert answer["worklist"] == str(out)
    assert [Path(film["image"]).stem for film in answer["films"]] == read_worklist(out)


def test_the_loop_of_the_docs_on_phantoms_whose_labels_are_taken_away(
    xlite: Command, own_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = (Path(__file__).parents[2] / "docs" / "ACTIVE.md").read_text()
    commands = [line.partition("  #")[0] for line in page.splitlines()]
    [cut] = [line for line in commands if line.startswith("cut ")]
    write_phantom(tmp_path / "data" / "drawn", images=30, patients=20, size=64, seed=1)
    subprocess.run(["sh", "-c", cut], cwd=tmp_path, check=True)
    monkeypatch.chdir(tmp_path)

    def run(start: str) -> None:
        [line] = [line for line in commands if line.startswith(f"xlite {start}")]
        status, _, error = xlite(*line.split()[1:])
        assert status == 0, error

    run("data import csv")
    clinic = NihFolder.open("data/clinic")
    assert (len(clinic.table), clinic.labelled) == (30, ())
    for number, name in enumerate(("val", "test", "round-1")):
        films = clinic.table.iloc[number : number + 1]
        write_worklist(Path(f"{name}.csv"), pd.DataFrame({FILM: films["image"], PATIENT: films["patient"]}))
        run(f"label start {name}")
        Labelling.named(name).answer(f"Reader of {name}", films["stem"].iloc[0], given(Mass="yes"))
        run(f"label export {name}")
    last = NihFolder.open("data/clinic-3")
    assert last.labels(last.table["stem"].tolist())[:, FINDINGS.index("Mass")].tolist()[:3] == [1, 1, 1]
    table = find_table(last.root).read_text()
    assert [table.count(f"Reader of {name},") for name in ("val", "test", "round-1")] == [1, 1, 1]


def test_members_of_a_committee_may_have_maps_of_other_cells(
    xlite: Command, tiny_folder: Path, tmp_path: Path
) -> None:
    committee = [
        save_student(tmp_path / "coarse.safetensors", student()),
        save_student(tmp_path / "fine.safetensors", Student(TINY, stages=4)),
    ]
    model = ",".join(map(str, committee))
    hide_labels(tiny_folder, dict.fromkeys(NihFolder.open(tiny_folder).paths, FINDINGS))
    out = tmp_path / "round 1.csv"
    asked = ("--strategy", "disagreement", "--budget", "4", "--out", out)
    status, said, error = xlite("select", tiny_folder, "--model", model, *asked)
    assert status == 0, error
    assert said.startswith("4 films of ") and len(read_worklist(out)) == 4
    answers = tmp_path / "answers"
    status, _, error = xlite("predict", model, tiny_folder, "--out", answers, "--heatmaps", "1")
    assert status == 2 and "maps of members of an ensemble must have the same cells" in error
    assert not answers.exists()


def test_what_is_no_strategy_is_a_sentence(xlite: Command, tiny_folder: Path) -> None:
    status, _, error = xlite("select-study", tiny_folder, "--model", "x", "--out", "y", "--strategy", "luck")
    assert status == 2 and "--strategy is 'luck', expected one of uncertainty, disagreement" in error


@pytest.fixture
def enough(tmp_path: Path) -> Path:
    """Noise films of 60 patients, 40 of them in the test part; every second patient has Effusion."""
    root = write_noise_folder(tmp_path / "enough", patients=60, films_each=1, size=32)
    table = find_table(root)
    header, *rows = [line.split(",") for line in table.read_text().splitlines()]
    for row in rows:
        row[1] = "Effusion" if int(row[3]) % 2 else "No Finding"
    table.write_text("\n".join(",".join(row) for row in [header, *rows]) + "\n")
    folder = NihFolder.open(root)
    stems = sorted(folder.paths)
    for part, some in {"train": stems[:12], "val": stems[12:20], "test": stems[20:]}.items():
        (root / "splits" / "wide").mkdir(parents=True, exist_ok=True)
        (root / "splits" / "wide" / f"{part}.csv").write_text("\n".join(["image", *folder.names(some), ""]))
    return root


STUDY = ["--split", "wide", "--start", 4, "--add", 2, "--rounds", 2, "--seeds", 2, "--strategy", "diversity"]


def test_a_study_on_the_features_of_a_model(
    xlite: Command, own_home: Path, enough: Path, tmp_path: Path
) -> None:
    save_demo_model(own_home)
    status, said, error = xlite(
        "select-study", enough, "--model", "demo0", "--out", tmp_path / "study", *STUDY
    )
    assert status == 0, error
    found = SelectStudy.model_validate_json((tmp_path / "study" / "select_study.json").read_bytes())
    assert list(found.arms) == ["diversity", "random"] and found.arms["random"].films == (4, 6, 8)
    assert (found.pool, found.test, found.pool_known, found.test_known) == (12, 40, 0, 0)
    assert found.arms["random"].gains == () and len(found.arms["diversity"].gains) == 3
    assert found.findings == ("Effusion",)
    assert found.target == found.arms["random"].auc[1].value and found.target_round == 1
    assert "After the first round, " in said and "films needed" in said
    text = (tmp_path / "study" / "SELECT_STUDY.md").read_text()
    assert "logistic regressions on the features of demo0" in text and "2 seeds" in text


@pytest.mark.release
def test_a_study_of_whole_runs_goes_on_where_it_was(
    xlite: Command, own_home: Path, enough: Path, tmp_path: Path
) -> None:
    settings = {"hidden": 0, "epochs": 1, "batch_size": 4, "split": "wide"}
    run_to_end(config(enough, "base", **settings))
    out = tmp_path / "study"
    words = ["select-study", enough, "--model", "base", "--train", "run", "--out", out, *STUDY[:6]]
    words += ["--rounds", 1, "--seeds", 2, "--strategy", "uncertainty", "--json"]
    status, said, error = xlite(*words)
    assert status == 0, error
    found = SelectStudy.model_validate_json(said)
    assert found.train == "run" and found.arms["uncertainty"].films == (4, 6)
    runs = sorted((out / "checkpoints").glob("films-*"))
    assert len(runs) == 2 + 4 + 1  # first films of both seeds, then those of both arms, then the whole pool
    trained = {json.loads((run / "config.json").read_text())["epochs"] for run in runs}
    assert trained == {1}
    made = {run: (run / "model.safetensors").stat().st_mtime_ns for run in runs}
    status, again, _ = xlite(*words)
    assert status == 0 and again == said
    assert "then 2 more in one round; 2 seeds" in (out / "SELECT_STUDY.md").read_text()
    assert made == {run: (run / "model.safetensors").stat().st_mtime_ns for run in made}
