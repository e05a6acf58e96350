"""How long the Runs page takes with hundreds of runs, and where the time goes.

    PYTHONPATH=app python benchmarks/runs_page.py --runs 500 --rows 5000

Goal: a rerun of the page under 1 s. The home is generated: runs with settings, status, epochs, notes, the
report of the shipped model, and a log of experiments.
"""

import argparse
import json
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from streamlit.testing.v1 import AppTest

from xlite.config import make_config
from xlite.files import write_atomic
from xlite.places import bundled, checkpoints_dir, results_csv
from xlite.runs.annotation import annotate
from xlite.runs.listing import Listing
from xlite.runs.notes import Notes
from xlite.runs.results import Experiment, to_csv
from xlite.runs.run import Run
from xlite.runs.run_files import write_settings
from xlite.runs.status import RunStatus
from xlite.runs.table import Wanted, table_rows

BACKBONES = ("efficientnet_b0", "resnet18", "mobilenetv3_small_100")


def make_home(runs: int, rows: int) -> None:
    """Writes so many finished runs and so many rows of results.csv into the home."""
    report = bundled("checkpoints", "demo", "evaluation", "test", "metrics.json").read_bytes()
    epochs = "epoch,train_loss,val_loss,val_auc\n" + "".join(
        f"{epoch},{0.5 / epoch:.4f},{0.6 / epoch:.4f},{0.8 - 0.2 / epoch:.4f}\n" for epoch in range(1, 51)
    )
    for number in range(runs):
        run = Run(checkpoints_dir() / f"run{number:04d}")
        run.path("evaluation/test").mkdir(parents=True)
        settings = {"data": "films", "name": run.name, "seed": number % 5, "lr": 1e-4 * (1 + number // 5)}
        config = make_config({**settings, "backbone": BACKBONES[number % 3]})
        write_settings(run.path("config.json"), config, {})
        run.path("metrics.csv").write_text(epochs)
        run.path("evaluation/test/metrics.json").write_bytes(report)
        status = RunStatus(state="finished", epoch=50, epochs=50, best_auc=0.79, best_epoch=48)
        run.path("progress.json").write_text(status.model_dump_json())
        row = {"experiment_id": run.name, "inference_time_ms": 10 + number % 7}
        run.path("results_row.json").write_text(json.dumps(row))
        run.path("model.safetensors").write_bytes(bytes(1000))
        annotate(run.folder, [f"tag{number % 4}"], "a note")
    notes = str(Notes("unseen-42-2f11840a", "2020", 42))
    log = [
        Experiment(
            f"run{number:04d}", "2026-03-01", "student", BACKBONES[number % 3], val_auc=0.7, notes=notes
        )
        for number in range(rows)
    ]
    results_csv().parent.mkdir(parents=True)
    results_csv().write_bytes(to_csv(log))


def show(title: str, act: Callable[[], object], rounds: int) -> None:
    """Prints how long something takes and for how long it computes, medians of some rounds, in ms.

    The second is what it would take on a machine that does nothing else.
    """
    times = []
    for _ in range(rounds):
        start, busy = time.perf_counter(), time.process_time()
        act()
        times.append((time.perf_counter() - start, time.process_time() - busy))
    taken, computed = 1000 * np.median(times, axis=0)
    print(f"{title:46} {taken:8.1f} ms, of these {computed:8.1f} ms computing")


def parts(rounds: int) -> None:
    """What the page calls, one after the other."""
    listing = Listing(checkpoints_dir())
    show("first look at all runs, as xlite jobs list", lambda: Listing(checkpoints_dir()).runs(), rounds)
    listing.runs()
    show("a later look, nothing changed", listing.runs, rounds)
    changed = Run(checkpoints_dir() / "run0000").path("progress.json")

    def look_after_a_change() -> None:
        write_atomic(changed, changed.read_bytes())
        listing.runs()

    show("a later look, one run changed", look_after_a_change, rounds)
    runs = listing.runs()[0]
    show("rows of the table", lambda: table_rows(runs), rounds)
    show("a search through all runs", lambda: Wanted("resnet18 seed=3 tag2").of(runs), rounds)
    show("results.csv, first time", lambda: Listing(checkpoints_dir()).experiments(), 1)
    listing.experiments()
    show("results.csv, nothing changed", listing.experiments, rounds)


def pages(rounds: int) -> None:
    """The script of the page as Streamlit runs it, without a browser."""
    test = AppTest.from_file(bundled("pages", "runs.py"), default_timeout=120)
    show("page, first run of the server", test.run, 1)
    assert not test.exception, test.exception[0].message
    show("page, rerun", test.run, rounds)
    test.text_input(key="search").set_value("seed=3")
    show("page, with a search", test.run, rounds)
    test.text_input(key="search").set_value("")
    test.selectbox(key="group").select("all but the seed")
    show("page, grouped by all but the seed", test.run, rounds)
    test.multiselect(key="compare").set_value([f"run{number:04d}" for number in range(10)])
    show("page, ten runs laid over each other", test.run, rounds)


def main() -> None:
    """Makes the home, prints each time."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=500)
    parser.add_argument("--rows", type=int, default=5000)
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        os.environ["XLITE_HOME"] = str(Path(home))
        make_home(options.runs, options.rows)
        parts(options.rounds)
        pages(options.rounds)


if __name__ == "__main__":
    main()
