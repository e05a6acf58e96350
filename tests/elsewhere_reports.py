"""A model here and elsewhere, made by hand: two findings, of which one ranks worse there."""

from typing import Any

from xlite.evaluation.elsewhere.elsewhere_report import (
    Distances,
    Elsewhere,
    FindingElsewhere,
    Guarded,
    Shift,
    Side,
)
from xlite.evaluation.report_base import Bootstrap
from xlite.metrics.estimate import Estimate, independent_difference

BOOTSTRAP = Bootstrap(resamples=1000, seed=0)


def shift(here: Estimate, there: Estimate) -> Shift:
    return Shift(here=here, there=there, difference=independent_difference(there, here))


def finding(**changes: Any) -> FindingElsewhere:
    """One that is the same on both sides, of 100 films of 1,000 here and 40 of 200 there."""
    rate, line = Estimate(0.8, 0.7, 0.9), Estimate(0.0, -0.2, 0.2)
    values = {
        "films": (1000, 200),
        "positives": (100, 40),
        "prevalence": (0.1, 0.2),
        "threshold": 0.25,
        "auc": shift(rate, rate),
        "ece": shift(Estimate(0.02, 0.01, 0.03), Estimate(0.05)),
        "perfect_ece": (0.01, 0.04),
        "intercept": shift(line, line),
        "slope": shift(Estimate(1.0, 0.9, 1.1), Estimate(0.9, 0.6, 1.2)),
        "sensitivity": shift(rate, rate),
        "specificity": shift(rate, rate),
    }
    return FindingElsewhere(**(values | changes))


def elsewhere(**changes: Any) -> Elsewhere:
    """Effusion is worse there by all, Mass the same; 200 films of a clinic, most of them AP."""
    worse = finding(
        auc=shift(Estimate(0.85, 0.83, 0.87), Estimate(0.7, 0.62, 0.78)),
        intercept=shift(Estimate(0.0, -0.1, 0.1), Estimate(-0.6, -0.9, -0.3)),
        sensitivity=shift(Estimate(0.8, 0.75, 0.85), Estimate(0.95, 0.9, 0.98)),
        specificity=shift(Estimate(0.9, 0.88, 0.92), Estimate(0.5, 0.4, 0.6)),
    )
    here = Side(
        split_id="patient-42-1a2b3c4d", part="test", films=1000, patients=500, label_version="2020",
        bootstrap=BOOTSTRAP,
    )  # fmt: skip
    there = here.model_copy(
        update={"split_id": "all-42-99999999", "films": 200, "patients": 150, "label_version": "unknown"}
    )
    values = {
        "here": here,
        "there": there,
        "same_names": 0,
        "only_here": ("Hernia",),
        "only_there": (),
        "mean_findings": ("Effusion", "Mass"),
        "mean_auc": shift(Estimate(0.825, 0.8, 0.85), Estimate(0.75, 0.7, 0.79)),
        "per_class": {"Effusion": worse, "Mass": finding()},
        "mix": {
            "view": {"AP": (400, 180), "PA": (600, 20)},
            "sex": {"F": (480, 100), "M": (520, 100)},
            "age": {"under 18": (50, 0), "over 60": (950, 0)},
        },
        "guards": Guarded(
            films=200,
            verdicts={"pass": 180, "caution": 17, "offer": 2, "refuse": 1},
            reasons={"not_chest": 1, "rotated_180": 2, "unlike": 17},
        ),
        "distances": Distances(
            films=200, patients=150, median=1.234, limit=1.95, beyond=17, usual=1.5, quantile=0.99,
            usual_films=400, unusual=40,
        ),
    }  # fmt: skip
    return Elsewhere(**(values | changes))
