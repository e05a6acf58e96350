"""The Runs page: all runs and experiments, and what can be done with a run."""

from pathlib import Path

import pytest
from app_pages import page, words
from demo_home import SPLIT, save_demo_evaluation, save_demo_model
from streamlit.testing.v1 import AppTest

from xlite.config import make_config
from xlite.evaluation.contamination.source_facts import TeacherSeen
from xlite.messages import literal
from xlite.metrics.estimate import Estimate
from xlite.places import checkpoints_dir, results_csv
from xlite.runs.annotation import Annotation, annotate, read_annotation
from xlite.runs.notes import Notes
from xlite.runs.results import Experiment, append_result
from xlite.runs.run import Run
from xlite.runs.status import RunStatus

pytestmark = pytest.mark.usefixtures("one_scan", "only_this_home")


def links(test: AppTest) -> list[str]:
    """The links to other pages: label, page and what it is to show."""
    protos = [one.proto for one in test.get("page_link")]
    return [f"{one.label} {one.page}?{one.query_string}" for one in protos]


def test_runs_lists_runs_and_experiments(tiny_folder: Path):

    Run.create(make_config({"data": tiny_folder, "name": "first", "epochs": 3}))
    append_result(Experiment("first", backbone="resnet18", val_auc=0.61), Notes(SPLIT))
    test = page("runs").run()
    words(test)
    runs, experiments = test.dataframe[0].value, test.table[0].value
    assert runs.loc[0, ["Run", "State", "Epoch"]].tolist() == ["first", "new", "0 of 3"]
    assert experiments.loc[0, ["Run", "Backbone", "Validation AUC"]].tolist() == [
        "first",
        "resnet18",
        "0.610",
    ]


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


def test_in_public_runs_points_to_no_page_that_is_not_there(monkeypatch: pytest.MonkeyPatch):
    assert "Runs start on the Train page" in words(page("runs").run())
    monkeypatch.setenv("XLITE_PUBLIC", "1")
    told = words(page("runs").run())
    assert "Runs are compared on the Results page." in told and "Train page" not in told


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


@pytest.mark.slow
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


def test_a_run_that_goes_while_overview_is_drawn_is_left_out(
    tiny_folder: Path, monkeypatch: pytest.MonkeyPatch
):
    for run in ("first", "second"):
        Run.create(make_config({"data": tiny_folder, "name": run}))
    listed = Run.list()
    Run.named("first").delete()
    monkeypatch.setattr(Run, "list", lambda: listed)
    text = words(page("overview").run())
    assert "**second**" in text and "**first**" not in text


@pytest.mark.slow
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
    text = words(test)  # no exception
    if name == "overview":
        assert "**two**" in text
    elif name == "runs":
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


@pytest.mark.slow
def test_the_runs_page_renames(runs_page: AppTest) -> None:
    [field] = [field for field in runs_page.text_input if field.label == "New name"]
    assert labels(runs_page, disabled=True) == {"Rename it", "Delete it"}
    field.set_value("../up").run()
    assert "cannot be a run's name" in press(runs_page, "Rename it").error[0].value
    field.set_value("two").run()
    press(runs_page, "Rename it")
    assert (names(), runs_page.session_state["run"]) == (["two"], "two")
    assert [warning.value for warning in runs_page.warning] == []
    assert labels(runs_page) == {"Resume"}


@pytest.mark.slow
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
    for _ in range(2):
        assert (names(), labels(runs_page)) == ([], set())
        assert [warning.value for warning in runs_page.warning] == []
        # A browser that is slow to learn the new address still has the old one when the page renews itself.
        runs_page.query_params["run"] = "one"
        runs_page.run()


@pytest.mark.slow
def test_the_runs_page_shows_curves_and_log_and_stops_a_live_run(stopped_run: Run) -> None:
    with stopped_run.hold():
        stopped_run.write_progress(RunStatus(state="running", epoch=2, epochs=8, eta_s=60.0))
        test = page("runs").run()
        assert (labels(test), links(test)) == ({"Stop"}, ["Watch it on Train train?run=one"])
        assert len(test.get("plotly_chart")) == 2
        assert "epoch 2/8" in test.code[0].value
        assert any("Time left 1 min 00 s" in caption.value for caption in test.caption)
        press(test, "Stop")
        assert stopped_run.stop_requested()
        assert labels(test, disabled=True) == {"Stop"}


GONE = "to open here: it was renamed, deleted or damaged, or is of another home."


def create(name: str, **settings: object) -> Run:
    return Run.create(make_config({"data": "films", "name": name, "epochs": 3, **settings}))


