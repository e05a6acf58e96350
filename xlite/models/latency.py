"""How long one film takes on this machine. No torch."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Latency:
    """Times of one forward pass of one film, in ms: the median and the 95th percentile."""

    p50_ms: float
    p95_ms: float


def measure_latency(
    forward: Callable[[np.ndarray], object], image_size: int, passes: int = 30, warmup: int = 5
) -> Latency:
    """Times `passes` forward passes of one film float32 (1, 3, S, S), such as `Engine.logits`."""
    x = np.zeros((1, 3, image_size, image_size), np.float32)
    times = []
    for _ in range(warmup + passes):
        began = time.perf_counter()
        forward(x)
        times.append(1000 * (time.perf_counter() - began))
    p50, p95 = np.percentile(times[warmup:], [50, 95])
    return Latency(float(p50), float(p95))
