"""Splits whose lists come with X-Lite, those of the models that ship: names of films, and no film."""

from pathlib import Path

from xlite.data.folder import NihFolder
from xlite.data.splits import PARTS, Split
from xlite.data.tables import read_list


def published_split(split_id: str, folder: NihFolder) -> Split | None:
    """The split of that id of NIH's films, whether or not they are in the folder.

    None if its lists do not come with X-Lite, or the folder's films are drawn ones under such names.
    """
    found = {path.parent.name: path.parent for path in Path(__file__).parent.glob("*/train.csv")}
    if folder.is_phantom or split_id not in found:
        return None
    name, seed, _ = split_id.rsplit("-", 2)
    parts = {part: folder.here(read_list(found[split_id] / f"{part}.csv")) for part in PARTS}
    return Split(name, split_id, name, int(seed), parts)
