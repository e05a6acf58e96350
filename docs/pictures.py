"""Makes the pictures of the app in docs/img: `python docs/pictures.py`, or with the NAMES of some of them.

It draws a phantom folder, trains a small student on it, lays its films out by the model that ships, and takes
pictures of a real server in Chromium ($XLITE_CHROMIUM, or `chromium` on the path), in some minutes. All films
are drawn ones; Results shows the evaluation that ships with the model.

pacs.png is none of them, as it shows another program: Orthanc's page of a study that `xlite serve demo
--dicom` answered, app/examples/cardiomegaly.png as CR, taken by hand beside one of the maps there
(docs/PACS.md says how both are started). Its letters name the hash of the model that ships, and its text
chunk `model` does for a test: if another one ships, take it anew.
"""

import argparse
import io
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

import httpx
from PIL import Image
from playwright.sync_api import Page, sync_playwright

from xlite.data.folder import NihFolder
from xlite.labelling.labelling import Labelling
from xlite.serving.notice import BUTTON

HERE = Path(__file__).resolve().parent / "img"
DATA = "data/phantom"
"""Within the home, so that no picture shows a path of this machine."""
PATIENCE_MS = 180_000


def to_the_viewer(page: Page) -> None:
    """Scrolls a phone to the film, below the bar that stays at the top."""
    page.get_by_role("group", name="Film viewer").evaluate(
        "one => { one.style.scrollMarginTop = '4rem'; one.scrollIntoView() }"
    )


def answer(page: Page) -> None:
    """Answers the first film as a reader does, by keys, so that the model's opinion is shown."""
    page.get_by_role("radiogroup", name="Hernia").wait_for()
    for key in ("j", "y", "a", "Enter"):
        page.keyboard.press(key)
    page.get_by_role("form").get_by_text("Saved.").wait_for()


def draw_the_curves(page: Page) -> None:
    """Waits for the charts, which are drawn some time after the script has ended."""
    page.locator(".js-plotly-plot .main-svg").first.wait_for()


def find_the_device(page: Page) -> None:
    """Waits for the device, which takes as long as torch takes to load."""
    page.get_by_text("Looking for a GPU").wait_for(state="detached")


def nothing(page: Page) -> None:
    """Takes the page as it opens."""


@dataclass(frozen=True)
class Picture:
    """A page at an address, light or dark, in a window of that width and height in px; what is done first."""

    address: str
    scheme: Literal["light", "dark"]
    size: tuple[int, int]
    prepare: Callable[[Page], None] = nothing


FILM = "classify?model=demo&film=3.+Cardiomegaly&finding=Cardiomegaly"
CURVES = "results?model=demo&curves=Cardiomegaly&curves=Effusion&curves=Infiltration&curves=Pneumonia"
PICTURES = {
    "overview_light": Picture("", "light", (1280, 860), find_the_device),
    "overview_dark": Picture("", "dark", (1280, 860), find_the_device),
    "explore_light": Picture("explore", "light", (1280, 1180)),
    "explore_dark": Picture("explore?charts=Embedding&features=demo&shade=cluster", "dark", (1280, 1180)),
    "results_light": Picture(CURVES, "light", (1280, 1200), draw_the_curves),
    "results_dark": Picture(CURVES, "dark", (1280, 1200), draw_the_curves),
    "reading": Picture(FILM, "dark", (1280, 1250)),
    "reading_light": Picture(FILM, "light", (1280, 1250)),
    "phone": Picture(FILM, "dark", (420, 900), to_the_viewer),
    "label": Picture("label?labelling=ward&reader=Ann&opinion=true", "dark", (1280, 1090), answer),
}


def furnish(home: Path) -> None:
    """A home with drawn films, their layout by the model that ships, a small student, and a labelling."""
    environment = {**os.environ, "XLITE_HOME": str(home)}
    for words in (
        f"data phantom {DATA} --images 240 --patients 90 --size 512 --seed 42",
        f"train --data {DATA} --name first-student --backbone mobilenetv3_small_050 --weights none "
        "--image-size 96 --epochs 2 --device cpu",
        f"embed demo --data {DATA}",
    ):
        subprocess.run([sys.executable, "-m", "xlite", *words.split()], cwd=home, env=environment, check=True)
    os.environ["XLITE_HOME"] = str(home)  # of this process alone, for the labelling
    films = NihFolder.open(home / DATA)
    Labelling.create("ward", films.root, films.table["stem"].tolist()[:12])


@contextmanager
def serving(home: Path) -> Iterator[str]:
    """The address of the app of a home, until the block ends."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "xlite", "app", "--server.headless", "true", "--server.port", str(port)]
    environment = {**os.environ, "XLITE_HOME": str(home), "XLITE_DATA": DATA}
    with subprocess.Popen(command, cwd=home, env=environment, stdout=subprocess.DEVNULL) as server:
        try:
            address = f"http://localhost:{port}"
            while not answers(address):
                if server.poll() is not None:
                    sys.exit("the app ended; start `xlite app` to see why")
                time.sleep(0.2)
            yield address
        finally:
            server.terminate()


def answers(address: str) -> bool:
    """Whether a server is there."""
    try:
        return httpx.get(f"{address}/_stcore/health", timeout=5).is_success
    except httpx.TransportError:
        return False


def settle(page: Page) -> None:
    """Waits until the script has run to its end, and charts and films have drawn themselves."""
    page.wait_for_timeout(1000)
    page.locator("[data-testid=stApp][data-test-script-state=notRunning]").wait_for()
    page.locator("[data-testid=stSkeleton]").first.wait_for(state="detached")
    page.wait_for_timeout(3000)


def write(shot: bytes, path: Path) -> None:
    """Writes a picture in 256 colours, dithered so that maps show no steps, in a third of the bytes."""
    image = Image.open(io.BytesIO(shot)).convert("RGB")
    colours = image.quantize(256, kmeans=2)  # only with a palette does Pillow dither
    image.quantize(palette=colours, dither=Image.Dither.FLOYDSTEINBERG).save(path, optimize=True)


def main() -> None:
    """Makes the pictures that are named, or all."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of {', '.join(PICTURES)}; all if none")
    parser.add_argument("--out", type=Path, default=HERE)
    options = parser.parse_args()
    if unknown := set(options.names) - set(PICTURES):
        parser.error(f"no picture is called {', '.join(sorted(unknown))}")
    with TemporaryDirectory() as folder, sync_playwright() as playwright:
        home = Path(folder)
        furnish(home)
        chromium = os.environ.get("XLITE_CHROMIUM") or shutil.which("chromium")
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        with serving(home) as address:
            for name in options.names or PICTURES:
                wanted = PICTURES[name]
                width, height = wanted.size
                page = browser.new_page(
                    viewport={"width": width, "height": height}, color_scheme=wanted.scheme
                )
                page.set_default_timeout(PATIENCE_MS)
                page.goto(f"{address}/{wanted.address}")
                settle(page)
                if (button := page.get_by_role("button", name=BUTTON)).is_visible():  # asked once in a home
                    button.click()
                wanted.prepare(page)
                settle(page)
                write(page.screenshot(), options.out / f"{name}.png")
                page.close()
        browser.close()


if __name__ == "__main__":
    main()
