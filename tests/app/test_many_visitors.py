"""Twenty visitors at once on Read a film: nobody sees another's film, and the server's memory comes back."""

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from threading import Barrier

import cv2
import pytest
from app_visitor import Visitor
from demo_home import save_demo_model
from servers import app_server

from xlite.classify import Classifier, read_upload
from xlite.data.phantom.draw import draw_film
from xlite.data.phantom.labels import draw_labels
from xlite.data.phantom.write import encode_png
from xlite.findings import FINDINGS

pytestmark = [
    pytest.mark.slow,
    pytest.mark.alone,
    pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the system tells no memory"),
]
SEED, SIDE = 42, 1024
MOST_GROWN = 80e6
"""Bytes that the server may have more after the third twenty than after the first.

Measured: 5 MB, 60 beside other tests, and 92 MB if none of the sixty is forgotten.
"""


@pytest.fixture
def server(own_home: Path) -> Iterator[tuple[str, int]]:
    """The address of an app that forgets at once who has left, and its process."""
    save_demo_model(own_home)
    with app_server(own_home, "--server.disconnectedSessionTTL", "1") as (address, process):
        yield address, process.pid


@pytest.mark.parametrize(("visitors", "waves"), [(8, 1), pytest.param(20, 3, marks=pytest.mark.release)])
def test_each_sees_their_own_film_and_the_memory_comes_back(
    server: tuple[str, int], visitors: int, waves: int
):
    address, process = server
    films = drawn_films(visitors)
    reader = Classifier.load("demo0")
    right = {name: reader.read(read_upload(data, name)) for name, data in films.items()}
    expected = {
        name: dict(zip(FINDINGS, one.probabilities.tolist(), strict=True)) for name, one in right.items()
    }
    assert len({str(found) for found in expected.values()}) == visitors
    left = []
    for _ in range(waves):
        together = Barrier(visitors)
        with ThreadPoolExecutor(visitors) as pool:
            seen = list(pool.map(partial(visit, address, together), films, films.values()))
        assert dict(seen) == expected
        left.append(memory_when_all_left(address, process))
    if waves > 1:
        assert left[-1] - left[0] < MOST_GROWN


def visit(address: str, together: Barrier, name: str, film: bytes) -> tuple[str, dict[str, float]]:
    """One visitor, who comes, sends a film when all are there, and says what the page says of it."""
    with Visitor(address) as visitor:
        visitor.draw("classify", model="demo0")
        together.wait(120)
        visitor.upload(name, film)
        visitor.draw("classify", model="demo0")
        captions = [one.body for one in visitor.elements("markdown") if ", map of " in one.body]
        assert len(captions) == 1 and captions[0].replace("\\", "").startswith(f"{name}, map of ")
        text = visitor.text()
        assert [other for other in range(together.parties) if f"film{other}.png" in text] == [int(name[4:-4])]
        [url] = (url for url in visitor.media() if url.endswith(".json"))
        [answer] = json.loads(visitor.http.get(url).content)["films"]
        together.wait(120)  # nobody leaves before all have seen theirs
        return answer["name"], answer["probabilities"]


def drawn_films(visitors: int) -> dict[str, bytes]:
    """A film of a phantom for each visitor, no two of one patient, as a PNG by its name.

    As large as those of hospitals, so that a visit that is not forgotten takes megabytes.
    """
    films = [draw_film(film, 256, SEED).image for film in draw_labels(visitors, visitors, SEED)]
    return {
        f"film{place}.png": encode_png(cv2.resize(film, (SIDE, SIDE))) for place, film in enumerate(films)
    }


def memory_when_all_left(address: str, process: int) -> int:
    """The bytes that the server holds once it has forgotten those who left: the least within some seconds."""
    least = 2**62
    for _ in range(4):
        time.sleep(1.2)
        with Visitor(address) as last:  # when somebody leaves, Streamlit forgets who left before
            last.draw("about")
        status = Path(f"/proc/{process}/status").read_text()
        least = min(least, 1024 * int(status.partition("VmRSS:")[2].split()[0]))
    return least
