"""What Flower's strategies make of replies: of learned weights, and of what batch norms measured."""

import numpy as np
import pytest

pytest.importorskip("flwr", reason="Flower is not installed here (pip install 'xlite-cxr[federated]')")

from flwr.app import Array, ArrayRecord, ConfigRecord, Message, MetricRecord, RecordDict
from flwr.common.constant import SUPERLINK_NODE_ID
from flwr.serverapp.strategy import FedAvg
from flwr.supercore.task_identity import TaskIdentity

from xlite.federated.plan import make_plan
from xlite.federated.strategy import make_strategy, moments, next_weights

WEIGHT, MEAN, VARIANCE = "bn1.weight", "bn1.running_mean", "bn1.running_var"


class Two:
    """A grid of two clients that are there."""

    def get_node_ids(self) -> list[int]:
        return [1, 2]


def reply(values: dict[str, float], films: int) -> Message:
    arrays = ArrayRecord({name: Array(np.full(3, value, np.float32)) for name, value in values.items()})
    content = RecordDict({"arrays": arrays, "metrics": MetricRecord({"num-examples": films})})
    return Message(content, reply_to=Message(RecordDict(), 2, "train"))


def after(strategy_name: str, rounds: int = 1, **plan: object) -> tuple[dict[str, np.ndarray], FedAvg]:
    """The next weights and the strategy, from two clients, of 1 and of 3 films."""
    TaskIdentity.run_id, TaskIdentity.node_id, TaskIdentity.task_id = 1, SUPERLINK_NODE_ID, 1
    plan_values = {"backbone": "test_resnet.r160_in1k", "weights": "none", "strategy": strategy_name, **plan}
    strategy = make_strategy(make_plan(plan_values))
    arrays = ArrayRecord(
        {n: Array(np.full(3, v, np.float32)) for n, v in ((WEIGHT, 1), (MEAN, 0.5), (VARIANCE, 0.02))}
    )
    for number in range(1, rounds + 1):
        list(strategy.configure_train(number, arrays, ConfigRecord(), Two()))
        told = [
            reply({WEIGHT: 0.9, MEAN: 0.1, VARIANCE: 0.001}, 1),
            reply({WEIGHT: 0.5, MEAN: 0.3, VARIANCE: 0.003}, 3),
        ]
        made = next_weights(strategy, number, told, arrays)
        assert made is not None
        arrays = made
    return {name: array.numpy() for name, array in arrays.items()}, strategy


@pytest.mark.parametrize("name", ["fedavg", "fedprox"])
def test_the_mean_is_by_films(name: str):
    arrays, strategy = after(name)
    for key, value in {WEIGHT: 0.6, MEAN: 0.25, VARIANCE: 0.0025}.items():
        np.testing.assert_allclose(arrays[key], value, rtol=1e-6)
        assert arrays[key].dtype == np.float32
    assert moments(strategy) == {}


def test_fedadam_steps_weights_and_averages_what_batch_norms_measured():
    """Steps as long for a small value as for a large one would take the variance below 0."""
    arrays, strategy = after("fedadam", rounds=20, server_lr=0.01)
    np.testing.assert_allclose(arrays[MEAN], 0.25, rtol=1e-6)
    np.testing.assert_allclose(arrays[VARIANCE], 0.0025, rtol=1e-6)
    assert (arrays[WEIGHT] < 0.9).all() and (arrays[WEIGHT] > 0.6).all()
    assert moments(strategy).keys() == {"m_t", "v_t"}


def test_the_first_step_of_fedadam_is_that_of_its_paper():
    """Reddi et al. 2020, algorithm 2, with Flower's correction of the bias, as of the second step."""
    arrays, strategy = after("fedadam", server_lr=0.01)
    delta = 0.6 - 1
    m, v = 0.1 * delta, 0.01 * delta**2
    rate = 0.01 * np.sqrt(1 - 0.99**2) / (1 - 0.9**2)
    np.testing.assert_allclose(arrays[WEIGHT], 1 + rate * m / (np.sqrt(v) + 1e-3), rtol=1e-5)
    np.testing.assert_allclose(moments(strategy)["m_t"][WEIGHT], m, rtol=1e-5)
