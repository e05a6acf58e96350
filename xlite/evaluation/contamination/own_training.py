"""What a model's own training says against its metrics: films that it knows, labels, distorted scores."""

from typing import TYPE_CHECKING

from xlite.data.folder import NihFolder
from xlite.data.joined_splits import ids_in
from xlite.data.published_splits import published_split
from xlite.data.splits import Split
from xlite.data.train_part import as_trained
from xlite.evaluation.contamination.caveats import (
    Caveat,
    ChosenOn,
    NotProbabilities,
    OtherEdition,
    OtherSplit,
    SharedPatients,
    TrainedOn,
)
from xlite.evaluation.contamination.sources import find_split
from xlite.evaluation.part_judged import PartJudged
from xlite.metrics.calibration import uncalibrated
from xlite.split_names import ALL_FILMS
from xlite.text import UNKNOWN_EDITION

if TYPE_CHECKING:
    from xlite.models.info import ModelInfo


def own_split(info: "ModelInfo", folder: NihFolder) -> Split | None:
    """The split that the model was trained on, of train what it saw; None if the folder lacks it."""
    own = find_split(folder, info.split_id)
    return own and _as_trained(info, folder, own)


def is_whole(own: Split, info: "ModelInfo") -> bool:
    """Whether a split is all of the model's own: of one that learned from several folders each has a part."""
    return ids_in(own.id) == ids_in(info.split_id)


def _as_trained(info: "ModelInfo", folder: NihFolder, own: Split) -> Split:
    return as_trained(folder, own, info.notes.train_share, info.notes.fold)[0]


def split_caveats(info: "ModelInfo", judged: PartJudged) -> list[Caveat]:
    """What the model may already know of the films that it is judged on."""
    folder, split, part, stems = judged.folder, judged.split, judged.part, judged.stems
    if not ids_in(split.id) <= ids_in(info.split_id):
        return [_other_split(info, judged)]
    if part == "train":
        learned = frozenset(stems) & frozenset(_as_trained(info, folder, split).stems("train"))
        return [TrainedOn(films=len(stems), known=len(learned), stems=learned)]
    if part == "val":
        return [ChosenOn(known=len(stems), stems=frozenset(stems), epochs=info.notes.epochs)]
    known = folder.sharing_patients(split.stems("train") + split.stems("val"), stems).films
    return [SharedPatients(films=len(stems), known=len(known), stems=frozenset(known))] if known else []


def _other_split(info: "ModelInfo", judged: PartJudged) -> OtherSplit:
    """Films of another split than the model's, and which of them are of patients that it knows."""
    folder, split, stems = judged.folder, judged.split, judged.stems
    own = own_split(info, folder) or published_split(info.split_id, folder)
    learned = [] if own is None else own.stems("train") + own.stems("val")
    known = folder.sharing_patients(learned, stems).films
    of_nobody = info.notes.phantoms and not folder.is_phantom
    return OtherSplit(
        split_id=split.id,
        own_split_id=info.split_id,
        films=len(stems),
        learned=None if own is None and not of_nobody else len({*learned} & {*stems}),
        whole_folder=split.name == ALL_FILMS,
        known=len(known),
        stems=frozenset(known),
    )


def training_caveats(info: "ModelInfo", folder: NihFolder) -> list[Caveat]:
    """What the model's training does to its metrics."""
    notes, found = info.notes, list[Caveat]()
    learned, judged = info.label_version, folder.label_version
    # Two unknown editions are surely one only in the folder that the model was trained on.
    if learned != judged or (judged == UNKNOWN_EDITION and find_split(folder, info.split_id) is None):
        found.append(OtherEdition(learned=learned, judged=judged))
    causes = [notes.loss] if notes.loss not in ("", "bce") else []
    causes += ["balanced sampler"] if notes.sampler == "balanced" else []
    bare = uncalibrated(info.calibration)
    if causes and bare:
        found.append(NotProbabilities(causes=tuple(causes), findings=tuple(bare)))
    return found
