"""`xlite ensemble`: several exports as one file, calibrated if validation films are given."""

from collections.abc import Sequence
from pathlib import Path

from xlite.data.folder import NihFolder
from xlite.engines.merge import merged_graph
from xlite.engines.onnx_engine import OnnxEngine
from xlite.engines.opening import export_of
from xlite.engines.stamp import answering
from xlite.errors import CheckpointError
from xlite.export.refit import answers, films_there, refitted, split_of
from xlite.files import Progress, Steps
from xlite.models.available import EXPORT_FILE, EXPORT_SUFFIX, find_model
from xlite.models.info import ModelInfo
from xlite.models.onnx_file import read_onnx


def export_ensemble(
    members: Sequence[str | Path], out: Path, data: Path | None, progress: Progress | None = None
) -> ModelInfo:
    """Writes several models as one file to `out`; returns what it says of itself.

    Each member is an export, or a model with its export beside it, by a path or a run's name.

    With a data folder calibration and thresholds are fitted to its logits on the validation films of the
    members' split; without one it has none, as those of the members do not hold for the mean of their logits.
    Raises CheckpointError for members that do not fit, DataError if the folder lacks the split.
    """
    names = [str(member) for member in members]
    paths = [_export(name) for name in names]
    files = [read_onnx(path) for path in paths]
    for file, path in zip(files, paths, strict=True):
        OnnxEngine.of(file, path)  # its golden answer
    proto, info, facts = merged_graph(names, files)
    if data is not None:
        folder = NihFolder.open(data)
        engine = OnnxEngine.draft(proto.SerializeToString(), info, facts)
        split = split_of(info, folder)
        val = answers(engine, folder, split, "val", Steps(progress, films_there(folder, split, "val")))
        info = refitted(proto, info, val)
    answering(proto, info, facts).write(out)
    return info


def _export(member: str) -> Path:
    """The export that a member names or has beside it. Raises CheckpointError if there is none."""
    path = find_model(member)
    if path.suffix == EXPORT_SUFFIX:
        return path
    if export_of(path) is None:
        raise CheckpointError(f"{member} has no export beside it: make one by `xlite export {member}`")
    return path.with_name(EXPORT_FILE)
