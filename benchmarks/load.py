"""How many films a second `xlite serve` answers, beside what the bare network and decoding allow.

    python benchmarks/load.py demo --seconds 60
    python benchmarks/load.py demo --films ../shared/data/uploads --clients 8

Server and clients are on this machine, and the clients take their share of it. The bare network is timed in
batches as the server makes them, decoding in as many threads as there are cores: each in a fresh process.
"""

import argparse
import asyncio
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import TypeVar

import cv2
import httpx
import numpy as np

from xlite.examples import examples
from xlite.images import is_image_name, read_image

T = TypeVar("T")
BATCH = 16
WARM_UP_S = 2.0


@dataclass
class Answers:
    """What clients got: seconds of each good answer, the bad ones, and how long all of it took."""

    seconds: list[float]
    errors: int
    took_s: float


def sample(folder: Path | None, side: int, suffix: str) -> list[bytes]:
    """Films as files: those of a folder as they are, or the bundled phantoms at `side` px."""
    if folder is not None:
        return [path.read_bytes() for path in sorted(folder.rglob("*")) if is_image_name(path.name)]
    films = (read_image(one.path) for one in examples().values())
    sized = (cv2.resize(film, (side, side), interpolation=cv2.INTER_CUBIC) for film in films)
    return [cv2.imencode(suffix, film)[1].tobytes() for film in sized]


def network_rate(model: str, seconds: float) -> float:
    """Films a second of the bare network, in batches of preprocessed films."""
    from xlite.classify import Classifier

    classifier = Classifier.load(model)
    side = classifier.info.preprocess.size
    x = np.random.default_rng(0).standard_normal((BATCH, 3, side, side)).astype(np.float32)
    return BATCH * rate(lambda: classifier.logits(x), seconds)


def decoding_rate(films: list[bytes], seconds: float) -> float:
    """Films a second that are decoded and nothing else, by all cores."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return len(films) * rate(lambda: list(pool.map(read_image, films)), seconds)


def rate(act: Callable[[], object], seconds: float) -> float:
    """How often a second something can be done, after once that does not count."""
    act()
    began, count = time.perf_counter(), 0
    while time.perf_counter() - began < seconds:
        act()
        count += 1
    return count / (time.perf_counter() - began)


def alone(act: Callable[..., T], *given: object) -> T:
    """What a function returns in a fresh process."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(act, *given).result()


@contextmanager
def serving(model: str) -> Iterator[str]:
    """The address of a server in a process of its own."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "xlite", "serve", model, "--port", str(port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        if not server.stdout.readline():
            raise SystemExit("the server did not start")
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()


async def load(address: str, films: list[bytes], clients: int, seconds: float, maps: int) -> Answers:
    """Sends film after film from each client, each as soon as the last one was answered."""
    limits = httpx.Limits(max_connections=clients, max_keepalive_connections=clients)
    answers = Answers([], 0, 0.0)
    began = time.perf_counter()

    async def client(number: int) -> None:
        sent = number
        while time.perf_counter() - began < seconds:
            start = time.perf_counter()
            try:
                answer = await session.post("/v1/predict", content=films[sent % len(films)])
                good = answer.status_code == 200
            except httpx.TransportError:
                good = False
            if good:
                answers.seconds.append(time.perf_counter() - start)
            else:
                answers.errors += 1
            sent += 1

    async with httpx.AsyncClient(
        base_url=address, limits=limits, timeout=60, params={"maps": maps}
    ) as session:
        await asyncio.gather(*map(client, range(clients)))
    answers.took_s = time.perf_counter() - began
    return answers


def resident_mb(address: str) -> float:
    """The server's memory now."""
    [found] = re.findall(r"^process_resident_memory_bytes (\S+)$", httpx.get(f"{address}/metrics").text, re.M)
    return float(found) / 2**20


def main() -> None:
    """Prints the limits, and a row for each number of clients."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model", help="a run or a model file")
    parser.add_argument("--films", type=Path, help="folder of films; without one phantoms are sent")
    parser.add_argument("--side", type=int, default=1024, help="px of the phantoms")
    parser.add_argument("--suffix", choices=[".png", ".jpg"], default=".png", help="of the phantoms")
    parser.add_argument("--maps", type=int, default=0, help="overlays a film")
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 8, 50])
    parser.add_argument("--seconds", type=float, default=60.0)
    options = parser.parse_args()

    films = sample(options.films, options.side, options.suffix)
    limit_s = min(10.0, options.seconds)
    network = alone(network_rate, options.model, limit_s)
    decoding = alone(decoding_rate, films, limit_s)
    # Both use all cores, so that one film after the other takes the sum of their times.
    both = 1 / (1 / network + 1 / decoding)
    print(f"Bare network {network:.1f} films/s, decoding alone {decoding:.1f}, both {both:.1f}.")
    print("| clients | films/s | of the network | of both | p50 ms | p99 ms | errors | RSS MB |")
    print("|---|---|---|---|---|---|---|---|")
    with serving(options.model) as address:
        for clients in options.clients:
            asyncio.run(load(address, films, clients, WARM_UP_S, options.maps))
            before = resident_mb(address)
            got = asyncio.run(load(address, films, clients, options.seconds, options.maps))
            per_s = len(got.seconds) / got.took_s
            p50, p99 = np.percentile([1000 * one for one in got.seconds] or [np.nan], (50, 99))
            print(
                f"| {clients} | {per_s:.1f} | {per_s / network:.0%} | {per_s / both:.0%} | {p50:.0f} "
                f"| {p99:.0f} | {got.errors} | {before:.0f} → {resident_mb(address):.0f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
