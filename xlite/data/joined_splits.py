"""The splits of several data folders as one."""

from collections import Counter
from collections.abc import Callable, Sequence

from xlite.data.folder import NihFolder
from xlite.data.joined import JoinedFolder
from xlite.data.splits import PARTS, Split
from xlite.errors import DataError
from xlite.text import counted

_AND = "+"
"""Between the ids of the splits of several folders."""


def ids_in(split_id: str) -> Counter[str]:
    """The ids of the folders' own splits that an id of several names, each as often as it is there."""
    return Counter(split_id.split(_AND))


def join_splits(folder: JoinedFolder, splits: Sequence[Split | None]) -> Split:
    """The splits of several folders as one: each part has the films of theirs, folder by folder.

    Its id names theirs, whatever the order of the folders, so each is known in its own folder, too. At least
    one folder has a split.
    """
    there = [split for split in splits if split is not None]
    named = list(zip(splits, folder.stems, strict=True))
    stems = {
        part: [names[stem] for split, names in named if split is not None for stem in split.stems(part)]
        for part in PARTS
    }
    names, ways = (
        ",".join(dict.fromkeys(got)) for got in ([one.name for one in there], [one.way for one in there])
    )
    return Split(
        names,
        _AND.join(sorted(split.id for split in there)),
        ways,
        there[0].seed,
        {part: folder.names(stems[part]) for part in PARTS},
        {part: sum(split.dropped.get(part, 0) for split in there) for part in PARTS},
        tuple(splits),
    )


def of_each(folder: JoinedFolder, name: str, of: Callable[[NihFolder, str], Split]) -> Split:
    """The splits of several folders joined; `name` is that of all, or one of each, with commas."""
    called = [one.strip() for one in name.split(",")]
    called *= len(folder.folders) if len(called) == 1 else 1
    if len(called) != len(folder.folders):
        raise DataError(
            f"{name!r} names {counted(len(called), 'split')} for "
            f"{counted(len(folder.folders), 'data folder')}; give one name for all, or one for each, with "
            "commas"
        )
    return join_splits(folder, [of(*one) for one in zip(folder.folders, called, strict=True)])


def each_split(folder: JoinedFolder, split: Split) -> list[tuple[NihFolder, Split | None]]:
    """Each folder with its own split of those that were joined."""
    return list(zip(folder.folders, split.joined, strict=True))
