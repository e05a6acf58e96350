"""Cross-fitting: runs that each leave a fold of the train part out and answer for it at their end.

Joined by `xlite.sweeps.left_out`, their answers are a teacher for all training films that has learned from
no patient of the film it speaks of.
"""

from collections.abc import Mapping

from xlite.errors import RunError, Setting
from xlite.sweeps.plan import Design, Plan, make_plan

FOLDS = 5


def plan_crossfit(given: Mapping[str, object], folds: int, design: Design) -> Plan:
    """The plan of one run for each fold and seed. RunError for a number or a setting that is none."""
    if given.get("fold"):
        raise RunError("cross-fitting leaves each fold out in its turn, so it takes no ", Setting("fold"))
    return make_plan("crossfit", given, {"fold": [f"{fold}/{folds}" for fold in range(1, folds + 1)]}, design)
