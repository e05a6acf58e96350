"""Flower's strategies: how replies that are whole become the server's next weights, and what it remembers."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from flwr.app import Array, ArrayRecord, Message
from flwr.serverapp.strategy import FedAdam, FedAvg, FedProx
from torch import Tensor

from xlite.federated.arrays import is_statistic
from xlite.federated.plan import Plan

Moments = dict[str, dict[str, Tensor]]


def make_strategy(plan: Plan) -> FedAvg:
    """Flower's strategy of a plan; it sees only replies that are whole."""
    # `Members.gather` waits for as many as the plan needs; Flower would wait for clients that have died.
    common: dict[str, Any] = {f"min_{of}_nodes": 1 for of in ("train", "evaluate", "available")}
    if plan.strategy == "fedprox":
        return FedProx(**common, proximal_mu=plan.proximal)
    if plan.strategy == "fedadam":
        return FedAdam(**common, eta=plan.server_lr)
    return FedAvg(**common)


def next_weights(
    strategy: FedAvg, number: int, replies: Sequence[Message], sent: ArrayRecord
) -> ArrayRecord | None:
    """What round `number` makes of whole replies to what was sent, in its precision; None if there are none.

    FedAdam steps learned weights alone: a step is as long for a small value as for a large one, so it takes
    variances of batch norms below 0. Their statistics become the mean of the clients, as with the others.
    """
    made, _ = strategy.aggregate_train(number, replies)
    if made is None:
        return None
    chosen = {name: made[name] for name in sent}
    if isinstance(strategy, FedAdam):
        # Called by its class, as FedAdam's own makes the steps.
        mean, _ = FedAvg.aggregate_train(strategy, number, replies)
        chosen |= {name: mean[name] for name in sent if is_statistic(name)}
    # Flower's sums are wider.
    return ArrayRecord(
        {name: Array(chosen[name].numpy().astype(array.numpy().dtype)) for name, array in sent.items()}
    )


def moments(strategy: FedAvg) -> Moments:
    """What FedAdam remembers between rounds; nothing of the others."""
    found = {name: getattr(strategy, name, None) for name in ("m_t", "v_t")}
    return {
        name: {key: torch.from_numpy(np.asarray(array)) for key, array in arrays.items()}
        for name, arrays in found.items()
        if arrays
    }


def restore(strategy: FedAvg, remembered: Moments) -> None:
    """Gives a new strategy what `moments` kept."""
    for name, tensors in remembered.items():
        setattr(strategy, name, {key: tensor.numpy() for key, tensor in tensors.items()})