def finished(home: Path, name: str, signal: float = 0.3, **settings: object) -> Run:
    """A run with a model and a report on its test part."""
    run = create(name, **settings)
    run.path("metrics.csv").write_text("epoch,train_loss,val_loss,val_auc\n1,.5,.4,.61\n2,.4,.3,.64\n")
    save_demo_evaluation(home, name, signal=signal)
    model = save_demo_model(home, f"model-of-{name}")
    model.rename(run.path("model.safetensors"))
    run.write_progress(RunStatus(state="finished", epoch=2, epochs=3, best_auc=0.64, best_epoch=2))
    return run


def shown(test: AppTest) -> list[str]:
    """The runs in the table, from above."""
    found: list[str] = test.dataframe[0].value["Run"].tolist()
    return found


def opened(test: AppTest) -> str | None:
    [choice] = [box for box in test.selectbox if box.label == "Run"]
    return choice.value


def test_a_link_to_a_run_that_is_not_here_opens_no_other_one():
    create("first")
    test = page("runs")
    test.query_params["run"] = "does*notexist"
    test.run()
    told = f"There is no run **does\\*notexist** {GONE}"
    for _ in range(2):  # it stays until somebody chooses
        assert [warning.value for warning in test.warning] == [f"{told} Choose another one."]
        assert (opened(test), labels(test)) == (None, set())
        test.run()
    [choice] = [box for box in test.selectbox if box.label == "Run"]
    choice.select("first").run()
    assert ([warning.value for warning in test.warning], opened(test)) == ([], "first")


def test_a_link_to_a_run_in_a_home_without_runs_says_so():
    test = page("runs")
    test.query_params["run"] = "gone"
    test.run()
    told = f"There is no run **gone** {GONE}"
    assert [warning.value for warning in test.warning] == [told]
    assert "No run yet: start one on the Train page, or by `xlite train`." in words(test)


def test_a_run_that_was_chosen_and_is_deleted_elsewhere_is_told():
    create("first")
    create("second")
    test = page("runs").run()
    [choice] = [box for box in test.selectbox if box.label == "Run"]
    choice.select("first").run()
    Run.named("first").delete()
    test.run()
    assert opened(test) is None
    assert "There is no run **first** to open here" in test.warning[0].value


def test_the_choice_comes_back_with_the_page():
    create("first")
    create("second")
    assert opened(page("runs").run()) == "second"  # the newest
    test = page("runs", run="first")  # what `keep` holds on to while another page is shown
    assert opened(test.run()) == "first"
    linked = page("runs")
    linked.query_params["run"] = "first"
    assert opened(linked.run()) == "first"


@pytest.mark.slow
def test_search_and_filters_narrow_the_table():
    create("small", backbone="resnet18")
    annotate(create("large").folder, ["paper"], "the best")
    failed = create("broken", split="official")
    failed.write_progress(RunStatus(state="failed", epoch=1))
    test = page("runs").run()
    assert shown(test) == ["broken", "large", "small"]
    for search, names in {"best": ["large"], "resnet18": ["small"], "paper nowhere": None}.items():
        test.text_input(key="search").set_value(search).run()
        words(test)
        assert (shown(test) if names else [info.value for info in test.info]) == (
            names or ["No run fits: take words out of the search, or filters away."]
        )
    test.text_input(key="search").set_value("").run()
    test.multiselect(key="states").set_value(["failed"]).run()
    assert shown(test) == ["broken"]
    assert "1 run, 2 hidden." in words(test)


def test_filters_and_columns_come_from_the_address_and_unknown_ones_are_told():
    create("small", backbone="resnet18")
    create("large")
    test = page("runs")
    test.query_params["backbones"] = ["resnet18", "vgg"]
    test.query_params["columns"] = ["Seed", "Backbone"]
    test.query_params["group"] = "colour"
    test.run()
    words(test)
    assert [warning.value for warning in test.warning] == [
        literal("The group 'colour' is asked for, and it is not here"),
        literal("The backbone 'vgg' is asked for, and it is not here"),
    ]
    test.multiselect(key="columns").set_value(["Seed", "Learning rate"]).run()
    assert test.dataframe[0].value.columns.tolist() == ["Run", "Seed", "Learning rate"]


def test_a_column_is_found_by_the_name_that_it_had():
    create("small")
    test = page("runs")
    test.query_params["columns"] = ["Best val AUC", "Seed"]
    test.run()
    words(test)
    assert [warning.value for warning in test.warning] == []
    assert test.multiselect(key="columns").value == ["Validation AUC", "Seed"]
    assert test.dataframe[0].value.columns.tolist() == ["Run", "Validation AUC", "Seed"]


