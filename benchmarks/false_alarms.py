"""How often X-Lite calls something a difference that is none: between groups, of ten models, of two.

    python benchmarks/false_alarms.py --predictions P.csv --table T.csv.gz

Patients are drawn with replacement from a predictions file with its table. Groups without a gap: each
patient gets the view, sex and age of a film of another one. Models that are equal: the file's own logits,
with noise of the same size and of each model's own.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd
from population import Population, Sample, parse_options
from scipy.special import logit

from xlite.data.predictions import Predictions
from xlite.errors import DataError
from xlite.evaluation.compare import compare_on
from xlite.evaluation.subgroups import subgroups
from xlite.findings import FINDINGS
from xlite.metrics.bootstrap import Resamples
from xlite.metrics.per_finding import auc_per_class, macro
from xlite.sweeps.comparison import judge, optimism

SIZES, DRAWS, MODELS = (100, 300, 1000), 400, 10
NOISE = 0.5
"""Of each model's own, in standard deviations of a finding's logits."""

Row = Mapping[str, float]


def without_gaps(sample: Sample, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """The groups of the sample's films (N,), dealt anew: all films of a patient are in one group."""
    patients = int(sample.patients.max()) + 1
    starts = np.searchsorted(sample.patients, np.arange(patients + 1))
    giver = rng.permutation(patients)
    films = rng.integers(starts[giver], starts[giver + 1])
    return {name: values[films][sample.patients] for name, values in sample.groups.items()}


def equal_models(sample: Sample, models: int, rng: np.random.Generator) -> list[np.ndarray]:
    """Scores (N, 14) of so many models, none of which is better than another but by chance."""
    scores = logit(np.clip(sample.probs, 1e-6, 1 - 1e-6))
    size = NOISE * scores.std(axis=0)
    return [scores + size * rng.normal(size=scores.shape) for _ in range(models)]


def report(sample: Sample, rng: np.random.Generator) -> Row:
    """Whether a report says of any gap that it is larger than noise, and how many it looks at."""
    groups = without_gaps(sample, rng)
    found = subgroups(sample.labels, sample.probs, groups, Resamples(sample.patients)).values()
    looks = sum(one.looks or 0 for one in found)
    said = any(gap.larger_than_noise for one in found for gap in one.gaps)
    return {"gap": said, "nothing compared": looks == 0, "gaps looked at": looks}


def board(sample: Sample, rng: np.random.Generator) -> Row:
    """Whether any of ten models is called beaten, and the worst; what choosing the best adds to its AUC, and
    what X-Lite says that it does.
    """
    models = equal_models(sample, MODELS, rng)
    aucs = np.array([macro(auc_per_class(sample.labels, one)) for one in models])
    ordered = [models[place] for place in np.argsort(-aucs)]
    found = [one.against_first for one in judge(sample.labels, ordered, sample.patients)]
    beaten = [one is not None and not one.tie for one in found]
    return {
        "any beaten": any(beaten),
        "worst beaten": beaten[-1],
        "share beaten": float(np.mean(beaten[1:])),
        "best of 10 adds": float(aucs.max() - aucs.mean()),
        "said to add": optimism(sample.labels, ordered, sample.patients),
    }


def pair(sample: Sample, rng: np.random.Generator) -> Row:
    """Whether one of two models is called better."""
    stems = [str(film) for film in range(len(sample.labels))]
    films = pd.DataFrame(sample.labels, stems, columns=list(FINDINGS)).assign(patient=sample.patients)
    first, second = (Predictions(stems, stems, scores) for scores in equal_models(sample, 2, rng))
    try:
        found = compare_on(films, (first, second), ("first", "second"), "the table")
    except DataError:
        return {"no tie": False, "p < .05": False, "refused": True, "findings": 0}
    return {
        "no tie": not found.tie,
        "p < .05": found.p < 0.05,
        "refused": False,
        "findings": found.findings or 0,
    }


def measure(
    population: Population,
    judged: Callable[[Sample, np.random.Generator], Row],
    sizes: Sequence[int],
    draws: int,
    seed: int = 0,
) -> pd.DataFrame:
    """The means of what is judged on so many draws of patients, a row for each number of patients."""
    rows = {}
    for patients in sizes:
        rngs = [np.random.default_rng((seed, patients, draw)) for draw in range(draws)]
        found = pd.DataFrame([judged(population.draw(rng, patients), rng) for rng in rngs])
        rows[patients] = found.astype(float).mean()
    return pd.DataFrame(rows).T.rename_axis("patients")


def main() -> None:
    """Prints the tables."""
    args = parse_options(__doc__, SIZES, DRAWS)
    population = Population.read(args.predictions, args.table)
    for title, judged in (
        ("Groups without a gap: share of reports", report),
        (f"{MODELS} equal models: share of leaderboards", board),
        ("Two equal models: share of comparisons", pair),
    ):
        found = measure(population, judged, args.sizes, args.draws, args.seed)
        print(f"{title}, {args.draws} draws\n")
        print(found.round(4).to_string(), "\n", flush=True)


if __name__ == "__main__":
    main()
