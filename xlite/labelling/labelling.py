"""A labelling: readers at work on a worklist of a data folder, as a folder with the log of their answers."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Annotated

import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from xlite.config import SEED
from xlite.data.folder import NihFolder
from xlite.data.worklist import FILM, PATIENT, read_worklist, write_worklist
from xlite.errors import DataError, RunError, objection
from xlite.files import new_folder, read_whole, write_atomic
from xlite.labelling.due import HELD, Rules, Task, next_task
from xlite.labelling.entry import Act, Entry, Given
from xlite.labelling.log import AnswerLog
from xlite.labelling.state import LogState
from xlite.places import check_run_name, labellings_dir
from xlite.text import printable

SETTINGS, WORKLIST, LOG = "labelling.json", "worklist.csv", "answers.jsonl"
MOST_LETTERS = 100
"""Of a reader's name."""


class LabellingSettings(BaseModel):
    """What is fixed when a labelling begins; `left_out` counts the worklist's films without a picture."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    data: str
    double: Annotated[float, Field(ge=0, le=1)] = 0.0
    seed: Annotated[int, Field(ge=0)] = SEED
    adjudicator: str = ""
    left_out: Annotated[int, Field(ge=0)] = 0


def reader_name(name: str) -> str:
    """A reader's name without blanks around it. Raises DataError for what is not a name."""
    named = " ".join(name.split())
    if not named or len(named) > MOST_LETTERS or printable(named) != named or "|" in named:
        raise DataError(
            f"{name[:MOST_LETTERS]!r} cannot be a reader's name: use up to {MOST_LETTERS} letters that can "
            "be shown, without |"
        )
    return named


