"""Two models on the same films: a paired test, never two separate estimates. No torch."""

from collections.abc import Collection
from pathlib import Path

import numpy as np
import pandas as pd

from xlite.data.predictions import Predictions, distinct_names, read_averaged
from xlite.data.tables import find_table, read_table
from xlite.errors import DataError
from xlite.evaluation.report import Comparison
from xlite.findings import FINDINGS
from xlite.labels import films_known, known
from xlite.metrics.bootstrap import RESAMPLES, RESAMPLING_SEED, Resamples
from xlite.metrics.paired import compared_findings, paired_test
from xlite.text import counted

Files = tuple[str | Path, str | Path]


def compare_files(
    first: str | Path,
    second: str | Path,
    table: str | Path,
    resamples: int = RESAMPLES,
    seed: int = RESAMPLING_SEED,
    known: Collection[str] = (),
) -> Comparison:
    """Paired test of two predictions files on the films that both have, labels and patients from NIH's table.

    known: films that the first learned from; the comparison has the same test on the others, too. Of the
    second nobody can tell. Each file
    may be several joined by commas, as `read_averaged` takes them; names as `distinct_names` gives them.
    Raises DataError if the films that both have are none, of one patient, or all alike.
    """
    answers = read_averaged(first), read_averaged(second)
    table = find_table(table) if Path(table).is_dir() else Path(table)
    films = read_table(table).set_index("stem")
    compared = compare_on(films, answers, (first, second), table, resamples, seed)
    one, other = distinct_names((first, second))
    compared = compared.model_copy(update={"names": (one, other), "second_untold": True})
    inside = films.index.intersection([*{*known}.intersection(*(answer.stems for answer in answers))])
    if inside.empty:
        return compared
    try:
        clean = compare_on(films.drop(inside), answers, (first, second), table, resamples, seed)
    except DataError:  # too few films are left
        return compared.model_copy(update={"known": len(inside)})
    clean = clean.model_copy(update={"names": (one, other)})
    return compared.model_copy(update={"known": len(inside), "clean": clean})


def compare_on(
    films: pd.DataFrame,
    answers: tuple[Predictions, Predictions],
    names: Files,
    table: str | Path,
    resamples: int = RESAMPLES,
    seed: int = RESAMPLING_SEED,
) -> Comparison:
    """`compare_files` of predictions already read, on films by stem with their patient and 14 labels.

    A label that is unknown, NaN, is left out of its finding for both. names: of the two, in the result and in
    errors; table: its name in errors.
    """
    (a, b), (first, second) = answers, names
    row_a, row_b = ({stem: row for row, stem in enumerate(p.stems)} for p in (a, b))
    common = [stem for stem in a.stems if stem in row_b and stem in films.index]
    if not common:
        raise DataError(
            f"{first} and {second} share no film of {table}; compare predictions for the same films"
        )
    labels = films.loc[common, list(FINDINGS)].to_numpy(np.float32)
    drawn = Resamples(films.loc[common, "patient"].to_numpy(), resamples, seed)
    if drawn.patients == 1:
        raise DataError(
            f"{first} and {second} share films of one patient only; patients are resampled, so give several"
        )
    probs = a.probs[[row_a[stem] for stem in common]], b.probs[[row_b[stem] for stem in common]]
    compared = compared_findings(labels, drawn)
    if not compared.findings.any():
        raise DataError(
            f"among the {counted(len(common), 'film')} that {first} and {second} share no finding is both "
            "there and absent, so there is no AUC to compare; give predictions for more films"
        )
    found = paired_test(labels, *probs, drawn, compared)
    least = int(films_known(labels[:, compared.findings]).min())
    return Comparison(
        names=(str(first), str(second)),
        first=found.first,
        second=found.second,
        difference=found.difference,
        p=found.p,
        tie=found.tie,
        images=len(common),
        patients=drawn.patients,
        findings=int(compared.findings.sum()),
        in_every_resample=compared.in_every_resample,
        least_films=None if known(labels).all() else least,
    )
