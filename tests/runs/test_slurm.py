"""Runs as jobs of SLURM: a real cluster of one node on loopback, and what is said if there is none."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from tiny_runs import TINY, assert_same_end, assert_same_training, config, run_to_end

from xlite.config import make_config
from xlite.errors import RunError
from xlite.runs import slurm
from xlite.runs.run import Run
from xlite.runs.status import RunStatus

DAEMONS = ("munged", "slurmctld", "slurmd")
CONFIG = """
ClusterName=xlite
SlurmctldHost={host}(127.0.0.1)
AuthInfo=socket={folder}/munge.sock,cred_expire=5
SlurmUser=root
SlurmctldPort={controller}
SlurmdPort={node}
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
ReturnToService=2
KillWait=2
SchedulerParameters=bf_interval=1,sched_interval=1
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
NodeName={host} NodeAddr=127.0.0.1 CPUs=1 State=UNKNOWN
PartitionName=low Nodes={host} Default=YES MaxTime=60 PriorityTier=1
PartitionName=high Nodes={host} MaxTime=60 PriorityTier=10
"""


def wait_for(condition: Callable[[], object], seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain:\n{ask('squeue', '--states=all')}"
        time.sleep(0.1)


def ask(*words: str) -> str:
    return subprocess.run(words, capture_output=True, text=True, check=True, timeout=30).stdout.strip()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def is_up() -> bool:
    done = subprocess.run(["sinfo", "--noheader", "--format=%T"], capture_output=True, text=True, timeout=30)
    return set(done.stdout.split()) == {"idle"}


@pytest.fixture(autouse=True)
def outside_of_slurm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SLURM_JOB_ID", raising=False)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The configuration file of a SLURM cluster of one node with one CPU; its daemons end with the tests."""
    if not all(map(shutil.which, (*DAEMONS, "sbatch"))) or os.getuid() != 0:
        sentence = "no SLURM here (apt install slurm-wlm munge), or not root, who alone can start one"
        if os.environ.get("XLITE_REQUIRE_SLURM"):
            pytest.fail(sentence)
        pytest.skip(sentence)
    folder = tmp_path_factory.mktemp("slurm")
    for name in ("state", "spool"):
        (folder / name).mkdir()
    key = folder / "munge.key"
    key.write_bytes(os.urandom(1024))
    key.chmod(0o600)
    conf = folder / "slurm.conf"
    host = socket.gethostname().split(".")[0]
    conf.write_text(CONFIG.format(host=host, folder=folder, controller=free_port(), node=free_port()))
    files = {"key": key.name, "pid": "munge.pid", "log": "munge.log", "seed": "munge.seed"}
    munge = [f"--{kind}-file={folder / name}" for kind, name in files.items()]
    commands = (
        ["munged", "--foreground", "--force", f"--socket={folder / 'munge.sock'}", *munge],
        ["slurmctld", "-D", "-i", "-f", str(conf)],
        ["slurmd", "-D", "-f", str(conf)],
    )
    with ExitStack() as stack, pytest.MonkeyPatch.context() as patch:
        patch.setenv("SLURM_CONF", str(conf))
        for words in commands:
            stack.enter_context(daemon(words, folder / f"{words[0]}.log"))
        wait_for(is_up, 60)
        yield conf
        ask("scancel", "--user=root")
        wait_for(lambda: not ask("squeue", "--noheader"), 60)


@contextmanager
def daemon(words: list[str], log: Path) -> Iterator[None]:
    """Runs a daemon in the foreground of a process of its own, until the block ends."""
    with open(log, "wb") as output:
        process = subprocess.Popen(words, stdout=output, stderr=subprocess.STDOUT)
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def options(films: Path, **changes: object) -> list[str]:
    values = {"data": films, **TINY, **changes}
    return [word for name, value in values.items() for word in (f"--{name.replace('_', '-')}", str(value))]


def job_of(run: Run) -> str:
    submission = slurm.read_submission(run.folder)
    assert submission is not None
    return submission.job


