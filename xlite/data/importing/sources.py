"""What lies in a source, for each kind of data set."""

from collections.abc import Callable
from pathlib import Path

from xlite.data.importing import chestx_det, chexpert, medmnist, mimic, openi, padchest, rsna, siim, vindr
from xlite.data.importing.columns import Columns, guess_columns
from xlite.data.importing.found import Found, none_left
from xlite.data.importing.kinds import KINDS, OWN_TABLE
from xlite.data.importing.mapping import Mapping, shipped
from xlite.data.importing.own import found_in_order, found_in_table
from xlite.errors import DataError

_FOUND_IN: dict[str, Callable[[Path], Found]] = {
    "chexpert": chexpert.found_in,
    "mimic": mimic.found_in,
    "padchest": padchest.found_in,
    "vindr": vindr.found_in,
    "rsna": rsna.found_in,
    "siim": siim.found_in,
    "openi": openi.found_in,
    "chestx-det": chestx_det.found_in,
    "medmnist": medmnist.found_in,
}


def read_source(kind: str, source: Path, columns: Columns | None = None) -> tuple[Found, Mapping]:
    """What lies in a source of that kind (KINDS), and the mapping for it that comes with X-Lite.

    columns: of a table of one's own; guessed if they are not given. Raises DataError for a source that is
    not of the kind, or cannot be read.
    """
    if kind not in KINDS:
        raise DataError(f"{kind!r} is not a kind of data set; expected one of {', '.join(KINDS)}")
    if kind in OWN_TABLE:
        columns = columns or guess_columns(source)
        found = found_in_table(source, columns) if kind == "csv" else found_in_order(columns)
        mapping = columns.mapping if kind == "csv" else shipped(kind)
    else:
        found, mapping = _FOUND_IN[kind](source), shipped(kind)
    if not len(found.films):
        reasons = ", ".join(f"{count:,} {why}" for why, count in found.left_out.items() if count)
        raise none_left(source, reasons)
    return found, mapping
