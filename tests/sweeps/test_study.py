"""The Optuna side of a study: whose turn a trial is, on one machine and on several."""

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from optuna.trial import TrialState
from played import FILMS, TINY, Trainers, grid, shared

from xlite.errors import RunError
from xlite.places import sweeps_dir
from xlite.sweeps import study as study_module
from xlite.sweeps import work
from xlite.sweeps.plan import Design, Plan, Range, make_plan
from xlite.sweeps.status import Outcome, Signature
from xlite.sweeps.study import BEAT_EVERY_S, GRACE_S, Study
from xlite.sweeps.sweep import Sweep

pytestmark = pytest.mark.usefixtures("quick")

HERE, THERE = Signature("here:/home", "1"), Signature("there:/home", "2")


def all_of(study: Study) -> list[str]:
    """Takes and ends trials until none is left; the names of their runs."""
    names = []
    while trial := study.next_trial():
        names.append(trial.user_attrs["run"])
        study.finish(trial, Outcome(val_auc=0.5))
    return names


@pytest.mark.slow
def test_the_storage_has_the_last_word_on_what_came_of_a_study(
    trainers: Trainers, tiny_folder: Path, url: str
) -> None:
    sweep = Sweep.open(grid(tiny_folder, seeds=1))
    work.work_on(sweep)
    sweep.path("progress.json").unlink()  # killed before it could say so
    with pytest.raises(RunError, match="holds a study 's' of other settings"):
        work.work_on(Sweep.open(grid(tiny_folder, seeds=2)))
    first, second = (shared(grid(tiny_folder, seeds=seeds), url) for seeds in (1, 2))
    taken = Study(first, url, FILMS, THERE)
    trial = taken.next_trial()
    with pytest.raises(RunError, match="it differs in seed"):
        Study(second, url, FILMS, HERE)
    taken.give_back(trial)
    assert len(Study(second, url, FILMS, HERE).trials()) == 4


@pytest.mark.slow
def test_what_was_interrupted_is_gone_on_with_first_here_and_by_others(tiny_folder: Path, url: str) -> None:
    plan = shared(grid(tiny_folder, seeds=1), url)
    here = Study(plan, url, FILMS, HERE)
    first = here.next_trial()
    first.report(0.5, 1)
    here.give_back(first)
    assert [row.state for row in here.trials()] == ["waiting", "waiting"]
    again = Study(plan, url, FILMS, HERE).next_trial()
    assert (again.number, again.params, here.reported(again)) == (first.number, first.params, {1})
    here.give_back(again)
    there = Study(plan, url, FILMS, THERE)
    there.pick_up_dead()
    assert all_of(there) == ["s-001", "s-000"]


