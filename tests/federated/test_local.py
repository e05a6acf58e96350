"""What a client trains on its own films: its settings, its folder, its rounds and how far it may move."""

import math
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from federations import STUDENT
from torch import nn
from unknown_labels import LACKING, hide_labels

from xlite.data.folder import NihFolder
from xlite.errors import CheckpointError, DataError, RunError
from xlite.federated.local import (
    LocalTraining,
    Own,
    drawn_to_start,
    preprocess_of,
    round_status,
    state_of,
)
from xlite.federated.plan import Plan, make_plan
from xlite.findings import FINDINGS
from xlite.images import Preprocess
from xlite.models.checkpoint import load_model
from xlite.runs.run import Run
from xlite.runs.run_files import CLIENT_FILE


def plan_of(**changes: object) -> Plan:
    return make_plan({**STUDENT, "rounds": 2, "clients": 2, **changes}, (0.5,) * 3, (0.2,) * 3)


def row(number: int, auc: float, loss: float = 0.6) -> dict[str, float]:
    return {"epoch": number, "train_loss": 0.7, "val_loss": loss, "val_auc": auc, "seconds": 2.0}


def test_a_client_decides_where_and_on_what_it_trains_and_the_plan_all_else() -> None:
    own = Own("west", Path("films"), split="official", device="cpu", skip_missing=True, weights="imagenet")
    config = own.config(plan_of(local_epochs=3, lr=0.01))
    assert (config.name, config.data, config.split) == ("west", Path("films"), "official")
    assert (config.device, config.skip_missing) == ("cpu", True)
    assert (config.epochs, config.patience, config.lr) == (6, 6, 0.01)
    assert config.weights == "none"  # those come from the server


def test_only_who_distils_may_have_another_backbone_and_weights_of_its_own() -> None:
    own = Own("west", Path("films"), backbone="test_convnext.r160_in1k")
    assert own.config(plan_of()).backbone == STUDENT["backbone"]
    distils = own.config(plan_of(strategy="distil"))
    assert (distils.backbone, distils.weights) == ("test_convnext.r160_in1k", "imagenet")
    assert Own("west", Path("films")).config(plan_of(strategy="distil")).backbone == STUDENT["backbone"]


def test_a_film_becomes_the_same_input_at_each_client() -> None:
    assert preprocess_of(plan_of()) == Preprocess(32, (0.5,) * 3, (0.2,) * 3)


def test_the_best_round_is_the_one_of_the_highest_auc_else_of_the_lowest_loss() -> None:
    state = state_of([row(1, 0.6), row(2, 0.8), row(3, 0.7)])
    assert (state.epoch, state.best_epoch, state.best_auc, state.elapsed_s) == (3, 2, 0.8, 6.0)
    unlabelled = state_of([row(1, math.nan, 0.9), row(2, math.nan, 0.5), row(3, math.nan, 0.7)])
    assert unlabelled.best_epoch == 2 and math.isnan(unlabelled.best_auc)
    assert state_of([]).epoch == 0


def test_a_status_counts_rounds_and_says_nothing_that_is_not_known() -> None:
    none = round_status(state_of([]), plan_of(), "running", "opening films")
    assert (none.state, none.message, none.unit) == ("running", "opening films", "round")
    assert (none.epoch, none.epochs, none.loss, none.val_auc, none.best_auc) == (0, 2, None, None, None)
    after = round_status(state_of([row(1, 0.6), row(2, math.nan)]), plan_of(), "finished", " after 2 rounds")
    assert (after.epoch, after.loss, after.val_auc) == (2, 0.7, None)
    assert (after.best_auc, after.best_epoch, after.elapsed_s) == (0.6, 1, 4.0)


def test_each_step_is_drawn_to_where_the_round_began() -> None:
    """By hand: w0 2, SGD at 0.5 on a gradient of 1; the second step is drawn by mu 0.4 times w - w0."""
    weight = nn.Parameter(torch.tensor([2.0]))
    untouched = nn.Parameter(torch.tensor([5.0]))
    learner = SimpleNamespace(optimizer=torch.optim.SGD([weight, untouched], lr=0.5))

    def step() -> float:
        weight.grad = torch.tensor([1.0])
        learner.optimizer.step()
        return float(weight.detach())

    with drawn_to_start(learner, 0.4):  # type: ignore[arg-type]
        assert step() == pytest.approx(1.5)
        assert step() == pytest.approx(1.5 - 0.5 * (1 + 0.4 * (1.5 - 2)))
        assert untouched.item() == 5.0
    at = float(weight.detach())
    assert step() == pytest.approx(at - 0.5)  # it is over with the round
    with drawn_to_start(learner, 0.0):  # type: ignore[arg-type]
        assert step() == pytest.approx(at - 1)


def test_what_ends_a_round_by_an_error_ends_the_pull_too() -> None:
    weight = nn.Parameter(torch.tensor([2.0]))
    learner = SimpleNamespace(optimizer=torch.optim.SGD([weight], lr=1.0))
    with pytest.raises(KeyboardInterrupt), drawn_to_start(learner, 100.0):  # type: ignore[arg-type]
        raise KeyboardInterrupt
    with torch.no_grad():
        weight += 1
    weight.grad = torch.tensor([0.0])
    learner.optimizer.step()
    assert weight.item() == 3.0


