"""FilmReader: the bytes of a film in, what a model sees in it out; many films at the same time."""

import asyncio
import os
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass

import numpy as np

from xlite.classify import Classifier, read_upload
from xlite.engines.engine import Output
from xlite.explain.drawing import shrink
from xlite.serving.answers import FilmAnswer, ModelAnswer
from xlite.serving.batches import Batches


@dataclass(frozen=True, eq=False)
class _Decoded:
    """A film as the network takes it, and for overlays as a screen shows it: uint8 (H, W)."""

    x: np.ndarray
    shape: tuple[int, ...]
    shown: np.ndarray | None


class FilmReader:
    """Reads films with one model: decoded in a bounded number of threads, then batched.

    Nothing of a film stays when its answer is there. Belongs to one event loop.
    """

    def __init__(self, classifier: Classifier) -> None:
        self.classifier = classifier
        self.model = ModelAnswer.of(classifier)
        # Decoding a film takes up to 500 MB: as many at once as there are cores, however many wait. Answers
        # have threads of their own, so that a film that is almost done does not wait behind new ones.
        threads = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        self._decoders = ThreadPoolExecutor(threads, "decode")
        self._painters = ThreadPoolExecutor(threads, "answer")
        self._batches = Batches(classifier)

    @asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        """Reads films while it lasts."""
        work = asyncio.create_task(self._batches.work())
        try:
            yield
        finally:
            work.cancel()
            self._batches.close()
            for pool in (self._decoders, self._painters):
                pool.shutdown(wait=False, cancel_futures=True)

    async def read(self, data: bytes, name: str, maps: int = 0) -> FilmAnswer:
        """What the model sees in the film, with its `maps` likeliest findings over it.

        Raises ImageError if it cannot be read, CheckpointError if the model is damaged.
        """
        loop = asyncio.get_running_loop()
        film = await loop.run_in_executor(self._decoders, self._decode, data, name, maps > 0)
        output = await self._batches.read(film.x, maps > 0)
        return await loop.run_in_executor(self._painters, self._answer, name, film, output, maps)

    def _decode(self, data: bytes, name: str, is_shown: bool) -> _Decoded:
        image = read_upload(data, name)
        shown = shrink(image) if is_shown else None
        return _Decoded(self.classifier.input(image), (image if shown is None else shown).shape, shown)

    def _answer(self, name: str, film: _Decoded, output: Output, maps: int) -> FilmAnswer:
        reading = self.classifier.reading(output, film.shape)
        return FilmAnswer.of(name, reading, film.shown, maps)
