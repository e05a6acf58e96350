"""Runs as jobs of a SLURM cluster: submit, look, cancel. What sbatch, squeue and scancel say stays here."""

import json
import os
import shlex
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from pydantic_core import from_json

from xlite.errors import RunError
from xlite.files import read_whole, write_atomic
from xlite.runs.run_files import EPOCHS_FILE
from xlite.runs.work_folder import LOG_FILE
from xlite.text import last_line

SUBMISSION = "slurm.json"
TIMEOUT_S = 20.0
ENDED = {
    *("BOOT_FAIL", "CANCELLED", "COMPLETED", "DEADLINE", "FAILED", "NODE_FAIL", "OUT_OF_MEMORY"),
    *("PREEMPTED", "TIMEOUT"),
}
# Starts a command once for each task. Without these options srun forgets the job's --cpus-per-task, and waits
# on after a task has failed. What the leader prints, it writes into log.txt itself.
SRUN = (
    "srun --kill-on-bad-exit=1 ${{SLURM_CPUS_PER_TASK:+--cpus-per-task=$SLURM_CPUS_PER_TASK}} "
    "{command} >/dev/null"
)
SCRIPT = """#!/bin/sh
export XLITE_HOME={home} PYTHONUNBUFFERED=1
epochs() {{ cat {metrics} 2>/dev/null | wc -l; }}
began=$(epochs)
# SLURM sends USR1 two minutes before the time limit: the job goes back into the queue, and goes on from its
# last finished epoch. If this turn finished none, neither would the next one.
again() {{
    trapped=yes
    if [ "$(epochs)" -gt "$began" ]; then
        scontrol requeue "$SLURM_JOB_ID"
    else
        echo "The time limit is too short for one epoch: resume with a longer --time"
    fi
}}
trapped=
trap again USR1
{command} &
trainer=$!
wait $trainer
status=$?
# A signal that was trapped ends the wait and not the trainer.
while [ $status -gt 128 ] && [ -n "$trapped" ]; do
    trapped=
    wait $trainer
    status=$?
done
exit $status
"""


@dataclass(frozen=True)
class Submission:
    """A run's job in SLURM, and the options of sbatch that a resume uses again."""

    job: str
    options: tuple[str, ...] = ()


def is_available() -> bool:
    """Whether this machine can submit jobs to SLURM."""
    return shutil.which("sbatch") is not None


def read_submission(folder: Path) -> Submission | None:
    """The job that a run's folder was last submitted as; None if it was not, or the file is none."""
    try:
        values = from_json(read_whole(folder / SUBMISSION))
        job, options = values["job"], values["options"]
        return Submission(str(job), tuple(map(str, options))) if isinstance(options, list) else None
    except (OSError, ValueError, TypeError, LookupError):
        return None


def submit(
    folder: Path,
    home: Path,
    command: Sequence[str],
    options: Sequence[str],
    devices: int = 1,
    nodes: int = 1,
) -> Submission:
    """Submits a run's command as a job that is put back into the queue when it is pre-empted.

    With several devices or nodes, srun starts the command once for each device. `options` are sbatch's own
    and go last, so that they win. RunError with SLURM's words if it refuses.
    """
    several = devices * nodes > 1
    for option in options:
        if not option.startswith("-"):
            raise RunError(f"{option!r} is not an option of sbatch: write it as --partition=gpu")
    script = SCRIPT.format(
        home=shlex.quote(str(home)),
        metrics=shlex.quote(str(folder / EPOCHS_FILE)),
        command=SRUN.format(command=shlex.join(command)) if several else shlex.join(command),
    )
    log = str(folder / LOG_FILE).replace("%", "%%")
    words = [
        *("sbatch", "--parsable", f"--job-name=xlite-{folder.name}", f"--chdir={home}"),
        *(f"--output={log}", "--open-mode=append", "--requeue", "--signal=B:USR1@120"),
        *((f"--nodes={nodes}", f"--ntasks-per-node={devices}") if several else ()),
    ]
    before = read_submission(folder)
    (folder / SUBMISSION).unlink(missing_ok=True)  # a job that starts at once must not take it for its own
    try:
        done = _ask([*words, *options], script)
        if done.returncode != 0:
            raise RunError(f"SLURM did not take the run: {last_line(done.stderr, 'it gave no reason')}")
    except RunError:
        if before is not None:
            _write_submission(folder, before)
        raise
    submission = Submission(done.stdout.strip().split(";")[0], tuple(options))
    _write_submission(folder, submission)
    return submission


def _write_submission(folder: Path, submission: Submission) -> None:
    write_atomic(folder / SUBMISSION, json.dumps(asdict(submission)).encode() + b"\n")


def job_state(job: str) -> tuple[str, str]:
    """State and reason of a job in SLURM's words: PENDING, Resources; `GONE` if SLURM knows it no more.

    RunError if SLURM does not answer.
    """
    done = _ask(["squeue", "--noheader", f"--jobs={job}", "--states=all", "--format=%T|%r"])
    if done.returncode != 0 and "Invalid job id" not in done.stderr:
        raise RunError(f"SLURM does not answer: {last_line(done.stderr, 'it gave no reason')}")
    state, _, reason = done.stdout.strip().partition("|")
    return state or "GONE", reason


def waiting(job: str) -> tuple[bool, str]:
    """Whether a job whose trainer is not there may still begin, and a sentence on what it does."""
    try:
        state, reason = job_state(job)
    except RunError as error:
        return True, f"job {job}: {error}"
    if state == "PENDING":
        return True, f"waits in SLURM's queue as job {job} ({reason})"
    if state in ENDED or state == "GONE":
        return False, f"SLURM job {job} ended ({state})"
    return True, f"SLURM starts job {job} ({state})"


def is_pending(job: str) -> bool:
    """Whether SLURM says that the job has yet to start."""
    try:
        return job_state(job)[0] == "PENDING"
    except RunError:
        return False


def cancel_pending(job: str) -> None:
    """Takes a job out of SLURM's queue; one that has started meanwhile goes on."""
    _ask(["scancel", "--state=PENDING", job])


def is_inside(job: str) -> bool:
    """Whether this process runs in that job."""
    return os.environ.get("SLURM_JOB_ID") == job


def _ask(words: Sequence[str], text: str | None = None) -> "subprocess.CompletedProcess[str]":
    try:
        return subprocess.run(words, input=text, capture_output=True, text=True, timeout=TIMEOUT_S)
    except FileNotFoundError as error:
        raise RunError(f"there is no {words[0]} on this machine, so SLURM cannot be asked") from error
    except subprocess.TimeoutExpired as error:
        raise RunError(f"{words[0]} did not answer within {TIMEOUT_S:.0f} s") from error
