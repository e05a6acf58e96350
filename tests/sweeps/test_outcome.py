"""What a trial's run left, of which one file may be damaged."""

import pytest

from xlite.config import make_config
from xlite.places import results_csv
from xlite.runs.notes import Notes
from xlite.runs.results import Experiment, append_result
from xlite.runs.run import Run
from xlite.sweeps.outcome import NoResult, left_by


@pytest.mark.parametrize(
    "content", [b"", b"\xff", b"[]", b"[" * 100_000, b'{"caveats": [{"kind": "asleep"}]}']
)
def test_a_damaged_report_is_the_end_of_one_trial(content):
    run = Run.create(make_config({"data": "films", "name": "study-001"}))
    append_result(Experiment(run.name, val_auc=0.7), Notes("patient-42-0"))
    assert left_by(run).val_auc == 0.7
    run.evaluation("test").mkdir(parents=True)
    report = run.evaluation("test") / "metrics.json"
    report.write_bytes(content)
    with pytest.raises(NoResult, match=f"the run's report {report} is damaged: "):
        left_by(run)


def test_a_damaged_row_of_the_log_is_the_end_of_its_own_trial_alone():
    append_result(Experiment("study-001", val_auc=0.7), Notes("patient-42-0"))
    with open(results_csv(), "a") as file:
        file.write("study-002,2026\n")
    one, two = (Run.create(make_config({"data": "films", "name": f"study-00{n}"})) for n in (1, 2))
    assert left_by(one).val_auc == 0.7
    with pytest.raises(NoResult, match=r"no row that can be read for the run: line 3 of .* has 2 cells"):
        left_by(two)
