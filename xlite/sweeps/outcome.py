"""What a trial's run left: its row of results.csv, and what its report says of its teacher."""

import math

from xlite.errors import XliteError
from xlite.evaluation.base import WithCaveats
from xlite.evaluation.caveats import Said, TeacherKnows
from xlite.files import read_whole
from xlite.runs.results import read_results
from xlite.runs.run import Run
from xlite.sweeps.status import Contamination, Outcome


class NoResult(XliteError):
    """A trial's run ended without a result."""


def left_by(run: Run) -> Outcome:
    """What a finished run wrote into log and report; NoResult if it has no validation AUC."""
    results = read_results()
    logged = results[results["experiment_id"] == run.name]
    if not len(logged) or not math.isfinite(logged.iloc[-1]["val_auc"]):
        raise NoResult("the run has no validation AUC: no finding is both there and absent in the val part")
    row = logged.iloc[-1]
    metrics = {key: float(row[key]) for key in ("val_auc", "test_auc", "model_size_mb", "inference_time_ms")}
    known = {key: value if math.isfinite(value) else None for key, value in metrics.items()}
    return Outcome(**known, contamination=_contamination_of(run))


def _contamination_of(run: Run) -> Contamination | None:
    """What the run's test report, maybe one of old, says of what its teacher knows of the films."""
    path = run.folder / "evaluation" / "test" / "metrics.json"
    caveats = WithCaveats.model_validate_json(read_whole(path)).caveats if path.is_file() else ()
    for caveat in caveats:
        if isinstance(caveat, TeacherKnows) or (isinstance(caveat, Said) and caveat.by_teacher):
            return caveat
    return None
