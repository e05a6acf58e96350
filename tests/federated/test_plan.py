"""The plan: what a server may decide, and what it may not."""

from pathlib import Path

import pytest

from xlite.errors import RunError
from xlite.federated.plan import Plan, make_plan
from xlite.messages import page_sentence

NORMALISATION = (0.5, 0.5, 0.5), (0.2, 0.2, 0.2)


def test_a_client_trains_all_rounds_of_a_plan_with_the_servers_student():
    plan = make_plan(
        {"rounds": 4, "local_epochs": 2, "lr": 0.01, "image_size": 64, "other": 1}, *NORMALISATION
    )
    config = plan.config(Path("films"), weights="none", device="cpu")
    assert plan.student == {"lr": 0.01, "image_size": 64}
    assert (config.epochs, config.patience, config.lr, config.image_size) == (8, 8, 0.01, 64)
    assert (config.weights, config.device, config.data) == ("none", "cpu", Path("films"))
    assert Plan.read(plan.model_dump_json()) == plan


@pytest.mark.parametrize("name", ["weights", "teacher", "data", "device", "workers", "ema"])
def test_a_server_decides_nothing_about_files_and_machines(name: str):
    sent = make_plan({}, *NORMALISATION).model_dump() | {"student": {name: "/etc/passwd"}}
    with pytest.raises(RunError, match=f"the plan is refused: a server decides nothing about {name}"):
        Plan.read(Plan.model_construct(**sent).model_dump_json())


def test_noise_on_averaged_batch_norms_is_refused():
    with pytest.raises(RunError) as refused:
        make_plan({"dp_epsilon": 1.0}, *NORMALISATION)
    said = "noise would make averaged variances of batch norms negative: with"
    assert str(refused.value) == f"{said} --dp-epsilon use --norms local or frozen"
    assert page_sentence(refused.value) == f"N{said[1:]} “Epsilon” use “Batch norms” local or frozen"
    sent = make_plan({}, *NORMALISATION).model_copy(update={"dp_epsilon": 1.0})
    with pytest.raises(RunError) as refused:
        Plan.read(sent.model_dump_json())
    assert str(refused.value) == f"the plan is refused: {said} --dp-epsilon use --norms local or frozen"
    assert make_plan({"dp_epsilon": 1.0, "norms": "frozen"}, *NORMALISATION).dp_epsilon == 1.0


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"rounds": 0}, "--rounds is 0: input should be greater than or equal to 1"),
        ({"norms": "none"}, "--norms is 'none': input should be 'averaged', 'local' or 'frozen'"),
        ({"image_size": 8}, "--image-size is 8; expected a whole number, at least 32 and at most 1024"),
    ],
    ids=["rounds", "norms", "student"],
)
def test_what_is_no_plan_is_refused_by_the_option(values: dict[str, object], said: str):
    with pytest.raises(RunError) as refused:
        make_plan(values, *NORMALISATION)
    assert str(refused.value) == said
