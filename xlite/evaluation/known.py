"""What a model, or its teacher, may already know of the films it is judged on."""

import re
from pathlib import Path
from typing import TYPE_CHECKING

from xlite.data.folder import NihFolder
from xlite.data.leakage import of_known_patients
from xlite.data.splits import Split, shrink_train
from xlite.evaluation import contamination
from xlite.evaluation.doubts import TEACHER, Doubt, known_stems
from xlite.findings import FINDINGS
from xlite.metrics.calibration import without_map
from xlite.text import are, counted

if TYPE_CHECKING:
    from xlite.models.checkpoint import ModelInfo

_SEEN_BY_TEACHER = re.compile(r"trained on (\d+) of the \d+ test films|on patients of (\d+) of them")


def own_split(info: "ModelInfo", folder: NihFolder) -> Split | None:
    """The split that the model was trained on, where this folder has it; of train only the share it saw."""
    own = contamination.find_split(folder, info.split_id)
    return own and shrink_train(folder, own, info.notes.get("train_share", 1.0))


def _train_stems(info: "ModelInfo", folder: NihFolder, split: Split) -> list[str]:
    """The films of its own split that the model was trained on: the share of train that it saw."""
    return shrink_train(folder, split, info.notes.get("train_share", 1.0)).stems("train")


def split_doubts(
    info: "ModelInfo", folder: NihFolder, split: Split, part: str, stems: list[str]
) -> list[Doubt]:
    """What the model may already know of the films it is judged on."""
    if split.id != info.split_id:
        text, known = _seen(info, folder, stems)
        named = split.id if split.name == "all" else f"split {split.id}"
        return [Doubt.on(f"{named} is not the model's own, {info.split_id}: {text}", known)]
    if part == "train":
        learned = {*stems} & {*_train_stems(info, folder, split)}
        some = "" if len(learned) == len(stems) else f"{len(learned):,} of "
        return [Doubt.on(f"the model was trained on {some}these films", learned)]
    if part == "val":
        return [Doubt.on("the model was chosen and calibrated on these films", stems)]
    affected = of_known_patients(split.stems("train") + split.stems("val"), stems, folder.table)
    if not affected:
        return []
    text = (
        f"the split shares patients: {len(affected):,} of {counted(len(stems), 'film')} "
        f"({len(affected) / len(stems):.1%}) {are(len(affected))} of patients the model was trained on"
    )
    return [Doubt.on(text, affected)]


def _seen(info: "ModelInfo", folder: NihFolder, stems: list[str]) -> tuple[str, list[str]]:
    """Which films are of patients the model was trained on, or chosen by, where this folder has its split."""
    own = own_split(info, folder)
    if own is None:
        return (
            "this folder does not have that split, so whether it was trained on these patients is not known",
            [],
        )
    learned = own.stems("train") + own.stems("val")
    known = of_known_patients(learned, stems, folder.table)
    inside = len({*learned} & {*stems})
    return (
        f"{inside:,} of these {counted(len(stems), 'film')} {'was' if inside == 1 else 'were'} in its "
        f"training or validation part, {len(known):,} {are(len(known))} of patients who were",
        known,
    )


def training_doubts(info: "ModelInfo", folder: NihFolder) -> list[Doubt]:
    """What the model's training does to its figures."""
    notes, said = info.notes, []
    if info.label_version != folder.label_version:
        said.append(
            Doubt(
                f"the model learned the {info.label_version} labels, these are the "
                f"{folder.label_version} ones"
            )
        )
    distorting = [notes["loss"]] if notes.get("loss", "bce") != "bce" else []
    distorting += ["balanced sampler"] if notes.get("sampler") == "balanced" else []
    bare = without_map(info.calibration)
    if distorting and bare:
        whose = "" if len(bare) == len(FINDINGS) else f" of {', '.join(bare)}"
        how = " and ".join(distorting)
        said.append(Doubt(f"scores{whose} are not probabilities: trained with {how}, not calibrated"))
    return said


def teacher_doubts(
    info: "ModelInfo", folder: NihFolder, split: Split, part: str, stems: list[str], given: Path | None
) -> list[Doubt]:
    """What the model's teachers know of the films that it is judged on, as one doubt; `given` lists what
    they were trained on: the list noted by that name, else it stands for all that is not here.
    """
    sources = info.notes.get("teacher_knows", [])
    if given is not None and all(one.get("list") != given.name for one in sources):
        unknown = {"list", "predictions"}
        kept = [one for one in sources if not unknown & one.keys() or contamination.is_here(one, folder)]
        sources = [*kept, {"list": given.name}]
    said = contamination.doubts(sources, folder, stems, split.id, part, given)
    if given is None and info.notes.get("contamination"):
        said.append(_sentence_alone(info, split, part))
    if not said:
        return []
    text = TEACHER + "; ".join(doubt.text for doubt in said)
    which = known_stems(said)
    if which is None:
        return [Doubt(text, max(doubt.known for doubt in said))]
    return [Doubt.on(text, which)]


def _sentence_alone(info: "ModelInfo", split: Split, part: str) -> Doubt:
    """The doubt of a model file that has a sentence and no sources: it was counted on its own test part."""
    text = info.notes["contamination"]
    if (split.id, part) != (info.split_id, "test"):
        return Doubt(f"{text} (counted on the test part of {info.split_id})")
    counts = [int(count) for pair in _SEEN_BY_TEACHER.findall(text) for count in pair if count]
    return Doubt(text, max(counts, default=0))
