"""Which films of a folder to label next: a model's answers, a strategy and a budget become a worklist.

No probability of a finding is in it: whoever labels the films would be anchored by it.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from xlite.active import Strategy
from xlite.active.strategies import Candidates, pick
from xlite.classify import Classifier
from xlite.data.folder import NihFolder
from xlite.data.split_files import load_split
from xlite.data.worklist import FILM, PATIENT, write_worklist
from xlite.errors import DataError
from xlite.evaluation.answers import read_answers
from xlite.evaluation.contamination.film_learned import Fact, Learned
from xlite.evaluation.report_base import ReportModel
from xlite.files import Progress
from xlite.labels import known

STRATEGY, SCORE, KNOWN_TO_MODEL = "Strategy", "Score", "Known to Model"
"""The columns that a selection adds to a worklist."""


@dataclass(frozen=True)
class SelectOptions:
    """How films are selected.

    budget: films at most; whole_patients: all films of a patient or none; labelled_too: rank films with known
    labels as well; split, part: only the films of this part; seed: of the random strategy.
    """

    strategy: Strategy
    budget: int
    whole_patients: bool = False
    labelled_too: bool = False
    split: str = ""
    part: str = "train"
    seed: int = 0
    device: str = "cpu"


class SelectedFilm(ReportModel):
    """A film to label: its name in the table, its patient, its score, and what the model knows of it."""

    image: str
    patient: str
    score: float
    known: tuple[Fact, ...] = ()


class Selection(ReportModel):
    """Films to label, by rank, and what they were chosen from.

    candidates: films that could be chosen; labelled: films of the folder with a known label; unreadable:
    candidates left out since their files cannot be read.
    """

    model: str
    data: str
    strategy: Strategy
    budget: int
    whole_patients: bool
    seed: int
    candidates: int
    labelled: int
    unreadable: int
    films: tuple[SelectedFilm, ...]

    @property
    def patients(self) -> int:
        """How many patients the films are of."""
        return len({film.patient for film in self.films})

    @property
    def known(self) -> tuple[SelectedFilm, ...]:
        """The films that the model knows, or whose patients it knows."""
        return tuple(film for film in self.films if film.known)

    def write(self, path: Path) -> None:
        """Writes the worklist. Raises OSError."""
        columns = {
            FILM: [film.image for film in self.films],
            PATIENT: [film.patient for film in self.films],
            STRATEGY: self.strategy,
            SCORE: [film.score for film in self.films],
            KNOWN_TO_MODEL: [" ".join(film.known) for film in self.films],
        }
        write_worklist(path, pd.DataFrame(columns))


def select_films(
    spec: str | Path, data: str | Path, options: SelectOptions, progress: Progress | None = None
) -> Selection:
    """Ranks the films of a folder that nobody has labelled by what labelling them would be worth.

    A film counts as labelled once any of its 14 labels is known. Raises CheckpointError for the model,
    DataError for the folder, the split, a strategy that the model has nothing for, or if no film is left.
    """
    classifier, folder = Classifier.load(spec, options.device, has_maps=False), NihFolder.open(data)
    labelled, candidates = _parted(folder, options)
    read, films = _known_of(classifier, folder, (labelled, candidates), options.strategy, progress)
    picked = pick(options.strategy, films, options.budget, options.whole_patients, options.seed)
    learned = Learned.of(classifier.info, folder)
    stems = [read[row] for row in picked.rows]
    rows = zip(stems, folder.names(stems), folder.patients(stems), picked.scores, strict=True)
    return Selection(
        model=classifier.name,
        data=str(folder.root),
        strategy=options.strategy,
        budget=options.budget,
        whole_patients=options.whole_patients,
        seed=options.seed,
        candidates=len(candidates),
        labelled=len(labelled),
        unreadable=len(candidates) - len(read),
        films=tuple(
            SelectedFilm(image=image, patient=patient, score=score, known=learned.facts(stem))
            for stem, image, patient, score in rows
        ),
    )


def _parted(folder: NihFolder, options: SelectOptions) -> tuple[list[str], list[str]]:
    """The stems of the folder's labelled films, and of those that may be chosen, which have files."""
    stems = sorted(stem for stem in folder.table["stem"] if stem in folder.paths)
    has_label = np.asarray(known(folder.labels(stems)).any(axis=1))
    labelled = [stem for stem, one in zip(stems, has_label, strict=True) if one]
    among = {*load_split(folder, options.split).stems(options.part)} if options.split else {*stems}
    among -= set() if options.labelled_too else {*labelled}
    if not among & {*stems}:
        place = f"the {options.part} part of the split {options.split!r} of " if options.split else ""
        raise DataError(
            f"{place}{folder.root} has no film here whose 14 labels are all unknown, so there is nothing to "
            "label: the table's column Unknown Labels says which are; --all ranks labelled films too"
        )
    return labelled, [stem for stem in stems if stem in among]


def _known_of(
    classifier: Classifier,
    folder: NihFolder,
    stems: tuple[list[str], list[str]],
    strategy: Strategy,
    progress: Progress | None,
) -> tuple[list[str], Candidates]:
    """What the strategy has to know of the labelled films and of those that may be chosen (stems of both).

    With the stems of those that could be read. Chance has to know nothing, so it reads no film. A labelled
    film that may be chosen again is a candidate alone, else it would be its own centre, at a distance of 0.
    """
    candidates, chosen_from = stems[1], {*stems[1]}
    labelled = [stem for stem in stems[0] if stem not in chosen_from]
    if strategy == "random":
        return candidates, Candidates.unread(folder.patients(candidates))
    wanted = dict.fromkeys([*candidates, *(labelled if strategy == "diversity" else [])])
    answers = read_answers(classifier, [(stem, folder.paths[stem]) for stem in wanted], progress)
    assert answers is not None  # nobody stops it
    rows = {stem: row for row, stem in enumerate(answers.stems)}
    read = [stem for stem in candidates if stem in rows]
    own, others = (
        np.array([rows[stem] for stem in some if stem in rows], np.int64) for some in (read, labelled)
    )
    return read, Candidates(
        answers.probs[own],
        answers.features[own],
        folder.patients(read),
        folder.labels(labelled),
        answers.features[others],
        None if answers.disagreement is None else answers.disagreement[own],
    )
