"""The Runs page: all runs and experiments, and what can be done with a run."""

from pathlib import Path

import pytest
from app_pages import page, words
from demo_home import SPLIT
from streamlit.testing.v1 import AppTest

from xlite.config import make_config
from xlite.evaluation.source_facts import TeacherSeen
from xlite.places import checkpoints_dir, results_csv
from xlite.runs.notes import Notes
from xlite.runs.results import Experiment, append_result
from xlite.runs.run import Run
from xlite.runs.status import RunStatus

pytestmark = pytest.mark.usefixtures("one_scan", "only_this_home")


def test_runs_lists_runs_and_experiments(tiny_folder: Path):

    Run.create(make_config({"data": tiny_folder, "name": "first", "epochs": 3}))
    append_result(Experiment("first", backbone="resnet18", val_auc=0.61), Notes(SPLIT))
    test = page("runs").run()
    words(test)
    runs, experiments = test.dataframe[0].value, test.table[0].value
    assert runs.loc[0, ["Run", "State", "Epoch"]].tolist() == ["first", "new", "0 of 3"]
    assert experiments.loc[0, ["Run", "Backbone", "Val AUC"]].tolist() == ["first", "resnet18", "0.610"]


def test_runs_shows_experiments_beside_a_damaged_row_and_warns_of_it():
    append_result(Experiment("first", val_auc=0.61), Notes(SPLIT))
    with open(results_csv(), "a") as file:
        file.write('=cmd|x,2026,student,x,none,abc,nan,inf,1e999,-5,x,1.62,"x"\n')
    append_result(Experiment("second", val_auc=0.62), Notes(SPLIT))
    test = page("runs").run()
    words(test)
    assert test.table[0].value["Run"].tolist() == ["second", "first"]
    [warning] = test.warning
    assert warning.value.startswith("Line 3 of ") and "left out: mend or delete it" in warning.value


def test_runs_marks_experiments_whose_teacher_knows_test_films():
    taught = TeacherSeen(films=150, trained=93, with_val=98, patients=98)
    few = TeacherSeen(films=1500, trained=1, with_val=1, patients=1)
    unknown = TeacherSeen(films=0, trained=0, with_val=0, patients=0, known=False)
    for name, seen in {
        "alone": (),
        "taught": (taught,),
        "two": (few, few.model_copy(update={"trained": 20, "with_val": 20, "patients": 21})),
        "unknown": (unknown,),
    }.items():
        append_result(Experiment(name, test_auc=0.75), Notes(SPLIT, "2020", 0, seen=seen))
    test = page("runs").run()
    text = words(test)
    shown = test.table[0].value
    assert shown[["Run", "Test AUC", "Known test films"]].values.tolist() == [
        ["unknown", "0.750", "unknown"],
        ["two", "~~0.750~~", "20 of 1,500"],
        ["taught", "~~0.750~~", "98 of 150"],
        ["alone", "0.750", "–"],
    ]
    assert "teacher knows test films" in text


@pytest.mark.parametrize("name", ["train", "runs"])
def test_a_refused_run_says_which_switch_helps_and_is_not_resumed(tiny_folder: Path, name: str):
    run = Run.create(make_config({"data": tiny_folder, "name": "refused"}))
    message = "3 films of the train part are missing; put them there, or go on without them with "
    kept = [message, {"setting": "skip_missing"}]
    told = {"message": f"{message}--skip-missing", "words": kept}
    run.write_progress(RunStatus(state="failed", **told))
    test = page(name).run()
    assert f"{message}“Skip missing films”" in words(test)
    assert "Resume" not in [button.label for button in test.button]
    run.path("metrics.csv").write_text("epoch,train_loss,val_loss,val_auc\n1,0.5,0.4,0.61\n")
    assert "Resume" in [button.label for button in page(name).run().button]


@pytest.mark.parametrize("name", ["runs", "overview"])
def test_a_run_that_goes_while_the_page_is_drawn_is_left_out(
    name: str, tiny_folder: Path, monkeypatch: pytest.MonkeyPatch
):
    for run in ("first", "second"):
        Run.create(make_config({"data": tiny_folder, "name": run}))
    listed = Run.readable_and_damaged()
    Run.named("first").delete()
    monkeypatch.setattr(Run, "readable_and_damaged", lambda: listed)
    test = page(name).run()
    words(test)
    assert test.dataframe[0].value["Run"].tolist() == ["second"]


