"""What a run says of itself, as people read it."""

from xlite.runs.status import RunStatus, clock, facts, with_state


def test_facts_of_a_status() -> None:
    live = RunStatus(
        state="running", epoch=3, epochs=8, loss=0.43214, best_auc=0.64, best_epoch=2, elapsed_s=75,
        eta_s=7290, films_a_second=123.4, device="cuda:1", memory_gb=3.24, memory_total_gb=16, load=0.93,
    )  # fmt: skip
    assert facts(live) == {
        "Epoch": "3 of 8",
        "Loss": "0.4321",
        "Validation AUC": "0.640 (epoch 2)",
        "Elapsed": "1 min 15 s",
        "Time left": "2 h 01 min",
        "Device": "cuda:1",
        "Films a second": "123",
        "Memory": "3.2 of 16.0 GB",
        "Load": "93%",
    }
    assert set(facts(RunStatus()).values()) == {"–", "0 s"}
    assert clock(59.6) == "1 min 00 s"
    assert facts(RunStatus(device="cpu"))["Device"] == "CPU" and facts(RunStatus())["Device"] == "–"


def test_a_message_that_begins_with_the_state_says_it_alone():
    assert (
        with_state(RunStatus(state="finished", message="finished after 5 epochs"))
        == "finished after 5 epochs"
    )
    assert with_state(RunStatus(state="failed", message="the disk was full")) == "failed: the disk was full"
    assert with_state(RunStatus()) == "new"


def test_how_far_a_run_is_within_its_epoch() -> None:
    status = RunStatus(state="running", epoch=2, epochs=8, step=3, steps=12)
    assert (status.share, status.step_text, status.epoch_text) == (0.25, "step 3 of 12", "2 of 8")
    assert RunStatus(step=13, steps=12).share == 1.0
    waits, begins = RunStatus(state="queued"), RunStatus(state="running")
    assert (waits.share, waits.step_text, begins.step_text, waits.epoch_text) == (
        0,
        "waiting",
        "starting",
        "–",
    )
