"""A population of patients to draw samples from: real predictions beside the labels of a whole table."""

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import pandas as pd

from xlite.data.predictions import read_predictions
from xlite.data.tables import read_table
from xlite.evaluation.subgroups import film_groups
from xlite.findings import FINDINGS
from xlite.patients import patient_places


@dataclass(frozen=True, eq=False)
class Sample:
    """Films of drawn patients: labels and probs (N, 14), patients (N,) int, groups of strings (N,).

    A patient who was drawn twice is two patients.
    """

    labels: np.ndarray
    probs: np.ndarray
    patients: np.ndarray
    groups: dict[str, np.ndarray]


@dataclass(frozen=True, eq=False)
class Population:
    """All films, those of a patient one after the other; `starts` (P + 1,): where each patient's begin."""

    films: Sample
    starts: np.ndarray

    @classmethod
    def read(cls, predictions: str | Path, table: str | Path) -> Self:
        """The films of a predictions file, with their labels, patients and groups from NIH's table."""
        read = read_predictions(predictions)
        rows = read_table(table).set_index("stem", drop=False).loc[list(read.stems)]
        places = patient_places(rows["patient"].to_numpy())
        order = np.argsort(places, kind="stable")
        groups = {name: values[order] for name, values in film_groups(rows).items()}
        labels = rows[list(FINDINGS)].to_numpy(np.float32)[order]
        films = Sample(labels, read.probs[order], places[order], groups)
        return cls(films, np.searchsorted(films.patients, np.arange(places.max() + 2)))

    def draw(self, rng: np.random.Generator, patients: int) -> Sample:
        """The films of as many patients, drawn with replacement."""
        drawn = rng.integers(len(self.starts) - 1, size=patients)
        pieces = [np.arange(self.starts[one], self.starts[one + 1]) for one in drawn]
        rows, films = np.concatenate(pieces), self.films
        owners = np.repeat(np.arange(patients), [len(piece) for piece in pieces])
        groups = {name: values[rows] for name, values in films.groups.items()}
        return Sample(films.labels[rows], films.probs[rows], owners, groups)


Measure = Callable[[Population, Sequence[int], int, int], pd.DataFrame]
"""What is measured on sets of so many patients, drawn so many times with a seed, in rows."""


def measured(about: str, measure: Measure, sizes: Sequence[int], draws: int) -> pd.DataFrame:
    """What a benchmark measures, as its command line says; about: what `--help` prints."""
    options = parse_options(about, sizes, draws)
    population = Population.read(options.predictions, options.table)
    return measure(population, options.sizes, options.draws, options.seed)


def parse_options(about: str, sizes: Sequence[int], draws: int) -> argparse.Namespace:
    """What the command line says: predictions, table, draws, sizes and seed; about: what `--help` prints."""
    as_it_is = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=about, formatter_class=as_it_is)
    parser.add_argument("--predictions", required=True, help="a predictions CSV: the population")
    parser.add_argument("--table", required=True, help="NIH's table with the films' labels and patients")
    parser.add_argument("--draws", type=int, default=draws, help="sets of films of each size")
    parser.add_argument("--sizes", type=int, nargs="+", default=sizes, help="patients in a set of films")
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()
