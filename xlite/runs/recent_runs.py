"""What runs now, and what ended last, for the Overview page. Imports no torch."""

from contextlib import suppress
from dataclasses import dataclass

from xlite.errors import RunError
from xlite.evaluation.files import METRICS_FILE
from xlite.messages import literal
from xlite.runs.run import Run
from xlite.runs.status import LIVE, RunStatus, clock
from xlite.text import number


@dataclass(frozen=True)
class RunNow:
    """A run as it is now, and when its test part was judged, s since 1970, or 0."""

    run: Run
    status: RunStatus
    judged_at: float

    @property
    def share(self) -> float:
        """How far it is, 0-1, by the epochs and the steps of the one that it is in."""
        if not self.status.epochs:
            return 0.0
        return min(1.0, (self.status.epoch + self.status.share) / self.status.epochs)

    @property
    def facts(self) -> str:
        """How far it is in one line of Markdown."""
        status = self.status
        said = [f"{status.unit} {status.epoch_text}" if status.epochs else f"no {status.unit} yet"]
        if status.best_auc is not None:
            said.append(f"validation AUC {number(status.best_auc)}")
        if status.state in LIVE:
            said.append("time left not known" if status.eta_s is None else f"time left {clock(status.eta_s)}")
        return literal(", ".join(said))


def runs_now(latest: int) -> tuple[list[RunNow], list[RunNow]]:
    """The runs that live, and so many of those at rest, newest first."""
    live: list[RunNow] = []
    rest: list[RunNow] = []
    for run in Run.list():
        with suppress(RunError, OSError):  # renamed or deleted since it was listed
            if not run.folder.exists():
                continue
            status = run.status()
            if status.state not in LIVE and len(rest) == latest:
                continue
            report = run.evaluation("test") / METRICS_FILE
            judged_at = report.stat().st_mtime if report.is_file() else 0.0
            (live if status.state in LIVE else rest).append(RunNow(run, status, judged_at))
    return live, rest
