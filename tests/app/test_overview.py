"""The Overview page in its frame: what is here, what runs, the model on duty, and what comes next."""

import os
from pathlib import Path

import pytest
from app_pages import words
from command_line import wait_for
from demo_home import BACKBONE, SPLIT, save_demo_evaluation, save_demo_model
from streamlit.testing.v1 import AppTest

from xlite.config import make_config
from xlite.data import small_phantom
from xlite.data.folder import PHANTOM_NOTE, PHANTOM_TITLE
from xlite.evaluation.contamination.caveats import Listed, TeacherKnows
from xlite.evaluation.contamination.source_facts import SeenByTeacher
from xlite.models.duty import duty, set_duty
from xlite.places import bundled, duty_json, notice_json
from xlite.report import overview as cards
from xlite.report.means import shown_mean
from xlite.runs import first_run
from xlite.runs.lock import holding
from xlite.runs.run import Run
from xlite.runs.status import RunStatus
from xlite.serving.notice import BUTTON, NOTICE

SEEN = SeenByTeacher(split_id="s", part="test", films=200, trained=60, with_val=60, patients=60)
WAYS_ON = ["Read a film", "Explore the data", "Label films", "Train a student", "Compare results"]
DRAW = "Draw a small phantom folder (160 films)"
pytestmark = pytest.mark.usefixtures("one_scan", "no_charts", "only_this_home", "light")


