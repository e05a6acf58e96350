"""PadChest (Bustos et al. 2020): 16-bit PNGs, and a table whose labels are Python lists written as text.

`PADCHEST_chest_x_ray_images_labels_160K_01.02.19.csv` (or .gz): Labels is `['pleural effusion', '
pneumonia']`, some with a blank before them, some empty; Projection PA, AP, AP_horizontal, L, COSTAL,
EXCLUDE, UNK. Films lie in folders by ImageDir or all in one. Columns that end in `_DICOM` hold what the
header has, so that M is male, though the reports are Spanish.
"""

import ast
from collections import Counter
from collections.abc import Collection
from pathlib import Path

from xlite.data.importing.found import (
    BLANKS,
    LATERAL,
    Found,
    file_of,
    films_of,
    not_that_kind,
    sex_of,
    states_of_names,
    text_columns,
)
from xlite.data.importing.mapping import shipped_labels
from xlite.errors import DataError

_VIEWS = {"PA": "PA", "AP": "AP", "AP_HORIZONTAL": "AP", "L": LATERAL, "UNK": "", "": ""}
_UNCHANGED, _PLACE = "unchanged", "loc "
"""A label that says as much as the report before, which the table lacks; where in the film something is."""
_WANTED = ("ImageDir", "StudyDate_DICOM", "PatientBirth", "PatientSex_DICOM", "MethodLabel")


def found_in(source: Path) -> Found:
    """What lies in a PadChest folder. Raises DataError if it is none, or a list of labels cannot be read."""
    path = file_of(source, "PADCHEST*.csv", "PADCHEST*.csv.gz")
    if path is None:
        raise not_that_kind(source, "PadChest", "PADCHEST_chest_x_ray_images_labels_160K_01.02.19.csv")
    table = text_columns(path, ["ImageID", "PatientID", "Projection", "Labels"], _WANTED)
    table = table.sort_values("StudyDate_DICOM", kind="stable")
    left_out: Counter[str] = Counter()
    films, named = [], []
    folders = {path.name for path in source.iterdir() if path.is_dir()}
    for number, row in enumerate(table.to_dict("records"), 1):
        names = _names(row["Labels"], path, number)
        if not names:
            left_out["without labels"] += 1
        elif "exclude" in names:
            left_out["marked 'exclude' by the data set"] += 1
        elif {name for name in names if not name.startswith(_PLACE)} == {_UNCHANGED}:
            left_out["of which the report only says that nothing changed"] += 1
        else:
            films.append(_film(row, folders))
            named.append(names)
    by_hand = int((table["MethodLabel"] == "Physician").sum())
    note = f"{by_hand:,} of {len(table):,} rows were labelled by physicians, the others by a network."
    labels = shipped_labels("padchest")
    states = states_of_names(named, labels)
    return Found(source, films_of(films), states, [path], left_out=left_out, notes=[note])


def _names(text: str, path: Path, row: int) -> list[str]:
    """The labels of a film, without the blanks before some of them."""
    if text.casefold() in BLANKS:
        return []
    try:
        names = ast.literal_eval(text)
        return [name.strip() for name in names if name.strip()]
    except (ValueError, SyntaxError, AttributeError, TypeError) as error:
        raise DataError(
            f"{path} has the labels {text[:80]!r} in row {row}; expected a list such as ['normal']"
        ) from error


def _film(row: dict[str, str], folders: Collection[str]) -> dict[str, str]:
    projection = row["Projection"].upper()
    folder = row["ImageDir"].partition(".")[0]
    return {  # without its folder all lie in one: names are unique
        "file": f"{folder}/{row['ImageID']}" if folder in folders else row["ImageID"],
        "name": row["ImageID"].removesuffix(".png"),
        "patient": row["PatientID"],
        "age": _age(row["StudyDate_DICOM"], row["PatientBirth"]),
        "sex": sex_of(row["PatientSex_DICOM"]),
        "view": _VIEWS.get(projection, "other views"),
    }


def _age(date: str, birth: str) -> str:
    """Years from the year of birth, such as `1930.0`, to that of the study."""
    year, born = date[:4], birth.partition(".")[0]
    if not (year.isdecimal() and born.isdecimal()):
        return ""
    years = int(year) - int(born)
    return str(years) if years >= 0 else ""