@pytest.mark.slow
@pytest.mark.alone
@pytest.mark.usefixtures("cluster")
def test_jobs_wait_run_and_stop_on_a_real_cluster(films: Path, xlite) -> None:
    words = [
        "jobs",
        "start",
        "--launcher",
        "slurm",
        "--sbatch-option=--time=30",
        "--sbatch-option=--comment=x",
    ]
    long = options(films, epochs=5000, patience=5000)
    assert xlite(*words, *long, "--name", "first") == (0, "first\n", "")
    first = Run.named("first")
    wait_for(lambda: first.status().state == "running" and len(first.read_metrics()) > 1)
    assert xlite(*words, *long, "--name", "second") == (0, "second\n", "")
    second = Run.named("second")
    pending = f"waits in SLURM's queue as job {job_of(second)} (Resources)"
    wait_for(lambda: second.status().message == pending)
    told = json.loads(xlite("jobs", "status", "second", "--json")[1])
    assert (told["state"], told["message"]) == ("queued", pending)
    assert xlite("jobs", "resume", "second")[2] == "Error: run 'second' is already running\n"
    assert xlite("train", "--resume", "second")[2].startswith("Error: run 'second' waits in SLURM's queue")
    assert xlite("jobs", "delete", "second", "--yes")[0] == 2
    assert pending in xlite("jobs", "list")[1]

    assert xlite("jobs", "stop", "second") == (0, "Run second has stopped.\n", "")
    status = second.status()
    assert (status.state, status.message) == ("stopped", "taken out of SLURM's queue")
    assert slurm.job_state(job_of(second))[0] == "CANCELLED"

    assert "\nepoch 1/5000" in xlite("jobs", "logs", "first", "-n", 1000)[1]
    assert xlite("jobs", "stop", "first")[0] == 0
    wait_for(lambda: first.status().state == "stopped")
    wait_for(lambda: slurm.job_state(job_of(first))[0] == "COMPLETED")
    before, rows = job_of(first), len(first.read_metrics())
    assert xlite("jobs", "resume", "first") == (0, "Run first goes on.\n", "")
    assert job_of(first) != before
    wait_for(lambda: first.status().state == "running" and len(first.read_metrics()) > rows)
    assert "Comment=x" in ask("scontrol", "show", "job", job_of(first))
    assert xlite("jobs", "stop", "first")[0] == 0
    wait_for(lambda: first.status().state == "stopped")


@pytest.mark.release
@pytest.mark.slow
@pytest.mark.alone
@pytest.mark.usefixtures("cluster")
def test_a_preempted_job_and_one_at_its_time_limit_go_on_exactly(films: Path) -> None:
    length = 24
    whole, _ = run_to_end(config(films, "whole", epochs=length, patience=length))
    run = Run.create(config(films, "moved", epochs=length, patience=length))
    run.submit()
    wait_for(lambda: len(run.read_metrics()) >= 2)
    ask("sbatch", "--partition=high", "--output=/dev/null", "--wrap=sleep 3")
    wait_for(lambda: run.status().state == "queued")
    assert run.status().message.startswith(f"waits in SLURM's queue as job {job_of(run)} (")
    seen = len(run.read_metrics())
    assert seen < length
    wait_for(lambda: run.status().state == "running" and len(run.read_metrics()) > seen)
    ask("scancel", "--batch", "--signal=USR1", job_of(run))  # as SLURM does before the time limit
    wait_for(lambda: "BeginTime" in run.status().message)
    assert len(run.read_metrics()) < length
    wait_for(lambda: run.status().state == "finished")
    assert "Restarts=2" in ask("scontrol", "show", "job", job_of(run))
    log = run.log_tail(1000)
    assert log.count("Going on after epoch") == 2 and "Traceback" not in log and "Warning" not in log
    assert_same_end(whole, run)