def test_a_folder_that_cannot_be_opened_gives_the_run_up_and_says_why(tmp_path: Path) -> None:
    with pytest.raises(DataError):
        LocalTraining(Own("one", tmp_path, device="cpu"), plan_of())
    run = Run.named("one")
    assert run.status().state == "failed" and not run.is_held()


@pytest.mark.slow
def test_a_client_that_is_closed_before_the_end_was_stopped_and_one_with_other_settings_is_refused(
    films: Path,
) -> None:
    first = LocalTraining(Own("one", films, device="cpu"), plan_of())
    run = Run.named("one")
    assert run.is_held() and run.path(CLIENT_FILE).is_file() and first.films == 56
    first.close()
    assert run.status().state == "stopped" and not run.is_held()
    with pytest.raises(RunError, match="is finished or has other settings"):
        LocalTraining(Own("one", films, device="cpu"), plan_of(lr=0.5))
    again = LocalTraining(Own("one", films, device="cpu"), plan_of())
    assert (again.state.epoch, again.state.rows, again.films) == (0, [], 56)
    again.close()


@pytest.mark.slow
def test_a_client_that_comes_back_has_the_weights_and_rows_that_it_had(films: Path) -> None:
    first = LocalTraining(Own("one", films, device="cpu"), plan_of())
    loss = first.train(1)
    first.judge(1, loss)
    kept = {name: tensor.clone() for name, tensor in first.student.state_dict().items()}
    first.close()
    again = LocalTraining(Own("one", films, device="cpu"), plan_of())
    assert [one["epoch"] for one in again.state.rows] == [1] and again.state.rows[0]["train_loss"] == loss
    assert all(torch.equal(tensor, kept[name]) for name, tensor in again.student.state_dict().items())
    again.judge(1, 0.25)  # a round that was given up comes again: one row
    assert [(one["epoch"], one["train_loss"]) for one in again.state.rows] == [(1, 0.25)]
    assert again.run.read_metrics()["epoch"].tolist() == [1]
    again.close()


@pytest.mark.slow
def test_a_damaged_state_of_a_client_is_refused_and_its_run_given_up(films: Path) -> None:
    LocalTraining(Own("one", films, device="cpu"), plan_of()).close()
    path = Run.named("one").path(CLIENT_FILE)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(CheckpointError, match=f"{CLIENT_FILE} is not the state of this run .it is cut short"):
        LocalTraining(Own("one", films, device="cpu"), plan_of())
    assert not Run.named("one").is_held()


class Given(Exception):
    """What a server does that gives a round up."""


@pytest.mark.slow
def test_what_is_raised_after_a_step_ends_the_round(films: Path) -> None:
    given_up: list[bool] = []

    def heed() -> None:
        if given_up:
            raise Given

    training = LocalTraining(Own("one", films, device="cpu"), plan_of(), heed)
    given_up.append(True)
    with pytest.raises(Given):
        training.train(1)
    assert training.state.rows == []
    training.close(Given, Given(), None)
    assert Run.named("one").status().state == "failed"


@pytest.mark.slow
def test_fedprox_keeps_a_client_near_the_servers_weights(films: Path):
    plan = plan_of(local_epochs=2)
    moved = []
    for name, mu in (("free", 0.0), ("drawn", 100.0)):
        training = LocalTraining(Own(name, films, device="cpu"), plan)
        start = {key: value.clone() for key, value in training.student.state_dict().items()}
        training.train(1, mu)
        end = training.student.state_dict()
        parameters = [key for key, _ in training.student.named_parameters()]
        moved.append(float(sum((end[key] - start[key]).square().sum() for key in parameters)))
        training.close()
    assert moved[1] < 0.5 * moved[0]


@pytest.mark.slow
@pytest.mark.usefixtures("quick_report")
def test_a_client_that_was_not_there_in_the_best_round_ends_with_it_all_the_same(films: Path):
    plan = plan_of()
    training = LocalTraining(Own("late", films, device="cpu"), plan)
    training.end(best=2, clients=3)
    run = Run.named("late")
    assert run.status().state == "finished" and run.read_metrics()["epoch"].tolist() == [2]
    trained_on = load_model(run.path("model.safetensors"))[1].notes.trained_on
    assert trained_on == "56 films of 28 patients, and the weights of 2 other clients"


@pytest.mark.slow
def test_a_client_learns_nothing_of_a_finding_that_it_does_not_label(films: Path):
    """The masked loss: the head's rows of that finding move by weight decay alone, which is off here."""
    stems = NihFolder.open(films).table["stem"].tolist()
    hide_labels(films, dict.fromkeys(stems, LACKING))
    plan = plan_of(weight_decay=0.0, hidden=0)
    training = LocalTraining(Own("partial", films, device="cpu"), plan)
    [name] = [
        key for key, value in training.student.named_parameters() if value.shape[0] == 14 and value.ndim == 2
    ]
    start = training.student.state_dict()[name].clone()
    training.train(1)
    still = (training.student.state_dict()[name] == start).all(dim=1)
    assert {finding for finding, same in zip(FINDINGS, still.tolist(), strict=True) if same} == set(LACKING)
    training.close()
