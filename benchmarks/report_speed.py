"""Time and memory of a whole report with 1,000 patient resamples: 22,433 films, 14 findings.

    python benchmarks/report_speed.py                                  # made-up predictions of that size
    python benchmarks/report_speed.py --predictions P.csv --table T.csv.gz   # yours, read from files

Goal: under 10 s on 2 cores, under 2 GB. Exits 1 if it is missed.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.special import expit

from xlite.evaluation.films import Films
from xlite.evaluation.full_report import InUse, ValidationFilms, full_report
from xlite.evaluation.report_base import Stamp
from xlite.evaluation.validation_report import Validation
from xlite.findings import FINDINGS
from xlite.metrics.bootstrap import Resamples
from xlite.report.write import score_predictions, write_report

GOAL_S, GOAL_MB = 10.0, 2000.0
FILMS, PATIENTS = 22_433, 6_187


def made_up(seed: int = 0) -> Films:
    """Films with labels at NIH's prevalences and probabilities that know something of them."""
    rng = np.random.default_rng(seed)
    prevalence = np.array([10.3, 2.5, 11.9, 17.7, 5.2, 5.7, 1.3, 4.7, 4.2, 2.1, 2.2, 1.5, 3.0, 0.2]) / 100
    labels = (rng.random((FILMS, len(FINDINGS))) < prevalence).astype(np.float32)
    logits = rng.normal(size=labels.shape) + 1.4 * labels + np.log(prevalence) - 0.5
    names = [f"{film:08d}_000.png" for film in range(FILMS)]
    table = pd.DataFrame(
        {
            "image": names,
            "stem": [name[:-4] for name in names],
            "patient": rng.integers(PATIENTS, size=FILMS),
            "age": rng.integers(1, 95, size=FILMS).astype(float),
            "sex": rng.choice(["F", "M"], FILMS),
            "view": rng.choice(["PA", "AP"], FILMS, p=[0.6, 0.4]),
        }
    ).join(pd.DataFrame(labels, columns=list(FINDINGS)))
    return Films(table, names, logits, expit(logits).astype(np.float32))


def peak_mb() -> float:
    """The most memory this process has held so far, in MB."""
    import resource  # not on Windows

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak / 1e3


def main() -> int:
    """Runs the report once and prints what it took."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--predictions", type=Path)
    parser.add_argument("--table", type=Path)
    args = parser.parse_args()
    films, validation = made_up(), made_up(1)
    with tempfile.TemporaryDirectory() as out:
        start = time.perf_counter()
        if args.predictions:
            report = score_predictions(args.predictions, args.table, out)
        else:
            resamples = Resamples(films.patients)
            report = full_report(
                films,
                Stamp("made-up", "made-up", "all", "none"),
                resamples,
                InUse(None, "none"),
                ValidationFilms(validation, Validation(films=len(validation), file="as many made-up films")),
            )
            write_report(out, report, films, resamples)
        took = time.perf_counter() - start
    auc, split = report.macro.auc, report.split
    print(f"{split.images} films, {split.patients} patients, {report.bootstrap.resamples} resamples")
    print(f"mean AUC {auc.value:.4f} ({auc.low:.4f} to {auc.high:.4f})")
    print(f"{took:.1f} s (goal {GOAL_S:.0f}), peak memory {peak_mb():.0f} MB (goal {GOAL_MB:.0f})")
    return int(took > GOAL_S or peak_mb() > GOAL_MB)


if __name__ == "__main__":
    sys.exit(main())