@pytest.mark.slow
@pytest.mark.alone
@pytest.mark.usefixtures("cluster")
def test_two_tasks_train_as_one_process(films: Path) -> None:
    short = {"epochs": 3, "ema": 0.5}
    one, _ = run_to_end(config(films, "one", **short))
    two = Run.create(config(films, "two", devices=2, **short))
    two.submit(["--overcommit"])  # two tasks on the one CPU of the cluster
    wait_for(lambda: two.status().state == "finished")
    wait_for(lambda: slurm.job_state(job_of(two))[0] == "COMPLETED")
    log = two.log_tail(1000)
    assert log.count("Run two waits for the other processes (1 of 2 here)\n") == 1
    assert log.count("epoch 3/3") == 1 and "Traceback" not in log and "Warning" not in log
    assert_same_training(one, two)


@pytest.mark.slow
@pytest.mark.alone
@pytest.mark.release
@pytest.mark.usefixtures("cluster")
def test_two_tasks_go_on_exactly_after_a_requeue(films: Path) -> None:
    length = 12
    long = {"devices": 2, "epochs": length, "patience": length}
    whole, moved = (Run.create(config(films, name, **long)) for name in ("whole", "moved"))
    whole.start()
    wait_for(lambda: whole.status().state == "finished")
    moved.submit(["--overcommit"])
    wait_for(lambda: len(moved.read_metrics()) >= 2)
    ask("scancel", "--batch", "--signal=USR1", job_of(moved))  # as SLURM does before the time limit
    wait_for(lambda: "BeginTime" in moved.status().message)
    assert 2 <= len(moved.read_metrics()) < length
    wait_for(lambda: moved.status().state == "finished")
    assert "Restarts=1" in ask("scontrol", "show", "job", job_of(moved))
    log = moved.log_tail(1000)
    assert log.count("Going on after epoch") == 1 and log.count("epoch 12/12") == 1
    assert "Traceback" not in log and "Warning" not in log
    assert_same_end(whole, moved)


@pytest.mark.release
@pytest.mark.slow
@pytest.mark.alone
@pytest.mark.usefixtures("cluster")
def test_other_tasks_than_the_run_asks_for_are_refused(films: Path) -> None:
    run = Run.create(config(films, "odd", devices=4))
    run.submit(["--overcommit", "--ntasks-per-node=2"])
    wait_for(lambda: run.status().state == "failed")
    said = run.status().message
    for words in ("2 processes on 1 machine", "4 on each of 1", "--nodes=1 --ntasks-per-node=4"):
        assert words in said
    wait_for(lambda: slurm.job_state(job_of(run))[0] == "FAILED", 30)
    assert "Traceback" not in run.log_tail(1000)


