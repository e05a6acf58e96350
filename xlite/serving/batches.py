"""Batches: films that arrive together go through the network together."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass

import numpy as np

from xlite.classify import Classifier
from xlite.engines.engine import Output
from xlite.explain.methods import DEFAULT_METHOD

LARGEST = 16
"""So many films a batch at most: beyond it a CPU gains nothing, and the first film waits for the last."""
WAIT_S = 0.005
"""So long a film waits for company at most, if the last one had some."""


@dataclass(frozen=True, eq=False)
class _Asked:
    x: np.ndarray
    with_maps: bool
    answer: "asyncio.Future[Output]"


class Batches:
    """One model's films: a queue, and one thread that runs the network. Belongs to one event loop."""

    def __init__(self, classifier: Classifier) -> None:
        self.classifier = classifier
        self._asked: asyncio.Queue[_Asked] = asyncio.Queue()
        self._thread = ThreadPoolExecutor(1, "network")

    async def read(self, x: np.ndarray, with_maps: bool) -> Output:
        """What the network gives for one preprocessed film float32 (1, 3, S, S), without the axis of a batch.

        Without maps h and w are 0. Raises what the engine raises.
        """
        asked = _Asked(x, with_maps, asyncio.get_running_loop().create_future())
        self._asked.put_nowait(asked)
        return await asked.answer

    async def work(self) -> None:
        """Runs batch after batch until cancelled."""
        loop, had_company = asyncio.get_running_loop(), False
        while True:
            batch = [await self._asked.get()]
            with suppress(TimeoutError):
                async with asyncio.timeout(WAIT_S if had_company else 0):
                    while len(batch) < LARGEST:
                        batch.append(await self._asked.get())
            had_company = len(batch) > 1
            # Whoever asked may have gone away meanwhile.
            batch = [asked for asked in batch if not asked.answer.done()]
            if batch:
                answers = loop.run_in_executor(self._thread, self._run, batch)
                await asyncio.wait([answers])
                _hand_out(batch, answers)

    def close(self) -> None:
        """Ends the thread."""
        self._thread.shutdown(wait=False)

    def _run(self, batch: list[_Asked]) -> Output:
        """What the network gives for a batch; no maps unless a film of it wants them."""
        x = np.concatenate([asked.x for asked in batch])
        has_maps = any(asked.with_maps for asked in batch)
        return self.classifier.output(x, DEFAULT_METHOD if has_maps else None)


def _hand_out(batch: list[_Asked], answers: "asyncio.Future[Output]") -> None:
    """Gives each film its part of the answers, or the error of all of them."""
    error = answers.exception()
    for place, asked in enumerate(batch):
        if asked.answer.done():
            continue
        if error is not None:
            asked.answer.set_exception(error)
        else:
            asked.answer.set_result(answers.result().film(place))