@pytest.mark.slow
def test_what_a_dead_machine_left_is_picked_up_after_a_while(
    tiny_folder: Path, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = shared(grid(tiny_folder), url)
    there = Study(plan, url, FILMS, THERE)
    taken = there.next_trial()
    here = Study(plan, url, FILMS, HERE)
    here.pick_up_dead()
    assert here.elsewhere() == 1
    assert all_of(here) == ["s-001", "s-002", "s-003"]
    for name in ("GRACE_S", "LISTEN_S"):
        monkeypatch.setattr(study_module, name, -1.0)
    here.pick_up_dead()
    assert {row.run: row.state for row in here.trials()}["s-000"] == "waiting"
    trial = here.next_trial()
    assert (trial.user_attrs["run"], trial.params) == ("s-000", taken.params)


@pytest.mark.slow
@pytest.mark.alone
@pytest.mark.parametrize("jump_s", [-86400.0, 0.0, 86400.0])
def test_a_clock_that_jumps_takes_no_trial_from_the_living_and_waits_for_no_dead(
    tiny_folder: Path, url: str, monkeypatch: pytest.MonkeyPatch, jump_s: float
) -> None:
    plan = shared(grid(tiny_folder), url)
    there, here = Study(plan, url, FILMS, THERE), Study(plan, url, FILMS, HERE)
    taken = there.next_trial()
    wall, began, passed = time.time(), time.monotonic(), 0.0
    monkeypatch.setattr(time, "monotonic", lambda: began + passed)

    def at_clock(offset_s: float, act: Callable[[], None]) -> None:
        with monkeypatch.context() as patch:
            patch.setattr(time, "time", lambda: wall + passed + offset_s)
            act()

    def trials_elsewhere() -> int:
        at_clock(jump_s, here.pick_up_dead)
        return here.elsewhere()

    for _ in range(30):  # 15 minutes
        assert trials_elsewhere() == 1
        passed += BEAT_EVERY_S
        at_clock(0.0, partial(there.beat, taken))
    assert trials_elsewhere() == 1  # the last that was heard
    passed += GRACE_S + 1
    assert trials_elsewhere() == 0


def test_a_trial_says_where_it_was_trained_also_one_of_old(tiny_folder: Path, url: str) -> None:
    study = Study(shared(grid(tiny_folder, seeds=1), url), url, FILMS, HERE)
    first, second = study.next_trial(), study.study.ask()
    study.finish(first, Outcome(val_auc=0.5))
    second.set_user_attr("worker", {"here": str(THERE), "beat": 1.0})  # as version 0.1.0 signed it
    assert [row.where for row in study.trials()] == ["here:/home", "there:/home"]


@pytest.mark.slow
def test_a_sweep_knows_its_own_trials_whatever_its_machine_is_called(
    tiny_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sweep = Sweep.open(grid(tiny_folder, seeds=1))
    signature = sweep.signature()
    monkeypatch.setattr("socket.gethostname", lambda: "renamed")
    assert sweep.signature() == signature
    taken = Study(sweep.plan(), sweep.storage(), FILMS, HERE).next_trial()
    again = Study(
        sweep.plan(), sweep.storage(), FILMS, Signature("lost its file", "2")
    )  # and nobody else's storage it is
    again.pick_up_dead()
    assert again.next_trial().number == taken.number


@pytest.mark.slow
def test_a_trial_that_was_taken_and_never_signed_does_not_wait_for_minutes(
    tiny_folder: Path, tmp_path: Path, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    vary = {"lr": Range(low=0.1, high=0.2)}
    tpe = make_plan("search", {"data": tiny_folder}, vary, Design("t", trials=1))
    for plan, names in ((grid(tiny_folder, seeds=1), ["s-001", "s-000"]), (tpe, ["t-001"])):
        Study(shared(plan, url), url, FILMS, THERE).study.ask()  # killed right after it
        here = Study(shared(plan, url), url, FILMS, HERE)
        monkeypatch.setattr(study_module, "UNSIGNED_GRACE_S", 60.0)
        here.pick_up_dead()
        assert (all_of(here), here.elsewhere()) == (names[:-1], 1)
        monkeypatch.setattr(study_module, "UNSIGNED_GRACE_S", -1.0)
        here.pick_up_dead()
        assert all_of(here) == names[-1:]
        alone = Study(plan, f"sqlite:///{tmp_path / plan.study}.db", FILMS, HERE)
        alone.study.ask()
        assert len(all_of(alone)) == plan.total()


@pytest.mark.slow
def test_tpe_picks_no_more_if_two_machines_act_at_once(tiny_folder: Path, url: str) -> None:
    vary = {"lr": Range(low=0.1, high=0.2)}
    plan = shared(make_plan("search", {"data": tiny_folder}, vary, Design("s", trials=2)), url)
    one, two = Study(plan, url, FILMS, HERE), Study(plan, url, FILMS, THERE)
    one.finish(one.next_trial(), Outcome(val_auc=0.5))
    asked = one._asked(), two._asked()  # each saw room for one more
    one._unfinished = two._unfinished = lambda: None
    for study, trial in zip((one, two), asked, strict=True):
        waiting = [trial]
        study._asked = lambda: waiting.pop() if waiting else None  # noqa: B023
        while trial := study.next_trial():
            study.finish(trial, Outcome(val_auc=0.5))
    assert [row.run for row in one.trials()] == ["s-000", "s-001"]


@pytest.mark.slow
def test_more_trials_than_planned_are_all_of_them(trainers: Trainers, tiny_folder: Path) -> None:
    """Another machine was asked for more trials of the study on the storage that both share."""
    vary = {"lr": Range(low=0.1, high=0.2)}
    url = f"sqlite:///{sweeps_dir().parent / 'shared.db'}"
    sweeps_dir().parent.mkdir()

    def plan(trials: int) -> Plan:
        given = {"data": tiny_folder, **TINY}
        return make_plan("search", given, vary, Design("s", trials=trials, storage=url))

    work.work_on(Sweep.open(plan(3)))
    Sweep.named("s").delete()
    sweep = Sweep.open(plan(1))
    work.work_on(sweep)
    assert (sweep.status().total, sweep.status().count("finished")) == (3, 3)


@pytest.mark.slow
def test_a_trial_that_two_machines_planned_at_once_is_trained_once(tiny_folder: Path, url: str) -> None:
    study = Study(grid(tiny_folder, seeds=1), url, FILMS, HERE)
    for trial in study.study.get_trials():
        study.study.enqueue_trial(trial.system_attrs["fixed_params"], user_attrs=trial.user_attrs)
    assert all_of(study) == ["s-000", "s-001"]
    study.pick_up_failed()
    assert study.next_trial() is None
    ended = [(row.run, row.state) for row in study.trials()]
    assert ended == [("s-000", "finished"), ("s-001", "finished")]


@pytest.mark.slow
def test_two_machines_must_mean_the_same_study(tiny_folder: Path, tmp_path: Path, url: str) -> None:
    Study(shared(grid(tiny_folder), url), url, FILMS, THERE).next_trial()
    Study(shared(grid(tmp_path / "elsewhere" / "data"), url), url, FILMS, HERE)
    with pytest.raises(RunError, match="it differs in split"):
        Study(shared(grid(tiny_folder), url), url, {**FILMS, "split": "patient-42-2"}, HERE)
    with pytest.raises(RunError, match="it differs in seed"):
        Study(shared(grid(tiny_folder, seeds=1), url), url, FILMS, HERE)


@pytest.mark.parametrize(
    "url", ["nonsense", "sqlite:////nowhere/at/all.db", "postgresql://a:secret@localhost:1/x"]
)
def test_a_storage_that_cannot_be_had_is_a_sentence(tiny_folder: Path, url: str) -> None:
    with pytest.raises(RunError, match="the storage of study 's' cannot be opened") as caught:
        Study(grid(tiny_folder), url, FILMS, HERE)
    assert "secret" not in str(caught.value)


@pytest.mark.slow
def test_a_dashboard_of_optuna_sees_the_trials(trainers: Trainers, tiny_folder: Path) -> None:
    import optuna

    sweep = Sweep.open(grid(tiny_folder, seeds=1))
    work.work_on(sweep)
    seen = optuna.load_study(study_name="s", storage=sweep.storage())
    assert [(t.state, t.value, t.user_attrs["run"]) for t in seen.trials] == [
        (TrialState.COMPLETE, 0.7, "s-000"),
        (TrialState.COMPLETE, 0.7, "s-001"),
    ]
    assert seen.trials[0].intermediate_values == {1: 0.6, 2: 0.7}