@pytest.mark.slow
@pytest.mark.alone
@pytest.mark.usefixtures("cluster")
def test_a_job_that_is_cancelled_or_refused_is_told(films: Path) -> None:
    run = Run.create(config(films, "cancelled", epochs=5000, patience=5000))
    with pytest.raises(RunError, match="SLURM did not take the run: .*Invalid partition"):
        run.submit(["--partition=nowhere"])
    assert run.status().state == "failed"
    run.submit()
    wait_for(lambda: run.status().state == "running")
    ask("scancel", job_of(run))
    wait_for(lambda: run.status().state == "killed")
    sentence = f"SLURM job {job_of(run)} ended (CANCELLED); resume goes on after the last finished epoch"
    assert run.status().message == sentence


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], None]:
    """Puts a command of that name on the path, a shell script."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")

    def put(name: str, script: str) -> None:
        (folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (folder / name).chmod(0o755)

    return put


@pytest.fixture
def run(own_home: Path) -> Run:
    return Run.create(make_config({"data": "films", "name": "one"}))


def test_what_is_submitted(run: Run, fake, tmp_path: Path, own_home: Path) -> None:
    fake("sbatch", f'printf "%s\\n" "$@" >{tmp_path}/words; cat >{tmp_path}/script; echo "12;cluster"')
    run.path("stop").touch()
    run.submit(["--gres=gpu:1", "--time=8:00:00"])
    assert (tmp_path / "words").read_text().splitlines() == [
        "--parsable",
        "--job-name=xlite-one",
        f"--chdir={own_home}",
        f"--output={run.folder}/log.txt",
        "--open-mode=append",
        "--requeue",
        "--signal=B:USR1@120",
        "--gres=gpu:1",
        "--time=8:00:00",
    ]
    script = (tmp_path / "script").read_text()
    assert f"{sys.executable} -m xlite train --resume one &" in script
    assert f"export XLITE_HOME={own_home} " in script
    assert slurm.read_submission(run.folder) == slurm.Submission("12", ("--gres=gpu:1", "--time=8:00:00"))
    assert not run.stop_requested()


def test_what_is_submitted_for_several_processes(own_home: Path, fake, tmp_path: Path) -> None:
    fake("sbatch", f'printf "%s\\n" "$@" >{tmp_path}/words; cat >{tmp_path}/script; echo 12')
    values = {"data": "films", "name": "wide", "devices": 4, "nodes": 2, "batch_size": 64}
    Run.create(make_config(values)).submit(["--nodes=1"])
    assert (tmp_path / "words").read_text().splitlines()[-3:] == [
        "--nodes=2",
        "--ntasks-per-node=4",
        "--nodes=1",
    ]
    fake("srun", f'printf "%s\\n" "$@" >{tmp_path}/srun')
    script = ["sh", str(tmp_path / "script")]
    command = ["--kill-on-bad-exit=1", sys.executable, "-m", "xlite", "train", "--resume", "wide"]
    subprocess.run(script, check=True, env=os.environ)
    assert (tmp_path / "srun").read_text().splitlines() == command
    subprocess.run(script, check=True, env={**os.environ, "SLURM_CPUS_PER_TASK": "3"})
    assert (tmp_path / "srun").read_text().splitlines() == [command[0], "--cpus-per-task=3", *command[1:]]


@pytest.mark.parametrize(
    ("squeue", "state", "message"),
    [
        ("echo 'PENDING|Resources'", "queued", "waits in SLURM's queue as job 12 (Resources)"),
        ("echo 'PENDING|BeginTime'", "queued", "waits in SLURM's queue as job 12 (BeginTime)"),
        ("echo 'CONFIGURING|None'", "queued", "SLURM starts job 12 (CONFIGURING)"),
        ("echo 'RUNNING|None'", "queued", "SLURM starts job 12 (RUNNING)"),
        ("echo 'TIMEOUT|TimeLimit'", "killed", "SLURM job 12 ended (TIMEOUT); resume goes on after"),
        ("echo 'NODE_FAIL|None'", "killed", "SLURM job 12 ended (NODE_FAIL); resume goes on after"),
        (
            "echo 'slurm_load_jobs error: Invalid job id specified' >&2; exit 1",
            "killed",
            "SLURM job 12 ended (GONE); resume goes on after",
        ),
        ("", "killed", "SLURM job 12 ended (GONE); resume goes on after"),
        (
            "echo 'slurm_load_jobs error: Unable to contact slurm controller' >&2; exit 1",
            "queued",
            "job 12: SLURM does not answer",
        ),
    ],
)
def test_what_slurm_says_of_a_job_without_a_trainer(
    run: Run, fake, monkeypatch: pytest.MonkeyPatch, squeue: str, state: str, message: str
) -> None:
    fake("sbatch", "echo 12")
    fake("squeue", squeue)
    run.submit()
    status = run.status()
    assert (status.state, status.message.startswith(message)) == (state, True), status.message
    if state == "queued":
        with pytest.raises(RunError, match="is not at rest"):
            run.delete()
    # While a trainer holds the run, SLURM is not asked: the lock is the word that counts.
    fake("squeue", "exit 1")
    monkeypatch.setenv("SLURM_JOB_ID", "12")
    with run.hold():
        run.write_progress(RunStatus(state="running", message="training"))
        assert run.status().message == "training"


def test_a_refused_submission_leaves_the_run_as_it_was(run: Run, fake) -> None:
    fake("squeue", "echo 'COMPLETED|None'")
    fake("sbatch", "echo 12")
    run.submit(["--partition=gpu"])
    run.write_progress(RunStatus(state="stopped", epoch=3))
    fake("sbatch", "echo first; echo 'sbatch: error: Batch job submission failed: no way' >&2; exit 1")
    with pytest.raises(RunError, match="SLURM did not take the run: sbatch: error: .*: no way"):
        run.resume()
    assert (run.status().state, run.status().epoch) == ("stopped", 3)
    assert slurm.read_submission(run.folder) == slurm.Submission("12", ("--partition=gpu",))
    with pytest.raises(RunError, match="'script.sh' is not an option of sbatch"):
        run.submit(["script.sh"])


def test_a_new_run_that_slurm_refuses_gives_up_its_name(run: Run, fake) -> None:
    fake("sbatch", "echo 'sbatch: error: invalid partition specified: nowhere' >&2; exit 1")
    with pytest.raises(RunError, match="invalid partition"):
        run.submit(["--partition=nowhere"])
    status = run.status()
    assert status.state == "failed" and "invalid partition" in status.message
    again = Run.create(run.config())
    assert again.folder == run.folder and again.status().state == "new"


def test_a_stop_holds_for_the_job_that_starts_at_that_moment(
    run: Run, fake, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SLURM has started the job, and its trainer is not there yet."""
    fake("sbatch", "echo 12")
    fake("squeue", "echo 'RUNNING|None'")
    fake("scancel", "exit 0")
    run.submit()
    run.stop()
    assert run.status().state == "queued"
    monkeypatch.setenv("SLURM_JOB_ID", "12")
    with run.hold():
        assert run.stop_requested()


