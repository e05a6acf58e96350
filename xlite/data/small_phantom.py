"""A small phantom folder to begin with, drawn while the app goes on answering. No pandas."""

import threading
from pathlib import Path

from xlite.config import SEED
from xlite.data.layout import table_files
from xlite.errors import DataError
from xlite.places import home

IMAGES, PATIENTS, SIZE = 160, 60, 256
"""So many films that a student of them beats chance, and no more than are drawn within a minute."""


class Drawing:
    """A folder that a thread of this process draws: how far it is, and why it failed if it did."""

    films = IMAGES

    def __init__(self, out: Path):
        self.out = out
        self.done = 0
        self.error: DataError | None = None
        # No daemon: a server that ends in the middle would leave half a folder.
        self._thread = threading.Thread(target=self._draw)
        self._thread.start()

    def _draw(self) -> None:
        from xlite.data.phantom import write_phantom  # which takes a while to load

        def note(done: int, films: int) -> None:
            self.done = done

        try:
            # In this process: another one would start by running the page.
            write_phantom(self.out, IMAGES, PATIENTS, SIZE, SEED, progress=note, processes=1)
        except DataError as error:
            self.error = error

    @property
    def is_running(self) -> bool:
        """Whether it is not done yet."""
        return self._thread.is_alive()

    @property
    def failed(self) -> bool:
        """Whether it ended without a folder, and nobody has put one there since."""
        return self.error is not None and not self.is_running and not table_files(self.out)


_drawings: dict[Path, Drawing] = {}
_one_at_a_time = threading.Lock()


def small_phantom() -> Path:
    """Where the small folder of this home lies, or will."""
    return home() / "data" / "phantom"


def draw_small() -> Drawing:
    """Begins to draw the small folder; whoever asks while it is being drawn gets that drawing."""
    out = small_phantom()
    with _one_at_a_time:
        found = _drawings.get(out)
        if found is None or not found.is_running:
            found = _drawings[out] = Drawing(out)
        return found


def drawing_of(folder: Path) -> Drawing | None:
    """The drawing of a folder that this process began, be it done or not."""
    return _drawings.get(folder)
