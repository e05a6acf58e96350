"""A validation record made by hand, for the tests of what a verdict is worth."""

from typing import Any

from xlite.metrics.estimate import Estimate
from xlite.metrics.thresholds import ValidationPatients
from xlite.metrics.triage import NotSureZone
from xlite.metrics.validation_record import ValidationRecord

PATIENTS = ValidationPatients(17, 90)


def record(**changes: Any) -> ValidationRecord:
    """18 films with the finding, of 17 patients, and 112 without it, of 90; the threshold found one of those.

    The ranks of films are those of probabilities from 0 to 1 without the finding, and of 0.6 with it.
    """
    values = {
        "patients": PATIENTS,
        "positive_films": 18,
        "negative_films": 112,
        "sensitivity": Estimate(1 / 18, 0.0014, 0.2729),
        "specificity": Estimate(0.93, 0.86, 0.97),
        "zone": NotSureZone(low=None, high=0.4),
        "ranks_with": (0.6,) * 19,
        "ranks_without": tuple(step / 100 for step in range(101)),
    }
    return ValidationRecord(**(values | changes))
