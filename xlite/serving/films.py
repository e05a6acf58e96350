"""FilmReader: the bytes of a film in, what a model sees in it out; many films at the same time."""

import asyncio
import os
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

import numpy as np

from xlite.classify import read_upload
from xlite.engines.engine import Output
from xlite.explain.drawing import shrink
from xlite.guarded import GuardedFilm, GuardedReader, judged, read_in
from xlite.serving.answers import FilmAnswer, ModelAnswer
from xlite.serving.batches import Batches

_NOTHING = np.empty((0, 0), np.uint8)


@dataclass(frozen=True, eq=False)
class _Decoded:
    """What the gate said of a film, without its pixels; the film as the network takes it, None if refused.

    For overlays also as a screen shows it: uint8 (H, W).
    """

    judged: GuardedFilm
    x: np.ndarray | None
    shown: np.ndarray | None


class FilmReader:
    """Reads films with one model behind the gate: decoded in a bounded number of threads, then batched.

    Nothing of a film stays when its answer is there. Belongs to one event loop.
    """

    def __init__(self, reader: GuardedReader) -> None:
        self.classifier, self.gate = reader.classifier, reader.gate
        self.model = ModelAnswer.of(self.classifier)
        # Decoding a film takes up to 500 MB: as many at once as there are cores, however many wait. Answers
        # have threads of their own, so that a film that is almost done does not wait behind new ones.
        threads = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        self._decoders = ThreadPoolExecutor(threads, "decode")
        self._painters = ThreadPoolExecutor(threads, "answer")
        self._batches = Batches(self.classifier)

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

    async def read(self, data: bytes, name: str, maps: int = 0, fix: bool = False) -> FilmAnswer:
        """What the model sees in the film, with its `maps` likeliest findings over it; if refused, why.

        With `fix` a film that looks turned or inverted is put right first. Raises ImageError if it cannot be
        read, CheckpointError if the model is damaged.
        """
        loop = asyncio.get_running_loop()
        film = await loop.run_in_executor(self._decoders, self._decode, data, name, maps > 0, fix)
        if film.x is None:
            return FilmAnswer.of(name, film.judged)
        output = await self._batches.read(film.x, maps > 0)
        return await loop.run_in_executor(self._painters, self._answer, name, film, output, maps)

    def _decode(self, data: bytes, name: str, is_shown: bool, fix: bool) -> _Decoded:
        judged_film = judged(self.gate, read_upload(data, name), fix)
        image, bare = judged_film.film, replace(judged_film, film=_NOTHING)
        if judged_film.is_refused:
            return _Decoded(bare, None, None)
        return _Decoded(bare, self.classifier.input(image), shrink(image) if is_shown else None)

    def _answer(self, name: str, film: _Decoded, output: Output, maps: int) -> FilmAnswer:
        shape = (_NOTHING if film.shown is None else film.shown).shape
        answer = read_in(self.classifier, film.judged, output, shape)
        return FilmAnswer.of(name, answer, answer.reading, film.shown, maps)
