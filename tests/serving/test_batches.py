"""Batches: who goes together through the network, and what becomes of errors and of those who left."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

import numpy as np

from xlite.engines.engine import Output, no_maps
from xlite.serving.batches import LARGEST, Batches


class Network:
    """Answers each film with its own first pixel; remembers how many came together, and with maps or not."""

    def __init__(self, pause_s: float = 0.0) -> None:
        self.batches: list[tuple[int, bool]] = []
        self.pause_s = pause_s

    def output(self, x: np.ndarray, method: str | None) -> Output:
        self.batches.append((len(x), method is not None))
        return Output(self._answer(x), np.repeat(x[:, :1, :2, :2], 14, axis=1) if method else no_maps(len(x)))

    def _answer(self, x: np.ndarray) -> np.ndarray:
        time.sleep(self.pause_s)
        if (x[:, 0, 0, 0] < 0).any():
            raise MemoryError("no room")
        return np.repeat(x[:, 0, 0, 0, None], 14, axis=1)


def film(value: float) -> np.ndarray:
    return np.full((1, 3, 4, 4), value, np.float32)


def run(network: Any, act: Callable[[Batches], Awaitable[Any]]) -> Any:
    async def main() -> Any:
        batches = Batches(network)
        work = asyncio.create_task(batches.work())
        try:
            return await asyncio.wait_for(act(batches), 20)
        finally:
            work.cancel()
            batches.close()

    return asyncio.run(main())


def test_films_that_come_together_go_together_and_each_gets_its_own_answer() -> None:
    network = Network(pause_s=0.02)

    async def act(batches: Batches) -> list[Any]:
        return await asyncio.gather(*(batches.read(film(value), False) for value in range(40)))

    answers = run(network, act)
    assert [logits[0] for logits, *_ in answers] == list(range(40))
    assert all(maps.shape == (14, 0, 0) for _, maps, *_ in answers)
    assert network.batches == [(LARGEST, False), (LARGEST, False), (40 - 2 * LARGEST, False)]


def test_one_that_wants_maps_gets_them_and_the_others_their_logits() -> None:
    network = Network(pause_s=0.02)

    async def act(batches: Batches) -> list[Any]:
        return await asyncio.gather(*(batches.read(film(value), value == 2) for value in range(4)))

    answers = run(network, act)
    assert network.batches == [(4, True)]
    assert [logits[0] for logits, *_ in answers] == [0, 1, 2, 3]
    np.testing.assert_array_equal(answers[2][1], np.full((14, 2, 2), 2, np.float32))


def test_who_comes_alone_waits_for_nobody_and_who_had_company_waits_for_more() -> None:
    network = Network()

    async def act(batches: Batches) -> None:
        await batches.read(film(1), False)
        await batches.read(film(1), False)
        await asyncio.gather(batches.read(film(1), False), batches.read(film(2), False))

        async def later() -> None:
            await asyncio.sleep(0.001)
            await batches.read(film(2), False)

        await asyncio.gather(batches.read(film(1), False), later())

    run(network, act)
    assert [count for count, _ in network.batches] == [1, 1, 2, 2]


def test_an_error_reaches_all_of_its_batch_and_the_next_one_is_read() -> None:
    network = Network()

    async def act(batches: Batches) -> list[Any]:
        failed = await asyncio.gather(
            batches.read(film(1), False), batches.read(film(-1), False), return_exceptions=True
        )
        return [*failed, await batches.read(film(7), False)]

    first, second, (logits, *_) = run(network, act)
    assert isinstance(first, MemoryError) and isinstance(second, MemoryError) and logits[0] == 7


def test_who_went_away_is_not_read() -> None:
    network = Network(pause_s=0.05)

    async def act(batches: Batches) -> Any:
        first = asyncio.create_task(batches.read(film(1), False))
        await asyncio.sleep(0.01)
        gone = asyncio.create_task(batches.read(film(2), False))
        kept = asyncio.create_task(batches.read(film(3), False))
        await asyncio.sleep(0.01)
        gone.cancel()
        await asyncio.wait([gone])
        return (await first)[0][0], (await kept)[0][0]

    assert run(network, act) == (1, 3)
    assert [count for count, _ in network.batches] == [1, 1]