def test_a_run_that_goes_on_here_forgets_slurm(run: Run, fake) -> None:
    fake("sbatch", "echo 12")
    fake("squeue", "echo 'CANCELLED|None'")
    run.submit()
    with run.hold():
        pass
    assert slurm.read_submission(run.folder) is None


def test_without_slurm_a_sentence_says_so(
    run: Run, xlite, fake, tiny_folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    fake("sbatch", "echo 12")
    run.submit()
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    status = run.status()
    assert status.state == "queued" and "job 12" in status.message and "no squeue" in status.message
    words = ["jobs", "start", "--data", tiny_folder, "--name", "two"]
    status, _, error = xlite(*words, "--launcher", "slurm")
    assert status == 2 and "no sbatch" in error and "--launcher local" in error and error.count("\n") == 1
    status, _, error = xlite(*words, "--sbatch-option=--time=5")
    assert status == 2 and "--sbatch-option" in error and "--launcher slurm" in error
    assert error.count("\n") == 1
    assert [one.name for one in Run.list()] == ["one"]


@pytest.mark.parametrize(("epochs", "told"), [(2, "requeue 12\n"), (0, "The time limit is too short")])
def test_before_the_time_limit_a_job_goes_back_if_it_got_on(
    run: Run, fake, tmp_path: Path, epochs: int, told: str
) -> None:
    fake("sbatch", f"cat >{tmp_path}/script; echo 12")
    fake("scontrol", 'echo "$@"')
    run.submit()
    trainer = f"touch {tmp_path}/up; while [ ! -e {tmp_path}/end ]; do sleep 0.02; done; exit 7"
    script = (tmp_path / "script").read_text()
    script = script.replace(f"{sys.executable} -m xlite train --resume one &", f"({trainer}) &")
    environment = {**os.environ, "SLURM_JOB_ID": "12"}
    pipes = {"stdout": subprocess.PIPE, "text": True, "env": environment}
    job = subprocess.Popen(["sh", "-c", script], **pipes)
    wait_for((tmp_path / "up").exists)
    run.path("metrics.csv").write_text("epoch\n" + "1\n" * epochs if epochs else "")
    job.send_signal(signal.SIGUSR1)
    answer = job.stdout.readline()
    ended = job.poll()
    (tmp_path / "end").touch()
    status = job.wait(20)
    job.stdout.close()
    # The trainer goes on until SLURM ends it, and its exit status is the job's.
    assert (answer.startswith(told), ended, status) == (True, None, 7), answer
