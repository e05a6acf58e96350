"""`xlite export --int8`: 8-bit layers, thresholds fitted anew, and the file written only if worth it."""

import logging
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
from onnx import ModelProto

from xlite.data.dataset import open_films
from xlite.data.folder import NihFolder
from xlite.data.splits import Split
from xlite.engines.onnx_engine import OnnxEngine
from xlite.engines.stamp import answering
from xlite.errors import CheckpointError, DataError
from xlite.export.films import parity_films
from xlite.export.half import halve
from xlite.export.loss import Loss, loss
from xlite.export.quantise import quantise, shift_logits
from xlite.export.refit import answers, films_there, refitted, split_of
from xlite.export.timing import TURNS, in_turns, processor
from xlite.export.write import exported, units_of
from xlite.files import Progress, Steps
from xlite.images import Preprocess
from xlite.models.info import ModelInfo
from xlite.models.onnx_file import ExportFacts, OnnxFile, look_through
from xlite.models.onnx_graph import parsed

log = logging.getLogger(__name__)

CALIBRATION_FILMS, FEWEST = 300, 20
LAYERS_IN_FLOAT = (1, 8)
"""How many of the first convolutions stay in float, as few as do. With 8 the logits of both models of the
first round had half of the noise that they had with one (2026-11-28); those of the second do with one."""


@dataclass(frozen=True, eq=False)
class Quantised:
    """What an int8 export is worth: sizes in MB and ms of a film on one thread, float32 first, then int8.

    layers: the first convolutions, left in float. calibrated_on: training films; fitted_on: validation films
    of thresholds and calibration.
    """

    megabytes: tuple[float, float]
    ms: tuple[float, float]
    processor: str
    layers: int
    calibrated_on: int
    fitted_on: int
    loss: Loss

    def objections(self) -> list[str]:
        """Why it is not written; nothing if it is."""
        before, after = self.ms
        slow = f"it is not faster here: {after:.1f} ms a film, {before:.1f} in float32 ({self.processor})"
        return [*self.loss.objections(), *([] if after < before else [slow])]


def export_int8(source: Path, out: Path, data: Path, progress: Progress | None = None) -> Quantised:
    """Writes the model file `source` as ONNX with 8-bit layers to `out`; `data` has the films of its split.

    Raises CheckpointError, and writes nothing, for whatever `Quantised.objections` has; DataError if the
    folder lacks the split or its films.
    """
    folder, compared = NihFolder.open(data), parity_films(data)
    steps = Steps(progress, units_of(compared) + CALIBRATION_FILMS)
    file, _ = exported(source, out, compared, steps)
    split = split_of(file.info, folder)
    judged = sum(films_there(folder, split, part) for part in ("val", "test"))
    steps.total += 2 * judged + 2 * TURNS
    films = calibration_films(folder, split, file.info.preprocess)
    log.info("%d training films say which values the layers take", len(films))
    whole = OnnxEngine.of(file, out)
    before = np.concatenate([answers(whole, folder, split, one, steps).logits for one in ("val", "test")])
    for layers in LAYERS_IN_FLOAT:
        found, quantised = _try(file, whole, before, out, films, layers, folder, split, steps)
        if not found.loss.objections():
            break
        steps.total += len(films) + judged + 2 * TURNS
    if objections := found.objections():
        raise CheckpointError(
            f"{source} is not worth having as int8: {'; '.join(objections)}; keep the float32 export"
        )
    quantised.write(out)
    return found


def _try(
    file: OnnxFile,
    whole: OnnxEngine,
    before: np.ndarray,
    out: Path,
    films: np.ndarray,
    layers: int,
    folder: NihFolder,
    split: Split,
    steps: Steps,
) -> tuple[Quantised, OnnxFile]:
    """The file with all but the first `layers` layers in 8 bits, and what it is worth.

    whole: its engine in float; before: what that says of the films of val and test, logits (N, 14).
    """
    info, facts = file.info, file.facts.model_copy(update={"precision": "int8"})
    proto = quantise(parsed(file.content), films, info.preprocess, layers, steps)
    halve(proto)  # what stayed in float
    _keep_mean_logits(proto, info, facts, whole, films)
    engine = OnnxEngine.draft(proto.SerializeToString(), info, facts)
    val, test = (answers(engine, folder, split, one, steps) for one in ("val", "test"))
    quantised = answering(proto, refitted(proto, info, val, before[: len(val.logits)]), facts)
    OnnxEngine.of(look_through(quantised.content, out), out)
    judged = val.beside(test)
    with TemporaryDirectory() as temporary:
        drafts = {name: Path(temporary) / f"{name}.onnx" for name in ("float32", "int8")}
        file.write(drafts["float32"])
        quantised.write(drafts["int8"])
        slow, fast = in_turns(drafts, steps=steps)
    found = Quantised(
        (len(file.content) / 1e6, len(quantised.content) / 1e6),
        (slow, fast),
        processor(),
        layers,
        len(films),
        len(val.logits),
        loss(info, judged.labels, judged.patients, before, judged.logits),
    )
    return found, quantised


def _keep_mean_logits(
    proto: ModelProto, info: ModelInfo, facts: ExportFacts, whole: OnnxEngine, films: np.ndarray
) -> None:
    """Takes from the logits what quantising added to their mean over the films, in place.

    As bias correction does layer by layer (Nagel et al. 2019, section 4.2), here once, at the end.
    """
    inputs = [info.preprocess.normalize(film)[None] for film in films]
    draft = OnnxEngine.draft(proto.SerializeToString(), info, facts)
    mean, wanted = (np.concatenate([one.logits(x) for x in inputs]).mean(axis=0) for one in (draft, whole))
    shift_logits(proto, wanted - mean)


def calibration_films(
    folder: NihFolder, split: Split, preprocess: Preprocess, count: int = CALIBRATION_FILMS
) -> np.ndarray:
    """Up to `count` training films uint8 (N, S, S), of as many patients and as evenly of each view as can be.

    Raises DataError for fewer than FEWEST.
    """
    films, _, stems = open_films(folder, split, "train", preprocess, skip_missing=True)
    if len(stems) < FEWEST:
        raise DataError(f"{folder.root} has {len(stems)} training films of {split.id}; int8 needs {FEWEST}")
    rows = spread_over(folder.table.iloc[folder.rows(stems)], count)
    return np.asarray(films[rows.tolist()])


def spread_over(table: pd.DataFrame, count: int) -> np.ndarray:
    """Rows (N,) of a table's films: first one of each patient, the views by turns; the same each time."""
    order = np.random.default_rng(0).permutation(len(table))
    mixed = table[["patient", "view"]].iloc[order].assign(row=order)
    mixed["turn"] = mixed.groupby("patient").cumcount()
    mixed = mixed.sort_values("turn", kind="stable")
    mixed["place"] = mixed.groupby(["turn", "view"]).cumcount()
    return np.sort(mixed.sort_values(["turn", "place"], kind="stable")["row"].to_numpy()[:count])