@pytest.mark.parametrize("name", ["runs", "train", "overview"])
@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("metrics.csv", b"\xff\xfe\0"),
        ("metrics.csv", b"epoch,train_loss,val_loss,val_auc\n1,a,b,c\n"),
        ("progress.json", b'{"elapsed_s": 1e400}'),
        ("progress.json", b"[" * 100_000),
        ("config.json", b"[" * 100_000),
    ],
)
def test_a_damaged_file_of_one_run_spoils_no_page(
    name: str, file: str, content: bytes, stopped_run: Run, tiny_folder: Path
):
    Run.create(make_config({"data": tiny_folder, "name": "two"}))
    stopped_run.path(file).write_bytes(content)
    test = page(name)
    test.query_params["run"] = "one"
    test.run()
    words(test)  # no exception
    if name != "train":
        assert "two" in test.dataframe[0].value["Run"].tolist()
    if file == "metrics.csv" and name != "overview":
        assert [error.value for error in test.error if "epochs of run 'one' cannot be read" in error.value]


def test_runs_says_which_folder_it_cannot_read(own_home: Path):
    folder = checkpoints_dir() / "broken"
    folder.mkdir(parents=True)
    (folder / "config.json").write_text('{"batch_size": 8}')
    test = page("runs").run()
    words(test)
    (warning,) = test.warning
    for part in ("'broken'", str(folder / "config.json"), "“Data folder” is missing"):
        assert part in warning.value


@pytest.fixture
def runs_page(stopped_run: Run) -> AppTest:
    """The Runs page as it opens with one stopped run."""
    return page("runs").run()


def names() -> list[str]:
    return [run.name for run in Run.list()]


def press(test: AppTest, label: str) -> AppTest:
    [button] = [button for button in test.button if button.label == label]
    assert not button.disabled
    return button.click().run()


def labels(test: AppTest, disabled: bool = False) -> set[str]:
    assert [error.message for error in test.exception] == []
    return {button.label for button in test.button if button.disabled == disabled}


def test_the_runs_page_renames(runs_page: AppTest) -> None:
    [field] = [field for field in runs_page.text_input if field.label == "New name"]
    assert labels(runs_page, disabled=True) == {"Rename it", "Delete it"}
    field.set_value("../up").run()
    assert "cannot be a run's name" in press(runs_page, "Rename it").error[0].value
    field.set_value("two").run()
    press(runs_page, "Rename it")
    assert (names(), runs_page.query_params["run"]) == (["two"], "two")
    assert labels(runs_page) == {"Resume"}


def test_the_runs_page_deletes_after_two_confirmations(runs_page: AppTest) -> None:
    def typed(text: str) -> None:
        [field] = [field for field in runs_page.text_input if field.label.startswith("Type its name")]
        field.set_value(text).run()

    runs_page.checkbox[0].check().run()
    assert "Delete it" in labels(runs_page, disabled=True)
    typed("two")
    assert "Delete it" in labels(runs_page, disabled=True)
    typed("one")
    runs_page.checkbox[0].uncheck().run()
    assert "Delete it" in labels(runs_page, disabled=True)
    runs_page.checkbox[0].check().run()
    press(runs_page, "Delete it")
    assert (names(), labels(runs_page)) == ([], set())


def test_the_runs_page_shows_curves_and_log_and_stops_a_live_run(stopped_run: Run) -> None:
    with stopped_run.hold():
        stopped_run.write_progress(RunStatus(state="running", epoch=2, epochs=8, eta_s=60.0))
        test = page("runs").run()
        assert labels(test) == {"Stop"}
        assert len(test.get("plotly_chart")) == 2
        assert "epoch 2/8" in test.code[0].value
        assert any("Time left 1 min 00 s" in caption.value for caption in test.caption)
        press(test, "Stop")
        assert stopped_run.stop_requested()
        assert labels(test, disabled=True) == {"Stop"}
