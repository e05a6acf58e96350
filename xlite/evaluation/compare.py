"""Two models on the same films: a paired test, never two separate figures. Imports no torch."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from xlite.data.predictions import Predictions, distinct_names, read_averaged
from xlite.data.tables import find_table, read_table
from xlite.errors import DataError
from xlite.files import write_atomic
from xlite.findings import FINDINGS
from xlite.metrics.bootstrap import compare_auc
from xlite.text import counted


def compare_files(
    first: str | Path, second: str | Path, table: str | Path, resamples: int = 1000, seed: int = 0
) -> dict:
    """Paired test of two predictions files on the films both have, labels and patients from an NIH table.

    Each may be several joined by commas, as `read_averaged` takes them. Returns `compare_auc`'s dict with
    "images", "patients" and "names", both as `distinct_names` gives them. Raises DataError where the films
    that both have are none, of one patient, or all alike.
    """
    answers = read_averaged(first), read_averaged(second)
    table = find_table(table) if Path(table).is_dir() else Path(table)
    films = read_table(table).set_index("stem")
    compared = compare_on(films, answers, (first, second), table, resamples, seed)
    return {"names": distinct_names((first, second)), **compared}


def compare_on(
    films: pd.DataFrame,
    answers: tuple[Predictions, Predictions],
    names: tuple[str | Path, str | Path],
    table: str | Path,
    resamples: int = 1000,
    seed: int = 0,
) -> dict:
    """`compare_files` of predictions already read, on films by stem with their patient and 14 labels; without
    "names".

    names and table are what errors call them.
    """
    (a, b), (first, second) = answers, names
    row_a, row_b = ({stem: row for row, stem in enumerate(p.stems)} for p in (a, b))
    common = [stem for stem in a.stems if stem in row_b and stem in films.index]
    if not common:
        raise DataError(
            f"{first} and {second} share no film of {table}; compare predictions for the same films"
        )
    films = films.loc[common]
    patients = films["patient"].to_numpy()
    if len(np.unique(patients)) == 1:
        raise DataError(
            f"{first} and {second} share films of one patient only; patients are resampled, so give several"
        )
    compared = compare_auc(
        films[list(FINDINGS)].to_numpy(np.float32),
        a.probs[[row_a[stem] for stem in common]],
        b.probs[[row_b[stem] for stem in common]],
        patients,
        resamples,
        seed,
    )
    difference = compared["difference"]
    if np.isnan(difference["low"]):
        raise DataError(
            f"among the {counted(len(common), 'film')} that {first} and {second} share no finding is both "
            "there and absent, so there is no AUC to compare; give predictions for more films"
        )
    return {**compared, "images": len(common), "patients": len(np.unique(patients))}


def write_comparison(out: str | Path, comparison: dict) -> None:
    """Writes what `compare_files` returned to comparison.json in the folder `out`; atomic."""
    text = json.dumps(comparison, indent=1, allow_nan=False)
    write_atomic(Path(out) / "comparison.json", (text + "\n").encode())


def comparison_sentence(comparison: dict, names: Sequence[str]) -> str:
    """What `compare_files` or `compare_on` found, in a sentence; names: what to call the two."""
    first, second = names
    difference = comparison["difference"]
    higher = "higher" if difference["value"] > 0 else "lower"
    verdict = "a tie, the difference is within the noise" if comparison["tie"] else f"{higher} than {second}"
    both = f"{counted(comparison['images'], 'film')} of {counted(comparison['patients'], 'patient')}"
    return (
        f"Macro AUC {comparison['first']:.4f} of {first} against {comparison['second']:.4f} of {second}, "
        f"on the {both} that both have: difference {difference['value']:+.4f} ({difference['low']:+.4f} to "
        f"{difference['high']:+.4f}), p {comparison['p']:.3f}: {verdict}"
    )
