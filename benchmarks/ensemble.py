"""Mean AUC, calibration error and cost of ensembles of 1, 3 and 5 exports, paired with the first alone.

    python benchmarks/ensemble.py --data DATA 1.onnx 2.onnx 3.onnx 4.onnx 5.onnx
    python benchmarks/ensemble.py --data DATA --flip 1.onnx  # each film and its mirror image, too

Calibrators are fitted to each ensemble's logits on the validation films of the members' split; all numbers
are of its test films. A mirror image is a pass more, so that its time is twice that of the row without.
"""

import argparse
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import numpy as np

from xlite.data.folder import NihFolder
from xlite.engines.engine import Engine
from xlite.engines.flipped import Flipped
from xlite.engines.onnx_engine import OnnxEngine
from xlite.evaluation.films import FilmLogits
from xlite.export.ensemble import export_ensemble
from xlite.export.refit import answers, split_of
from xlite.export.timing import in_turns, processor
from xlite.metrics.bootstrap import Resamples
from xlite.metrics.calibration import apply_calibrator, fit_calibrator
from xlite.metrics.paired import compared_findings, macro_auc, paired_difference
from xlite.metrics.per_finding import ece_per_class

COUNTS = 1, 3, 5


class _Arm(NamedTuple):
    """What a row is of: its members, the engine, the MB of its file, and the ms that a film takes."""

    what: str
    engine: Engine
    megabytes: float
    ms: float


def main() -> None:
    """Prints a row for each number of members that there are files for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("members", nargs="+", type=Path, help="exports of models trained on one split")
    parser.add_argument("--data", required=True, type=Path, help="the folder of that split")
    parser.add_argument("--flip", action="store_true", help="the same with each film's mirror image, too")
    options = parser.parse_args()
    counts = [count for count in COUNTS if count <= len(options.members)]
    folder = NihFolder.open(options.data)
    with TemporaryDirectory() as made:
        files = [_file(options.members[:count], Path(made) / f"{count}.onnx") for count in counts]
        engines = [OnnxEngine.load(file, threads=1) for file in files]
        times = in_turns({f"{count}-member": file for count, file in zip(counts, files, strict=True)})
    arms = [
        _Arm(str(count), engine, engine.size().megabytes, time)
        for count, engine, time in zip(counts, engines, times, strict=True)
    ]
    if options.flip:
        arms += [
            _Arm(f"{one.what}, --tta flip", Flipped(one.engine), one.megabytes, 2 * one.ms) for one in arms
        ]
    found = [_answers(arm.engine, folder) for arm in arms]
    test = found[0][1]
    resamples = Resamples(test.patients)
    chosen = compared_findings(test.labels, resamples).findings
    aucs = [macro_auc(test.labels[:, chosen], one.logits[:, chosen], resamples) for _, one in found]
    print("| members | mean AUC | less one member | p | ECE | MB | ms a film |")
    print("|---|---|---|---|---|---|---|")
    for arm, own, (val, judged) in zip(arms, aucs, found, strict=True):
        paired = paired_difference(own, aucs[0])
        print(
            f"| {arm.what} | {own[0]:.3f} | {paired.difference} | {paired.p:.3f} | {_ece(val, judged):.3f} "
            f"| {arm.megabytes:.1f} | {arm.ms:.1f} |"
        )
    print(f"\n{len(test.labels)} test films, {chosen.sum()} findings; one thread of {processor()}.")


def _file(members: list[Path], out: Path) -> Path:
    """The ensemble of the members; a single one is its own file."""
    if len(members) == 1:
        return members[0]
    export_ensemble(members, out, None)
    return out


def _answers(engine: Engine, folder: NihFolder) -> tuple[FilmLogits, FilmLogits]:
    split = split_of(engine.info, folder)
    return answers(engine, folder, split, "val"), answers(engine, folder, split, "test")


def _ece(val: FilmLogits, test: FilmLogits) -> float:
    calibrator = fit_calibrator(val.logits, val.labels, val.patients, "platt")
    return float(np.nanmean(ece_per_class(test.labels, apply_calibrator(test.logits, calibrator))))


if __name__ == "__main__":
    main()
