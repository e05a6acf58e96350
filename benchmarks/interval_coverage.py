"""What the intervals of a report hold: the share of 95 % intervals that have the true value in them.

    python benchmarks/interval_coverage.py --predictions P.csv --table T.csv.gz

A predictions file with its table is the population, whose metrics are true by definition. Patients are drawn
from it with replacement, their films are judged by X-Lite's own functions, and each interval is compared with
the population's metric at the same thresholds. `benchmarks/false_alarms.py` does the same for comparisons.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
from population import Population, Sample, measured

from xlite.evaluation.estimates import evaluate_predictions
from xlite.evaluation.report import Metrics
from xlite.evaluation.report_base import Stamp
from xlite.findings import FINDINGS
from xlite.metrics.bootstrap import Resamples
from xlite.metrics.estimate import Estimate
from xlite.metrics.thresholds import Thresholds, choose_thresholds
from xlite.patients import fewer_patients

METRICS = ("auc", "ap", "f1", "precision", "recall", "specificity", "brier", "ece")
IN_FILE = "macro.auc"
"""The mean AUC of all findings that have one, with the interval that metrics.json alone has."""
SIZES = (10, 30, 100, 300, 1000)
DRAWS = 400
K_BINS = (0, 1, 2, 4, 9, 19, 29, 99, np.inf)
K_NAMES = ("1", "2", "3-4", "5-9", "10-19", "20-29", "30-99", "100+")
STAMP = Stamp("population", "drawn", "test", "unknown")


def measure(population: Population, sizes: Sequence[int], draws: int, seed: int = 0) -> pd.DataFrame:
    """A row for each metric of each drawn set of films, and each mean over findings, that has a value.

    Columns: patients, metric, finding ("" for the mean), k (the fewer of the patients with the finding and
    of those without it; findings for the mean), given (whether there is an interval) and holds (whether the
    true value is in it).
    """
    thresholds = choose_thresholds(population.films.labels, population.films.probs)
    true = evaluate(population.films, thresholds, resamples=1)
    rng = np.random.default_rng(seed)
    rows = [
        row
        for patients in sizes
        for _ in range(draws)
        for row in compared(population.draw(rng, patients), thresholds, true)
    ]
    columns = ["patients", "metric", "finding", "k", "given", "holds", "width"]
    return pd.DataFrame(rows, columns=columns)


def evaluate(sample: Sample, thresholds: np.ndarray, resamples: int = 1000) -> Metrics:
    """The metrics of the films at these thresholds."""
    drawn = Resamples(sample.patients, resamples)
    return evaluate_predictions(sample.labels, sample.probs, drawn, STAMP, Thresholds(thresholds))


def compared(sample: Sample, thresholds: np.ndarray, true: Metrics) -> Iterator[tuple[object, ...]]:
    """The rows of `measure` for one drawn set of films."""
    found, patients = evaluate(sample, thresholds), int(sample.patients.max()) + 1
    fewer = fewer_patients(sample.labels, sample.patients)
    for name in METRICS:
        truth = {finding: true.per_class[finding].estimate(name).value for finding in FINDINGS}
        for finding, k in zip(FINDINGS, fewer.tolist(), strict=True):
            estimate = found.per_class[finding].estimate(name)
            if k and estimate.value is not None:
                yield patients, name, finding, k, *held(estimate, truth[finding])
        mean = found.macro_fixed[name]
        if mean.findings:
            values = np.array([truth[finding] for finding in mean.findings], np.float64)
            yield patients, name, "", len(values), *held(mean.estimate, float(values.mean()))
    known = [finding for finding in FINDINGS if found.per_class[finding].auc.value is not None]
    if known:
        mean_auc = np.mean([true.per_class[finding].auc.value for finding in known])
        yield patients, IN_FILE, "", len(known), *held(found.macro.auc, float(mean_auc))


def held(estimate: Estimate, true: float | None) -> tuple[bool, bool, float]:
    """Whether there is an interval, whether it has the true value in it, to rounding, and how wide it is."""
    if estimate.low is None or estimate.high is None or true is None:
        return False, False, np.nan
    holds = estimate.low - 1e-9 <= true <= estimate.high + 1e-9
    return True, holds, estimate.high - estimate.low


def tables(rows: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """The tables to print, each with its caption; a share is empty if no interval was given."""
    given, single, mean = rows[rows["given"]], rows["finding"] != "", rows["finding"] == ""
    bins = pd.cut(rows["k"], K_BINS, labels=K_NAMES)
    for caption, some, by, metrics in (
        ("Single findings, by patients drawn", single, rows["patients"], METRICS),
        (
            "Single findings, by k: the fewer of the patients with the finding and without it",
            single,
            bins,
            METRICS,
        ),
        ("Mean over the fixed findings, by patients drawn", mean, rows["patients"], (*METRICS, IN_FILE)),
    ):
        for what, column, among in (
            ("holds the true value", "holds", given),
            ("mean width", "width", given),
            ("has an interval", "given", rows),
        ):
            chosen = among[some.loc[among.index]]
            table = chosen.pivot_table(
                index="metric", columns=by.loc[chosen.index].rename("k"), values=column, observed=True
            )
            yield f"{caption}: {what}", table.reindex(metrics)


def main() -> None:
    """Draws, judges and prints."""
    rows = measured(str(__doc__), measure, SIZES, DRAWS)
    for caption, table in tables(rows):
        print(f"{caption}\n{table.to_string(float_format='{:.3f}'.format, na_rep='')}\n")


if __name__ == "__main__":
    main()