@pytest.fixture
def light(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for torch to name the device."""
    monkeypatch.setattr(cards, "device_headline", lambda: cards.Headline("CPU", "2 cores"))


def overview(**state: object) -> AppTest:
    """The page in its frame, after its first run."""
    test = AppTest.from_file(bundled("app", "Home.py"), default_timeout=300)
    for key, value in state.items():
        test.session_state[key] = value
    return test.run()


def buttons(test: AppTest) -> list[str]:
    """What one can press, but for the notice."""
    assert [error.message for error in test.exception] == []
    return [button.label for button in test.button if button.label != BUTTON]


def links(test: AppTest) -> list[tuple[str, str, str]]:
    """The links of the page: what they say, the page that they open, and what it shows."""
    protos = [one.proto for one in test.main.get("page_link")]
    return [(proto.label, proto.page, proto.query_string) for proto in protos]


def of_runs(test: AppTest) -> list[tuple[str, str, str]]:
    """Those that belong to a run."""
    return [link for link in links(test) if link[0] not in WAYS_ON]


def made_run(data: Path, name: str, **status: object) -> Run:
    run = Run.create(make_config({"data": data, "name": name}))
    run.write_progress(RunStatus.model_validate(status))
    return run


def test_an_empty_machine_says_what_is_missing_and_offers_the_first_step(own_home: Path) -> None:
    test = overview()
    text = words(test)
    assert "**None yet**" in text and "**None chosen**" in text
    assert "Nothing is running." in text and "No run has ended yet." in text
    assert "GB free**" in text and len(test.warning) == len(test.error) == 0
    assert buttons(test) == [DRAW]
    assert [label for label, _, _ in links(test)] == WAYS_ON
    assert test.text_input(key="data").value == ""


@pytest.mark.slow
def test_it_tells_model_auc_and_data(own_home: Path, tiny_folder: Path) -> None:
    save_demo_model(own_home)
    report = save_demo_evaluation(own_home)
    test = overview(data=str(tiny_folder))
    text, auc = words(test), report.macro.auc
    assert f"**{auc.value:.3f} ({auc.low:.3f}–{auc.high:.3f})**" in text
    assert "**demo0**" in text and BACKBONE in text and f"split {SPLIT}" in text
    assert "**24 films**" in text and "12 patients, 2020 labels" in text
    assert buttons(test) == []  # these films are not phantoms
    assert of_runs(test) == [("All of its results", "results", "model=demo0")]


@pytest.mark.slow
def test_a_contaminated_auc_is_struck_through_beside_that_of_clean_films(own_home: Path) -> None:
    save_demo_model(own_home)
    stems = frozenset(f"{number:08d}_000" for number in range(60))
    teacher = TeacherKnows(teachers=(SEEN,), known=60, stems=stems)
    report = save_demo_evaluation(own_home, caveats=[teacher])
    text = words(overview())
    assert report.contamination and report.contamination.clean
    clean = f"**{shown_mean(report.contamination.clean, 'auc')}**"
    assert clean in text and "On the 140 clean films, mean of 13" in text
    assert f"~~{report.macro.auc}~~ on all: 60 of 200 test films are known to its teacher" in text
    assert text.count("95 % interval") == 1
    save_demo_evaluation(own_home, caveats=[Listed(list_name="own.txt", films=200, inside=7, known=7)])
    text = words(overview())
    assert f"**~~{report.macro.auc}~~**" in text and "There are no metrics on clean films alone" in text
    assert "7 of 200 test films are known to the model or its teacher. " in text


def test_phantom_films_without_a_run_offer_the_tiny_student(
    own_home: Path, tiny_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tiny_folder / PHANTOM_NOTE).write_text(f"{PHANTOM_TITLE}\n")
    test = overview(data=str(tiny_folder))
    assert buttons(test) == ["Train a tiny student"]
    assert first_run.ESTIMATE in words(test)
    started: list[Path] = []

    def start(data: Path) -> Run:
        started.append(data)
        return made_run(data, first_run.NAME, state="finished")

    monkeypatch.setattr(first_run, "start_first", start)
    next(button for button in test.button if button.label == "Train a tiny student").click().run()
    assert started == [tiny_folder]
    assert buttons(test) == [] and f"**{first_run.NAME}**" in words(test)


@pytest.mark.slow
def test_a_phantom_is_drawn_beside_the_page_and_the_sidebar_names_it(
    own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"IMAGES": 2, "PATIENTS": 2, "SIZE": 32}.items():
        monkeypatch.setattr(small_phantom, name, value)
    out = own_home / "data" / "phantom"
    test = overview()
    next(button for button in test.button if button.label == DRAW).click().run()
    wait_for(lambda: not small_phantom.drawing_of(out).is_running)
    test.run()
    assert "**2 films**" in words(test)
    assert test.text_input(key="data").value == str(out)
    later = overview()  # somebody else, or the same person another day
    assert later.text_input(key="data").value == str(out)
    assert "**2 films**" in words(later)


def test_a_phantom_that_cannot_be_drawn_says_why(own_home: Path) -> None:
    out = own_home / "data" / "phantom"
    out.mkdir(parents=True)
    (out / "mine.txt").write_text("keep")
    test = overview()
    next(button for button in test.button if button.label == DRAW).click().run()
    wait_for(lambda: not small_phantom.drawing_of(out).is_running)
    test.run()
    assert any("not an empty folder" in error.value for error in test.error)
    assert DRAW in buttons(test)


def test_a_live_run_is_followed_and_linked(own_home: Path, tiny_folder: Path) -> None:
    run = made_run(tiny_folder, "busy", state="running", epoch=1, epochs=4, eta_s=75, message="trains")
    with holding(run.folder, "it is busy"):
        test = overview()
    text = words(test)
    assert "**busy** :green-badge[running] trains" in text and "Nothing is running." not in text
    assert "That of the newest run, busy." in text
    assert of_runs(test) == [("Watch it on Train", "train", "run=busy")]
    [bar] = test.main.get("progress")
    assert (bar.proto.value, bar.proto.text) == (25, "epoch 1 of 4, time left 1 min 15 s")


@pytest.mark.slow
def test_a_finished_run_leads_to_its_results_and_goes_on_duty(own_home: Path, tiny_folder: Path) -> None:
    save_demo_model(own_home, "demo")
    save_demo_model(own_home, "mine", seed=1)
    report = save_demo_evaluation(own_home, "mine")
    (own_home / "checkpoints" / "mine").rename(own_home / "aside")
    run = made_run(tiny_folder, "mine", state="finished", epoch=8, epochs=8, best_auc=0.71234)
    for path in (own_home / "aside").iterdir():
        path.rename(run.path(path.name))
    test = overview()
    assert of_runs(test) == [
        ("See its results", "results", "model=mine"),
        ("Read a film with it", "classify", "model=mine"),
        ("Among all runs", "runs", "run=mine"),
    ]
    assert f"epoch 8 of 8, validation AUC 0.712, test AUC {report.macro.auc.value:.3f}" in words(test)
    assert "**demo**" in words(test) and duty().name == "demo"
    test.button(key="duty-mine").click().run()
    assert "**mine**" in words(test) and "On duty" in words(test)
    assert (duty().name, duty().chosen) == ("mine", True)
    assert "Put on duty" not in buttons(test)


@pytest.mark.slow
def test_another_model_is_chosen_with_what_it_scored_and_the_choice_can_be_forgotten(own_home: Path) -> None:
    save_demo_model(own_home, "demo")
    save_demo_model(own_home, "mine", seed=1)
    save_demo_model(own_home, "known", seed=2)
    report = save_demo_evaluation(own_home, "mine")
    save_demo_evaluation(own_home, "known", caveats=[Listed(list_name="a", films=200, inside=7, known=7)])
    for age, name in enumerate(("mine", "known")):
        os.utime(own_home / "checkpoints" / name / "model.safetensors", (2e9 - age, 2e9 - age))
    test = overview(choose=True)
    [box] = test.selectbox
    assert box.options == [
        f"mine, test AUC {report.macro.auc.value:.3f}",
        "known, its test films are known to it",
    ]
    assert "Put on duty" not in buttons(test)
    box.set_value("known").run()
    [warning] = test.warning
    assert warning.value.startswith("7 of 200 test films are known to the model or its teacher.")
    test.selectbox[0].set_value("mine").run()
    assert len(test.warning) == 0
    next(button for button in test.button if button.label == "Put on duty").click().run()
    assert "**mine**" in words(test) and duty().name == "mine"
    back = next(button for button in test.button if button.label == "Back to the shipped model")
    back.click().run()
    assert "**demo**" in words(test) and not duty_json().exists()


def test_a_damaged_choice_is_a_sentence_and_the_shipped_model_is_shown(own_home: Path) -> None:
    save_demo_model(own_home, "demo")
    save_demo_model(own_home, "mine", seed=1)
    set_duty("mine")
    duty_json().write_text('{"run":')
    test = overview()
    [warning] = test.warning
    assert warning.value.startswith("Which model was put on duty cannot be read from experiments/duty.json")
    assert "**demo**" in words(test)


def test_little_space_is_a_warning(own_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cards, "free_space", lambda: 300_000_000)
    test = overview()
    assert [warning.value for warning in test.warning] == [
        "There is little space left (0.3 GB): a run that finds the disk full fails. Delete runs that you no "
        "longer need, or name another folder by XLITE_HOME."
    ]
    assert "**0.3 GB free**" in words(test)


@pytest.mark.slow
def test_where_others_come_nothing_can_be_changed(
    own_home: Path, tiny_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XLITE_PUBLIC", "1")
    save_demo_model(own_home, "demo")
    save_demo_model(own_home, "mine", seed=1)
    run = made_run(tiny_folder, "other", state="finished", epoch=8, epochs=8)
    (own_home / "checkpoints" / "mine" / "model.safetensors").rename(run.path("model.safetensors"))
    for state in ({}, {"choose": True}, {"data": ""}):
        test = overview(**state)
        assert buttons(test) == []
        assert len(test.selectbox) == 0


def test_the_notice_is_read_once(own_home: Path) -> None:
    test = overview()
    assert NOTICE in words(test)
    next(button for button in test.button if button.label == BUTTON).click().run()
    assert NOTICE not in words(test) and notice_json().exists()
    later = overview()
    assert NOTICE not in words(later)
    assert later.main.children[0].value == "**Research software, not for clinical use**"


@pytest.mark.slow
def test_nothing_of_the_page_but_the_device_waits_for_torch(own_home: Path, tiny_folder: Path) -> None:
    """In a process of its own: the page has been drawn to its end before anybody asks torch."""
    import subprocess
    import sys

    code = (
        "import sys, time; from streamlit.testing.v1 import AppTest; from xlite.report import overview as o\n"
        "seen = []\n"
        "o.device_headline = lambda: (time.sleep(0.5), seen.append('torch' in sys.modules))\n"
        f"test = AppTest.from_file({str(bundled('app', 'Home.py'))!r}, default_timeout=100).run()\n"
        "assert not test.exception, test.exception[0].message\n"
        "assert not seen and 'torch' not in sys.modules\n"
        "while not seen: time.sleep(0.05)\n"
        "print(seen)"
    )
    save_demo_model(own_home)
    save_demo_evaluation(own_home)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=bundled())
    assert done.stdout.splitlines()[-1:] == ["[False]"], done.stderr
