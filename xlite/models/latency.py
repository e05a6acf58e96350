"""How long one film takes on this machine."""

import time
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn


@dataclass(frozen=True)
class Latency:
    """Times of one forward pass of one film, in ms: the median and the 95th percentile."""

    p50_ms: float
    p95_ms: float


def measure_latency(model: nn.Module, image_size: int, passes: int = 30, warmup: int = 5) -> Latency:
    """Times `passes` forward passes of one film (1, 3, S, S) on the model's device."""
    device = next(model.parameters()).device
    x = torch.zeros(1, 3, image_size, image_size, device=device)
    times = []
    with torch.inference_mode():
        for _ in range(warmup + passes):
            began = time.perf_counter()
            model(x)
            if device.type == "cuda":
                torch.cuda.synchronize(device)
            times.append(1000 * (time.perf_counter() - began))
    p50, p95 = np.percentile(times[warmup:], [50, 95])
    return Latency(float(p50), float(p95))
