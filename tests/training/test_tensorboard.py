"""The metrics of a run as event files."""

import pytest
from tiny_runs import config, run_to_end

pytestmark = pytest.mark.usefixtures("quick_report")


@pytest.mark.slow
def test_the_curves_are_event_files_too(films):
    event_accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    run, _ = run_to_end(config(films, "curves", epochs=2, tensorboard=True))
    events = event_accumulator.EventAccumulator(str(run.folder / "tensorboard"))
    events.Reload()
    rows = run.read_metrics()
    for name in ("train_loss", "val_loss", "val_auc"):
        points = events.Scalars(name)
        assert [point.step for point in points] == [1, 2]
        assert [point.value for point in points] == pytest.approx(rows[name].tolist(), rel=1e-6)
