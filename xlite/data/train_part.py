"""What a run trains on of its split's train part: a share of it, or all but a fold."""

import hashlib
from dataclasses import replace

from xlite.data.folder import NihFolder
from xlite.data.joined import JoinedFolder
from xlite.data.joined_splits import each_split, join_splits
from xlite.data.random_split import deal
from xlite.data.splits import Split


def shrink_train(folder: NihFolder, split: Split, share: float) -> Split:
    """The split with that share (0-1) of its train part, by whole patients and stratified as a split is.

    A function of the split's id and the share alone, so all runs of a study train on the same films. Val,
    test and the id stay: metrics on them can be ranked beside those of the whole split. Of several folders
    each gives that share.
    """
    if share == 1:
        return split
    if isinstance(folder, JoinedFolder):
        return join_splits(
            folder,
            [one and shrink_train(mine, one, share) for mine, one in each_split(folder, split)],
        )
    seed = int(hashlib.sha256(split.id.encode()).hexdigest()[:8], 16)
    kept, _ = deal(folder, sorted(split.stems("train")), (share, 1 - share), seed)
    return replace(split, parts={**split.parts, "train": folder.names(kept)})


def as_trained(folder: NihFolder, split: Split, share: float, fold: str) -> tuple[Split, list[str]]:
    """The split with what a run trains on of its train part, and the stems of the fold that it leaves out.

    share and fold are as for `shrink_train` and `leave_out`; without a fold nothing is left out.
    """
    shrunk = shrink_train(folder, split, share)
    return leave_out(folder, shrunk, fold) if fold else (shrunk, [])


def leave_out(folder: NihFolder, split: Split, fold: str) -> tuple[Split, list[str]]:
    """The split without one fold of its train part, and the stems of that fold; `fold` is as `2/5`.

    Folds are whole patients, stratified as a split is, and follow from the split's id and their number alone.
    Of several folders that fold of each is left out.
    """
    if isinstance(folder, JoinedFolder):
        return _leave_out_of_each(folder, split, fold)
    number, folds = map(int, fold.split("/"))
    seed = int(hashlib.sha256(f"{split.id} {folds} folds".encode()).hexdigest()[:8], 16)
    dealt = deal(folder, sorted(split.stems("train")), [1 / folds] * folds, seed)
    left_out = dealt.pop(number - 1)
    kept = folder.names(sorted(stem for part in dealt for stem in part))
    return replace(split, parts={**split.parts, "train": kept}), left_out


def _leave_out_of_each(folder: JoinedFolder, split: Split, fold: str) -> tuple[Split, list[str]]:
    kept: list[Split | None] = []
    left_out: list[str] = []
    for (mine, one), names in zip(each_split(folder, split), folder.stems, strict=True):
        found, films = (None, []) if one is None else leave_out(mine, one, fold)
        kept.append(found)
        left_out += [names[stem] for stem in films]
    return join_splits(folder, kept), left_out