@dataclass(frozen=True)
class Labelling:
    """The folder of a labelling; several processes may work in it at once."""

    folder: Path

    @property
    def name(self) -> str:
        """What it is called."""
        return self.folder.name

    @classmethod
    def create(
        cls,
        name: str,
        data: Path,
        films: Sequence[str],
        double: float = 0.0,
        seed: int = SEED,
        adjudicator: str = "",
    ) -> "Labelling":
        """Begins one with these films, by their stems in order. All of it is there in the end, or nothing.

        Raises RunError for a name that is taken or cannot be one, and DataError if the folder's table lacks
        a film, if no film has a picture, or if settings are wrong.
        """
        place = labellings_dir() / check_run_name(name)
        if place.exists():
            raise RunError(f"there is a labelling {name!r} already; give this one another name")
        folder = NihFolder.open(data)
        patients = dict(zip(films, folder.patients(films).tolist(), strict=True))
        seen = [film for film in films if film in folder.paths]
        if not seen:
            raise DataError(f"{data} has no picture of any of these films; nobody could look at one")
        settings = _checked(
            {
                "data": str(Path(data).absolute()),
                "double": double,
                "seed": seed,
                "adjudicator": reader_name(adjudicator) if adjudicator else "",
                "left_out": len(films) - len(seen),
            }
        )
        with new_folder(place) as scratch:
            rows = {FILM: folder.names(seen), PATIENT: [patients[film] for film in seen]}
            write_worklist(scratch / WORKLIST, pd.DataFrame(rows))
            write_atomic(scratch / LOG, b"")
            write_atomic(scratch / SETTINGS, settings.model_dump_json(indent=1).encode())
        return cls(place)

    @classmethod
    def named(cls, name: str) -> "Labelling":
        """The labelling of that name. Raises RunError if there is none."""
        found = cls(labellings_dir() / check_run_name(name))
        if not (found.folder / SETTINGS).is_file():
            names = ", ".join(one.name for one in cls.all()) or "none yet; `xlite label start` makes one"
            raise RunError(f"there is no labelling {name!r}; there are {names}")
        return found

    @classmethod
    def all(cls) -> "list[Labelling]":
        """All labellings of this home by name."""
        return [cls(path.parent) for path in sorted(labellings_dir().glob(f"[!.]*/{SETTINGS}"))]

    @cached_property
    def settings(self) -> LabellingSettings:
        """What was fixed when it began. Raises DataError if the file is damaged."""
        return _checked(read_whole(self.folder / SETTINGS), self.folder / SETTINGS)

    @cached_property
    def films(self) -> list[str]:
        """The stems of its films by rank."""
        return read_worklist(self.folder / WORKLIST)

    @property
    def rules(self) -> Rules:
        """How its films are dealt out."""
        return Rules(self.settings.double, self.settings.seed, self.settings.adjudicator)

    @property
    def log(self) -> AnswerLog:
        """The log of all answers."""
        return AnswerLog(self.folder / LOG)

    def state(self) -> LogState:
        """What was said of its films so far. Raises DataError for a damaged log."""
        return LogState.of(self.log.read())

    def next_task(self, state: LogState, reader: str) -> Task | None:
        """The film that comes next for the reader, None if there is none left for them."""
        return next_task(self.films, self.rules, state, reader, datetime.now(UTC))

    def open(self, reader: str, film: str) -> None:
        """Notes that the reader has a film before them, so that others are given other films meanwhile."""

        def make(state: LogState) -> Entry | None:
            since = state.film(film).opened.get(reader)
            is_fresh = since is not None and datetime.now(UTC) - since < HELD / 2
            return None if is_fresh and state.at.get(reader) == film else self._entry("opened", film, reader)

        self._append(make)

    def answer(self, reader: str, film: str, given: Given, settles: bool = False) -> Entry | None:
        """Keeps what the reader says of a film, once: None if they have said the very same before.

        It is a reading, or, if it `settles` what two readers disagree on, an adjudication. Raises RunError if
        the film is none of the list, if the reader has answered it otherwise, or if no dispute is theirs.
        """

        def make(state: LogState) -> Entry | None:
            one = state.film(film)
            if film not in self.films:
                raise RunError(f"{film} is not in the worklist of {self.name}, so the answer was not kept")
            if earlier := one.answered_by(reader):
                if earlier.given and earlier.given.says_the_same(given):
                    return None
                raise RunError(
                    f"{reader} has answered {film} already, in another tab or with another device; that "
                    "answer stays, and this one was not kept"
                )
            if settles and not self.rules.may_settle(reader, one):
                raise RunError(f"{film} has no dispute for {reader} to settle; this answer was not kept")
            act: Act = "adjudication" if settles else "reading"
            return self._entry(act, film, reader, given, one.opinions)

        return self._append(make)

    def change(self, reader: str, film: str, given: Given) -> Entry | None:
        """Keeps a changed mind beside the reader's answer, which stays what counts; None for no change.

        Raises RunError if they have not answered the film.
        """

        def make(state: LogState) -> Entry | None:
            one = state.film(film)
            answers = [entry for entry in [one.answered_by(reader), *one.changed] if entry]
            mine = [entry.given for entry in answers if entry.reader == reader and entry.given]
            if not mine:
                raise RunError(f"{reader} has not answered {film}, so there is no mind to change")
            if mine[-1].says_the_same(given):
                return None
            return self._entry("changed", film, reader, given, one.opinions)

        return self._append(make)

    def undo(self, reader: str) -> str:
        """Takes back the reader's last answer, whose film comes again; the film.

        Raises RunError if there is none, or if somebody has settled the dispute that it was part of.
        """

        def make(state: LogState) -> Entry:
            last = state.last_answer(reader)
            if last is None:
                raise RunError(f"{reader} has no answer to take back")
            if last.act == "reading" and state.film(last.film).adjudications:
                raise RunError(f"{last.film} was adjudicated since, so the answer to it stays")
            return self._entry("undone", last.film, reader)

        entry = self._append(make)
        return entry.film if entry else ""

    def note_opinion(self, reader: str, film: str, model: str) -> None:
        """Notes, before it is shown, that the reader sees what a model, or a list of doubts, says of it."""

        def make(state: LogState) -> Entry | None:
            if model in state.film(film).opinions.get(reader, ()):
                return None
            return self._entry("opinion", film, reader).model_copy(update={"model": model})

        self._append(make)

    def _append(self, make: Callable[[LogState], Entry | None]) -> Entry | None:
        return self.log.append(lambda entries: make(LogState.of(entries)))

    def _entry(
        self, act: Act, film: str, reader: str, given: Given | None = None, saw: Collection[str] = ()
    ) -> Entry:
        return Entry(
            act=act,
            film=film,
            reader=reader_name(reader),
            when=datetime.now(UTC),
            given=given,
            after_opinion=reader in saw,
        )


def _checked(value: "bytes | dict[str, object]", path: Path | None = None) -> LabellingSettings:
    try:
        if isinstance(value, bytes):
            return LabellingSettings.model_validate_json(value)
        return LabellingSettings.model_validate(value)
    except ValidationError as error:
        where = f"{path} is damaged: " if path else ""
        raise DataError(f"{where}{objection(error)}") from error
