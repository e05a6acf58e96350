"""Which films of a part of a split are there. No torch."""

from xlite.data.folder import NihFolder
from xlite.data.splits import Split
from xlite.errors import DataError, Setting
from xlite.text import are, counted


def part_stems(folder: NihFolder, split: Split, part: str, skip_missing: bool = False) -> list[str]:
    """The stems of a part's films that are there, in the split's order.

    Raises DataError if the part is empty, or if films are missing and `skip_missing` is not set.
    """
    stems = split.stems(part)
    there = [stem for stem in stems if stem in folder.paths]
    lacking = len(stems) - len(there)
    if lacking and not skip_missing:
        raise DataError(
            f"{lacking:,} of the {counted(len(stems), 'film')} of the {part} part {are(lacking)} missing in "
            f"{folder.root}; put them there, or go on without them with ",
            Setting("skip_missing"),
        )
    if not there:
        raise DataError(f"the {part} part of the split {split.name!r} has no films in {folder.root}")
    return there
