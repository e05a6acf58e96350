"""What the cut-offs of "not sure" zones guarantee, beside what is true of all patients.

    python benchmarks/triage_coverage.py --predictions P.csv --table T.csv.gz

A predictions file with its table is the population. Validation patients are drawn from it with replacement,
the zone of each finding is made from their films, and the patients of the whole population whose films lie
beyond a cut-off are counted: a guarantee is broken if they are more than it says. That may happen in one of
twenty.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
from population import Population, Sample, measured

from xlite.findings import FINDINGS
from xlite.metrics.triage import ALARMED, MISSED, not_sure_zone
from xlite.patients import patients_with

SIZES = (300, 1000, 3000)
DRAWS = 200
K_BINS = (-1, 28, 58, 99, 299, 999, np.inf)


def measure(population: Population, sizes: Sequence[int], draws: int, seed: int = 0) -> pd.DataFrame:
    """A row for each cut-off of each finding, of zones made from drawn validation patients.

    Columns: patients drawn, cut_off ("low" or "high"), finding, k (validation patients that it is certified
    on), certified, beyond (share of the population's patients beyond it), broken (whether that is too many),
    films (the share of their films) and unsure (share of all films between the two cut-offs, or on that side
    of one).
    """
    rng = np.random.default_rng(seed)
    rows = [
        row
        for patients in sizes
        for _ in range(draws)
        for row in made(population, population.draw(rng, patients))
    ]
    names = ["patients", "cut_off", "finding", "k", "certified", "beyond", "broken", "films", "unsure"]
    return pd.DataFrame(rows, columns=names)


def made(population: Population, sample: Sample) -> Iterator[tuple[object, ...]]:
    """The rows of `measure` for one drawn set of validation films."""
    drawn = int(sample.patients.max()) + 1
    positive = sample.labels > 0
    have, lack = patients_with(positive, sample.patients), patients_with(~positive, sample.patients)
    for c, finding in enumerate(FINDINGS):
        zone = not_sure_zone(positive[:, c], sample.probs[:, c], sample.patients)
        probs, with_it = population.films.probs[:, c], population.films.labels[:, c] > 0
        low = -np.inf if zone.low is None else zone.low
        high = np.inf if zone.high is None else zone.high
        unsure = float(np.mean((probs >= low) & (probs < high)))
        for cut_off, cut, k, films, gone, share in (
            ("low", low, have[c], with_it, probs < low, MISSED),
            ("high", high, lack[c], ~with_it, probs >= high, ALARMED),
        ):
            if np.isinf(cut):
                yield drawn, cut_off, finding, k, False, np.nan, np.nan, np.nan, np.nan
                continue
            owners = population.films.patients
            beyond = len(np.unique(owners[films & gone])) / len(np.unique(owners[films]))
            yield drawn, cut_off, finding, k, True, beyond, beyond > share, float(gone[films].mean()), unsure


def table(rows: pd.DataFrame) -> pd.DataFrame:
    """By cut-off, over k: how many are certified and broken, who lies beyond in the mean, what is not
    sure."""
    bins = pd.cut(rows["k"], K_BINS).rename("k")
    names = ["certified", "broken", "beyond", "films", "unsure"]
    values = rows[names].astype(float)
    found = values.groupby([rows["cut_off"], bins], observed=True).mean()
    return found.unstack("k").stack(0, future_stack=True).reindex(names, level=1)


def main() -> None:
    """Draws, makes zones and prints."""
    rows = measured(str(__doc__), measure, SIZES, DRAWS)
    print(f"k: validation patients with the finding (low) or without it (high), of {len(FINDINGS)} findings")
    print(table(rows).to_string(float_format="{:.3f}".format, na_rep=""))


if __name__ == "__main__":
    main()
