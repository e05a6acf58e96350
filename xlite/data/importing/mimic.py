"""MIMIC-CXR-JPG (Johnson et al. 2019): gzipped tables that are joined by the ids of patient, study and film.

`mimic-cxr-2.0.0-chexpert.csv.gz` (or negbio) has the labels of a study, `…-metadata.csv.gz` the view of a
film, `…-split.csv.gz` its part; a film is `files/p10/p10000032/s50414267/DICOM_ID.jpg`. Age and sex are in
MIMIC-IV. ViewPosition and the procedure disagree for many films (mimic-code issue 1513): ViewPosition counts.
"""

from collections import Counter
from pathlib import Path

import pandas as pd

from xlite.data.importing.found import (
    LATERAL,
    Found,
    file_of,
    films_of,
    label_states,
    not_that_kind,
    text_columns,
)
from xlite.data.importing.mapping import shipped_labels
from xlite.errors import DataError
from xlite.text import counted

_VIEWS = {"PA": "PA", "AP": "AP", "LATERAL": LATERAL, "LL": LATERAL}
_PARTS = {"train": "train", "validate": "val", "test": "test"}
_CODED = {
    **{"postero-anterior": "PA", "antero-posterior": "AP"},
    **dict.fromkeys(("lateral", "left lateral", "right lateral"), LATERAL),
}
_PROCEDURE, _CODE = "PerformedProcedureStepDescription", "ViewCodeSequence_CodeMeaning"


def found_in(source: Path) -> Found:
    """What lies in a MIMIC-CXR-JPG folder. Raises DataError if it is none, or its tables do not join."""
    metadata = file_of(source, "mimic-cxr-*-metadata.csv*")
    labelled = file_of(source, "mimic-cxr-*-chexpert.csv*", "mimic-cxr-*-negbio.csv*")
    if metadata is None or labelled is None:
        raise not_that_kind(
            source, "MIMIC-CXR-JPG", "mimic-cxr-2.0.0-metadata.csv.gz and mimic-cxr-2.0.0-chexpert.csv.gz"
        )
    labels = shipped_labels("mimic")
    studies = text_columns(labelled, ["subject_id", "study_id"], labels)
    wanted = ("ViewPosition", _PROCEDURE, _CODE, "StudyDate", "StudyTime")
    films = text_columns(metadata, ["dicom_id", "subject_id", "study_id"], wanted)
    tables, split = [metadata, labelled], file_of(source, "mimic-cxr-*-split.csv*")
    films["part"] = ""
    if split is not None:
        parts = text_columns(split, ["dicom_id", "split"]).set_index("dicom_id")["split"].map(_PARTS)
        films["part"] = films["dicom_id"].map(parts).fillna("")
        tables.append(split)
    keyed = pd.MultiIndex.from_frame(studies[["subject_id", "study_id"]])
    rows = keyed.get_indexer(pd.MultiIndex.from_frame(films[["subject_id", "study_id"]]))
    if not (rows >= 0).any():
        raise DataError(
            f"{metadata} and {labelled} have no study in common, so they join to nothing; take both from "
            "one release"
        )
    states = label_states(labelled, studies, labels)
    films["row"] = rows
    left_out = Counter({"without labels for the study": int((rows < 0).sum())})
    # 082551.0 has lost its zero in the table, so as text it would come after 165500.312.
    films["time"] = pd.to_numeric(films["StudyTime"], errors="coerce")
    films = films[films["row"] >= 0].sort_values(
        ["subject_id", "StudyDate", "time", "dicom_id"], kind="stable"
    )
    in_files = (metadata.parent / "files").is_dir()
    return Found(
        metadata.parent,
        films_of(_film(row, in_files) for row in films.to_dict("records")),
        states.iloc[films["row"]].reset_index(drop=True),
        tables,
        left_out=left_out,
        conflicts=_conflicts(films),
        notes=_notes(films),
    )


def _film(row: dict[str, str], in_folders: bool) -> dict[str, str]:
    patient, study, film = row["subject_id"], row["study_id"], row["dicom_id"]
    view = row["ViewPosition"].upper()
    folder = f"files/p{patient[:2]}/p{patient}/s{study}/" if in_folders else ""  # ids are unique anyway
    coded = next((view for words, view in _CODED.items() if row[_CODE].lower().startswith(words)), "")
    return {
        "file": f"{folder}{film}.jpg",
        "name": f"p{patient}_s{study}_{film}",
        "patient": patient,
        "view": _VIEWS.get(view, "other views" if view else coded),
        "part": row["part"],
    }


def _conflicts(films: pd.DataFrame) -> Counter[str]:
    """What the tags of a film say against each other."""
    view, procedure, code = (
        films["ViewPosition"].str.upper(),
        films[_PROCEDURE].str.upper(),
        films[_CODE].str.lower(),
    )
    pa = procedure.str.contains("PA AND LAT|PA & LAT|PA/LAT", regex=True)
    found = {
        "ViewPosition AP, but a procedure of PA and lateral; ViewPosition counts": (view == "AP") & pa,
        "ViewPosition AP, but a view code of postero-anterior; ViewPosition counts": (view == "AP")
        & code.str.startswith("postero"),
        "ViewPosition PA, but a view code of antero-posterior; ViewPosition counts": (view == "PA")
        & code.str.startswith("antero"),
    }
    return Counter({words: int(films_in.sum()) for words, films_in in found.items() if films_in.any()})


def _notes(films: pd.DataFrame) -> list[str]:
    notes = ["Its tables have no age and no sex: these are in MIMIC-IV."]
    if without := int((films["ViewPosition"] == "").sum()):
        notes.append(
            f"{counted(without, 'film')} without ViewPosition: the view code counts, else the gate decides."
        )
    return notes
