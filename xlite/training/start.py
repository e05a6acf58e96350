"""What the Train page does to start a run: all that its settings name is looked for before it is made."""

from collections.abc import Sequence

from xlite.config import TrainConfig
from xlite.evaluation.contamination.caveats import TeacherKnows
from xlite.runs.command import absolute_paths
from xlite.runs.run import Run
from xlite.training.fabric import usable_devices
from xlite.training.job import check_job


def start_run(config: TrainConfig, sbatch_options: Sequence[str] | None, told: bool) -> Run | TeacherKnows:
    """Makes a run and starts it: on this machine, or with options as a job of SLURM.

    If its teacher knows test films, and nobody was told so yet, nothing is made, and that is returned: it is
    asked once more. Raises what `check_job`, `usable_devices` and `Run` raise.
    """
    checked = check_job(absolute_paths(config))
    if sbatch_options is None:
        usable_devices(config.device)
    if checked.seen is not None and not told:
        return checked.seen
    run = Run.create(config)
    if sbatch_options is None:
        run.start()
    else:
        run.submit(sbatch_options)
    return run
