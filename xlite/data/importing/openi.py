"""Open-I, the Indiana University collection (Demner-Fushman et al. 2016): MeSH terms of reports.

As Kaggle has it: `indiana_reports.csv` (uid, MeSH) and `indiana_projections.csv` (uid, filename,
projection). As Open-I has it: a folder of reports `ecgen-radiology/1.xml` with the ids of their films, whose
views no table tells: the gate decides. A term is `Opacity/lung/base/left`; its first word, and its first
two, are labels.
"""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from xml.etree import ElementTree

from xlite.data.film_names import stem_of
from xlite.data.importing.found import (
    BLANKS,
    FRONTAL,
    LATERAL,
    Found,
    file_of,
    films_of,
    not_that_kind,
    states_of_names,
    text_columns,
)
from xlite.data.importing.mapping import shipped_labels
from xlite.errors import DataError

_VIEWS = {"frontal": FRONTAL, "lateral": LATERAL, "": ""}
_NOT_INDEXED = "No Indexing"


def found_in(source: Path) -> Found:
    """What lies in an Open-I folder. Raises DataError if it is none, or its tables do not join."""
    reports, films = file_of(source, "indiana_reports.csv"), file_of(source, "indiana_projections.csv")
    if reports and films:
        rows, tables = _of_tables(reports, films), [reports, films]
    else:
        tables = sorted(
            path for folder in (source, source / "ecgen-radiology") for path in folder.glob("*.xml")
        )
        if not tables:
            raise not_that_kind(source, "Open-I", "indiana_reports.csv, and no reports in ecgen-radiology")
        rows = [film for path in tables for film in _of_report(path)]
    indexed = [(film, labels) for film, labels in rows if labels and _NOT_INDEXED not in labels]
    left_out = Counter({"without MeSH terms": len(rows) - len(indexed)})
    labels = shipped_labels("openi")
    states = states_of_names([names for _, names in indexed], labels)
    return Found(source, films_of(film for film, _ in indexed), states, tables, left_out=left_out)


def _of_tables(reports: Path, films: Path) -> list[tuple[dict[str, str], list[str]]]:
    terms = text_columns(reports, ["uid", "MeSH"]).drop_duplicates("uid").set_index("uid")["MeSH"].to_dict()
    rows = text_columns(films, ["uid", "filename", "projection"]).to_dict("records")
    joined = [row for row in rows if row["uid"] in terms]
    if not joined:
        raise DataError(f"{films} and {reports} have no uid in common, so they join to nothing")
    return [
        (
            {
                "file": row["filename"],
                "name": stem_of(stem_of(row["filename"])),  # 1_IM-0001-4001.dcm.png
                "patient": row["uid"],
                "view": _VIEWS.get(row["projection"].lower(), "other views"),
            },
            _labels(terms[row["uid"]].split(";")),
        )
        for row in joined
    ]


def _of_report(path: Path) -> list[tuple[dict[str, str], list[str]]]:
    try:
        report = ElementTree.parse(path).getroot()
    except (ElementTree.ParseError, OSError) as error:
        raise DataError(f"{path} cannot be read as a report of Open-I: {error}") from error
    uid = report.find("uId")
    patient = path.stem if uid is None else uid.attrib.get("id", path.stem)
    labels = _labels(node.text or "" for node in report.iterfind(".//MeSH/major"))
    ids = [node.attrib["id"] for node in report.iterfind(".//parentImage") if "id" in node.attrib]
    return [({"file": f"{name}.png", "name": name, "patient": patient}, labels) for name in ids]


def _labels(terms: Iterable[str]) -> list[str]:
    """`Opacity/lung/base/left` is the labels Opacity and Opacity/lung."""
    labels: dict[str, None] = {}
    for term in terms:
        words = [word.strip() for word in term.split("/")]
        if words[0].casefold() not in BLANKS:
            labels |= dict.fromkeys(["/".join(words[:count]) for count in (1, 2)])
    return list(labels)
