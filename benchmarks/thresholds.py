"""What a threshold gives on new patients, beside what its rule and its validation films promise.

    python benchmarks/thresholds.py --predictions P.csv --table T.csv.gz

A predictions file with its table is the population. Validation patients are drawn from it with replacement, a
threshold is chosen on their films by each rule, and its sensitivity and specificity on the whole population
are the truth: they are compared with the rates on the validation films and with their intervals.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
from interval_coverage import K_BINS, K_NAMES
from population import Population, Sample, measured

from xlite.findings import FINDINGS
from xlite.metrics.intervals import promised_interval
from xlite.metrics.thresholds import RULES, choose_thresholds
from xlite.patients import patients_with

SIZES = (100, 300, 1000, 3000)
DRAWS = 200


def measure(population: Population, sizes: Sequence[int], draws: int, seed: int = 0) -> pd.DataFrame:
    """A row for each rate of each threshold chosen on drawn validation patients.

    Columns: patients, rule, rate, k (validation patients with the finding), true, seen (on validation), holds
    (whether the interval has the true rate in it) and width.
    """
    rng = np.random.default_rng(seed)
    rows = [
        row
        for patients in sizes
        for _ in range(draws)
        for row in chosen(population, population.draw(rng, patients))
    ]
    names = ["patients", "rule", "rate", "k", "true", "seen", "holds", "width"]
    return pd.DataFrame(rows, columns=names)


def chosen(population: Population, sample: Sample) -> Iterator[tuple[object, ...]]:
    """The rows of `measure` for one drawn set of validation films."""
    everyone, patients = population.films, int(sample.patients.max()) + 1
    k = patients_with(sample.labels > 0, sample.patients)
    for rule in RULES:
        cuts = choose_thresholds(sample.labels, sample.probs, rule)
        for c in np.flatnonzero(~np.isnan(cuts)):
            called, called_of_all = sample.probs[:, c] >= cuts[c], everyone.probs[:, c] >= cuts[c]
            for rate, kind in (("sensitivity", True), ("specificity", False)):
                films, of_all = (one.labels[:, c].astype(bool) == kind for one in (sample, everyone))
                right, truth = called[films] == kind, float((called_of_all[of_all] == kind).mean())
                found = promised_interval(right, sample.patients[films])
                if found is not None:
                    low, high = found
                    holds = low - 1e-9 <= truth <= high + 1e-9
                    yield patients, rule, rate, k[c], truth, float(right.mean()), holds, high - low


def table(rows: pd.DataFrame) -> pd.DataFrame:
    """By rate and rule, over k: mean rate on validation and in truth, share of intervals that hold, width."""
    bins = pd.cut(rows["k"], K_BINS, labels=K_NAMES).rename("k")
    found = rows.groupby(["rate", "rule", bins], observed=True)[["seen", "true", "holds", "width"]].mean()
    return found.unstack("k").stack(0, future_stack=True).reindex(["seen", "true", "holds", "width"], level=2)


def main() -> None:
    """Draws, chooses and prints."""
    rows = measured(str(__doc__), measure, SIZES, DRAWS)
    print(f"k: validation patients with the finding, of {len(FINDINGS)} findings together")
    print(table(rows).to_string(float_format="{:.3f}".format, na_rep=""))


if __name__ == "__main__":
    main()
