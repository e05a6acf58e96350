"""What a trial's run left: its row of results.csv, and what its report says of its teacher."""

from pydantic import ValidationError

from xlite.errors import XliteError, objection, sentence
from xlite.evaluation.contamination.caveats import is_of_teacher
from xlite.evaluation.files import METRICS_FILE
from xlite.evaluation.report_base import WithCaveats
from xlite.files import read_whole
from xlite.runs.results import readable_and_damaged
from xlite.runs.run import Run
from xlite.sweeps.status import Outcome, TeacherCaveat


class NoResult(XliteError):
    """A trial's run ended without a result."""


def left_by(run: Run) -> Outcome:
    """What a finished run wrote into log and report; NoResult if it has no validation AUC."""
    experiments, damage = readable_and_damaged()
    logged = [one for one in experiments if one.experiment_id == run.name]
    if damage and not logged:
        raise NoResult(f"the log has no row that can be read for the run: {sentence(damage)}")
    if not logged or logged[-1].val_auc is None:
        raise NoResult("the run has no validation AUC: no finding is both there and absent in the val part")
    last = logged[-1]
    return Outcome(
        val_auc=last.val_auc,
        test_auc=last.test_auc,
        model_size_mb=last.model_size_mb,
        inference_time_ms=last.inference_time_ms,
        epochs=run.status().epoch or None,
        contamination=_contamination_of(run),
    )


def _contamination_of(run: Run) -> TeacherCaveat | None:
    """What the run's test report, maybe an older one, says of what its teacher knows of the films."""
    path = run.evaluation("test") / METRICS_FILE
    try:
        caveats = WithCaveats.model_validate_json(read_whole(path)).caveats if path.is_file() else ()
    except ValidationError as error:
        raise NoResult(f"the run's report {path} is damaged: {objection(error)}") from error
    return next(filter(is_of_teacher, caveats), None)
