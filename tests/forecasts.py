"""A forecast, and a probe that gives one."""

from xlite.config import TrainConfig
from xlite.errors import RunError
from xlite.training.forecast import Forecast

FORECAST = Forecast(
    device="cpu", student="tiny", films=100, val_films=20, test_films=20, epochs=10, steps=5, step_films=20,
    measured=20, measured_steps=3, step_s=2.0, val_film_s=0.1, opening_s=3.0, decode_s=0.0, memory_gb=2.0,
    memory_free_gb=8.0, cache_gb=0.0, cache_free_gb=10.0, run_gb=0.1, run_free_gb=10.0,
)  # fmt: skip


class Played:
    """A probe that needs no process: it measures until it is told what it found."""

    found: Forecast | RunError | None = None
    cancelled = 0

    def __init__(self, config: TrainConfig):
        self.config, self.elapsed_s = config, 3.0

    def result(self) -> Forecast | None:
        if isinstance(Played.found, RunError):
            raise Played.found
        return Played.found

    def cancel(self) -> None:
        Played.cancelled += 1
