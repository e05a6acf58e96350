"""An import that a thread of this process does while the app goes on answering."""

import threading
from pathlib import Path

from xlite.data.importing.found import Found
from xlite.data.importing.mapping import Mapping
from xlite.data.importing.preview import Preview
from xlite.data.importing.record import Record
from xlite.data.importing.write import Choices, check_out, name_of, write_import
from xlite.errors import DataError
from xlite.public import refuse_in_public


class Importing:
    """An import on its way: how far it is, what became of it, or why it failed.

    done of total: films; total is 0 until they are counted.
    """

    def __init__(self, preview: Preview, mapping: Mapping, out: Path, choices: Choices):
        if isinstance(preview.found, DataError):
            raise preview.found
        self.out = out
        self.done, self.total = 0, 0
        self.record: Record | None = None
        self.error: DataError | None = None
        # No daemon: a server that ends in the middle would leave half a folder.
        self._thread = threading.Thread(target=self._run, args=(preview, preview.found, mapping, choices))
        self._thread.start()

    def _run(self, preview: Preview, found: Found, mapping: Mapping, choices: Choices) -> None:
        def note(done: int, total: int) -> None:
            self.done, self.total = done, total

        try:
            self.record = write_import(preview.kind, preview.source, found, mapping, self.out, choices, note)
        except DataError as error:
            self.error = error

    @property
    def is_running(self) -> bool:
        """Whether it is not done yet."""
        return self._thread.is_alive()


_running: dict[Path, Importing] = {}
_one_at_a_time = threading.Lock()


def start_import(preview: Preview, mapping: Mapping, out: Path, choices: Choices) -> Importing:
    """Begins an import; whoever asks for the same folder meanwhile gets that one.

    Raises RunError in public, and DataError as `check_out`.
    """
    refuse_in_public("import films")
    with _one_at_a_time:
        found = _running.get(out)
        if found is not None and found.is_running:
            return found
        check_out(preview.kind, preview.source, out, name_of(preview.kind, out, choices.name))
        _running[out] = Importing(preview, mapping, out, choices)
        return _running[out]