@pytest.mark.slow
def test_groups_have_means_and_stand_together_in_the_table(own_home: Path):
    for name, settings in {"a1": {"seed": 1}, "b": {"hidden": 8}, "a2": {"seed": 2}}.items():
        finished(own_home, name, **settings)
    test = page("runs", group="all but the seed").run()
    words(test)
    assert shown(test) == ["a2", "a1", "b"]
    assert test.dataframe[0].value["Group"].tolist() == ["a (seeds 1, 2)", "a (seeds 1, 2)", "b"]
    groups = test.table[0].value
    assert groups[["Group", "Runs", "Validation AUC"]].values.tolist() == [
        ["a (seeds 1, 2)", "2, 2 finished", "0.640 ± 0.000"],
        ["b", "1, 1 finished", "0.640, one run"],
    ]


@pytest.mark.slow
def test_chosen_runs_are_laid_over_each_other_and_tested(own_home: Path):
    finished(own_home, "one")
    finished(own_home, "two", signal=0.1, lr=0.002)
    create("untrained")
    test = page("runs", compare=["one", "two", "untrained"], run="one").run()
    text = words(test)
    assert "No epoch to draw yet: untrained." in text
    assert test.table[0].value.values.tolist() == [
        ["Learning rate", "0.001", ":orange-background[**0.002**]", "0.001"]
    ]
    assert (
        len([info for info in test.info if "difference" in info.value and "higher than two" in info.value])
        == 1
    )
    # three of them over each other, the learning curves of the run below, and the costs
    assert len(test.get("plotly_chart")) == 5
    test.selectbox(key="pair-second").select("untrained").run()
    assert "Run 'untrained' has not been judged on a test part" in test.warning[0].value
    test.slider(key="smooth").set_value(0.5).run()
    words(test)


def test_a_link_to_runs_beside_each_other_says_which_are_not_here():
    create("one")
    test = page("runs", compare=["one", "gone"]).run()
    words(test)
    assert [warning.value for warning in test.warning] == ["Renamed or deleted: gone."]
    assert test.multiselect(key="compare").value == ["one"]


@pytest.mark.slow
def test_bars_that_are_not_drawn_are_not_explained(own_home: Path, monkeypatch: pytest.MonkeyPatch):
    from xlite.runs import pareto

    finished(own_home, "one")
    monkeypatch.setattr(
        pareto, "plot_of", lambda *_: pareto.Plot((pareto.Point("one", Estimate(0.7), 2.0),), ())
    )
    assert "On the front: one. Latency was measured" in words(page("runs").run())


@pytest.mark.slow
def test_a_finished_run_leads_on_and_costs_are_shown(own_home: Path):
    finished(own_home, "one")
    test = page("runs").run()
    text = words(test)
    assert links(test) == ["See its results results?model=one", "Read a film with it classify?model=one"]
    assert "On duty" in text and labels(test) == set()
    assert "On the front: one. Bars are 95 % intervals" in text
    assert [button.label for button in test.get("download_button")] == [
        "Download the table as CSV",
        "Download the zip",
    ]
    test.button_group[0].set_value("latency").run()
    assert "1 run is not in the plot, as the latency is not known" in words(test)


@pytest.mark.slow
def test_tags_and_a_note_are_written_from_the_page(stopped_run: Run):
    test = page("runs").run()
    [note] = test.text_area
    note.set_value("the best").run()
    words(test)
    [tags] = [one for one in test.multiselect if one.label == "Tags"]
    annotate(stopped_run.folder, ["old"])  # another writer, meanwhile
    test.run()
    [tags] = [one for one in test.multiselect if one.label == "Tags"]
    assert (tags.value, test.text_area[0].value) == (["old"], "the best")
    tags.set_value([]).run()
    assert read_annotation(stopped_run.folder) == Annotation((), "the best")


@pytest.mark.slow
def test_damaged_tags_and_notes_are_a_sentence_and_can_be_written_anew(stopped_run: Run):
    stopped_run.path("annotation.json").write_text("{")
    test = page("runs").run()
    assert words(test).count("Tags and note of run 'one' cannot be read from") == 2  # table, and run
    test.text_area[0].set_value("anew").run()
    assert read_annotation(stopped_run.folder) == Annotation((), "anew")
    assert [warning.value for warning in test.warning] == []


@pytest.mark.slow
def test_of_many_experiments_a_page_is_shown_and_the_search_holds_for_them_too():
    create("one")
    for number in range(60):
        append_result(Experiment(f"run{number}", val_auc=0.6), Notes(SPLIT, seed=number))
    test = page("runs").run()
    text = words(test)
    assert test.table[0].value["Run"].tolist() == [f"run{number}" for number in range(59, 9, -1)]
    assert "60 of 60 experiments, newest first." in text
    test.number_input[0].set_value(2).run()
    assert test.table[0].value["Run"].tolist() == [f"run{number}" for number in range(9, -1, -1)]
    test.text_input(key="search").set_value("seed=59").run()
    assert test.table[0].value["Run"].tolist() == ["run59"]
