"""A probe as whoever started it sees it: a process that may be looked at and cancelled. No torch."""

import subprocess
import sys
import time
from threading import Thread

from pydantic_core import from_json

from xlite.config import TrainConfig
from xlite.errors import RunError, words_from_json
from xlite.runs.command import absolute_paths
from xlite.text import last_line
from xlite.training.forecast import Forecast

LIMIT_S = 60.0
"""After so long a probe is given up: on an idle machine it takes less than 20 s."""


class Probing:
    """The forecast of one run, which a process of its own is measuring."""

    def __init__(self, config: TrainConfig):
        """Starts measuring what a run of these settings would take."""
        self.config = absolute_paths(config)
        self._began = time.monotonic()
        words = [sys.executable, "-m", "xlite.training.probe", self.config.model_dump_json()]
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(
            words, stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe, text=True, start_new_session=True
        )
        self._said, self._errors = "", ""
        self._reader = Thread(target=self._read, daemon=True)  # so that no pipe fills, and no zombie is left
        self._reader.start()

    def _read(self) -> None:
        self._said, self._errors = self._process.communicate()

    @property
    def elapsed_s(self) -> float:
        """How long it has been measuring."""
        return time.monotonic() - self._began

    def result(self) -> Forecast | None:
        """The forecast; None while it is measured. RunError if the run is refused, or nothing comes of it."""
        if self._reader.is_alive():
            if self.elapsed_s > LIMIT_S:
                self.cancel()
                raise RunError(
                    f"nothing was measured within {LIMIT_S:.0f} s: the machine is too busy, or steps are too "
                    "long to try them; estimate again once it is idle, or with fewer films a batch than "
                    f"{self.config.batch_size} or films smaller than {self.config.image_size} px"
                )
            return None
        if self._process.returncode:
            died = f"exit status {self._process.returncode}"
            raise RunError(f"the trial steps failed: {last_line(self._errors, died)}")
        if "refused" in (found := from_json(self._said)):
            raise RunError(*words_from_json(found["refused"]))
        return Forecast.model_validate(found)

    def cancel(self) -> None:
        """Ends the process, if it still runs."""
        if self._reader.is_alive():
            self._process.kill()
            self._reader.join()
