"""`xlite ensemble`: several exports as one file, calibrated if validation films are given."""

from collections.abc import Sequence
from pathlib import Path

from xlite.data.folder import NihFolder
from xlite.engines.merge import merged_graph
from xlite.engines.onnx_engine import OnnxEngine
from xlite.engines.stamp import answering
from xlite.errors import CheckpointError
from xlite.export.refit import answers, refitted, split_of
from xlite.models.available import EXPORT_SUFFIX
from xlite.models.info import ModelInfo
from xlite.models.onnx_file import read_onnx


def export_ensemble(members: Sequence[Path], out: Path, data: Path | None) -> ModelInfo:
    """Writes the exports `members` as one file to `out`; returns what it says of itself.

    With a data folder calibration and thresholds are fitted to its logits on the validation films of the
    members' split; without one it has none, as those of the members do not hold for the mean of their logits.
    Raises CheckpointError for members that do not fit, DataError if the folder lacks the split.
    """
    for member in members:
        if member.suffix != EXPORT_SUFFIX:
            raise CheckpointError(
                f"{member} is not an export: make one by `xlite export {member} --out FILE.onnx`"
            )
    files = [read_onnx(member) for member in members]
    for file, member in zip(files, members, strict=True):
        OnnxEngine.of(file, member)  # its golden answer
    proto, info, facts = merged_graph(files)
    if data is not None:
        folder = NihFolder.open(data)
        engine = OnnxEngine.draft(proto.SerializeToString(), info, facts)
        info = refitted(proto, info, answers(engine, folder, split_of(info, folder), "val"))
    answering(proto, info, facts).write(out)
    return info
