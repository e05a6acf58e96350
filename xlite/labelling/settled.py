"""The labels that come out of a labelling: of each film one answer a finding, who gave it, and who agreed."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from xlite.findings import FINDINGS
from xlite.labelling.entry import DrawnBox, Entry
from xlite.labelling.labelling import Labelling
from xlite.labelling.state import FilmState, LogState

_LABELS = {"yes": 1.0, "no": 0.0, "unsure": np.nan}


@dataclass(frozen=True, eq=False)
class Settled:
    """A film's labels float32 (14,), NaN for unsure and for what readers disagree on and nobody settled.

    agreed: on how many of the 14 findings two readers agree, None if one has read the film; after_opinion:
    whether a label is of somebody who had seen the model's opinion before they answered.
    """

    film: str
    labels: np.ndarray
    boxes: tuple[DrawnBox, ...]
    readers: tuple[str, ...]
    adjudicator: str
    when: datetime
    agreed: int | None
    after_opinion: bool


def settled_films(labelling: Labelling, state: LogState) -> Iterator[Settled]:
    """The films of the list that somebody has read, by rank."""
    for film in labelling.films:
        if state.film(film).readings:
            yield settled(film, state.film(film))


def settled(film: str, state: FilmState) -> Settled:
    """What comes out of a film that has readings: the adjudicator's word, else what its readers agree on."""
    readings, adjudication = state.readings[:2], state.adjudication
    disputed = state.disputed
    counted = [adjudication] if adjudication else readings
    labels = np.array([_LABELS[counted[0].answers[finding]] for finding in FINDINGS], np.float32)
    if not adjudication:
        labels[[finding in disputed for finding in FINDINGS]] = np.nan
    return Settled(
        film=film,
        labels=labels,
        boxes=_boxes(counted, {name for name, label in zip(FINDINGS, labels, strict=True) if label == 1}),
        readers=tuple(entry.reader for entry in readings),
        adjudicator=adjudication.reader if adjudication else "",
        when=max(entry.when for entry in [*readings, *counted]),
        agreed=len(FINDINGS) - len(disputed) if len(readings) == 2 else None,
        after_opinion=any(entry.after_opinion for entry in counted),
    )


def _boxes(counted: list[Entry], present: set[str]) -> tuple[DrawnBox, ...]:
    """The boxes of the first reader who drew any around a finding, of those that the film has."""
    found: list[DrawnBox] = []
    for finding in FINDINGS:
        drawn = (
            [box for box in entry.given.boxes if box.finding == finding] for entry in counted if entry.given
        )
        found += next(filter(None, drawn), []) if finding in present else []
    return tuple(found)
