"""What the columns of somebody's own table of films mean: guessed, shown, corrected."""

import re
import unicodedata
from collections.abc import Mapping as Dict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from xlite.data.film_names import has_suffix
from xlite.data.importing.found import BLANKS, label_state
from xlite.data.importing.mapping import ABSENT, Mapping, Rule, finding_named, shipped, spoken_findings
from xlite.data.importing.options import COLUMNS, LABEL
from xlite.data.rows import columns_of, read_rows
from xlite.errors import DataError

ROLES = tuple(COLUMNS)
_USUAL = {
    "image": (
        *(
            "image",
            "imageindex",
            "imageid",
            "imagepath",
            "filename",
            "filepath",
            "file",
            "path",
            "film",
            "img",
        ),
        *("bild", "bilddatei", "dateiname", "datei", "pfad", "aufnahme"),
        *("fichier", "nomfichier", "nomdufichier", "cliche", "chemin"),
        *("imagen", "archivo", "nombrearchivo", "fichero", "ruta", "radiografia"),
    ),
    "patient": (
        *("patient", "patientid", "subject", "subjectid", "person", "personid", "mrn", "pid"),
        *("patientno", "patientnumber", "patno", "patnr"),
        *("patientenid", "patientennummer", "patientennr", "patid", "idpatient", "numeropatient"),
        *("paciente", "idpaciente", "pacienteid"),
    ),
    "view": ("view", "viewposition", "projection", "projektion", "strahlengang", "incidence", "proyeccion"),
    "age": ("age", "patientage", "ageyears", "alter", "patientenalter", "edad"),
    "sex": ("sex", "gender", "patientsex", "patientgender", "geschlecht", "sexe", "sexo"),
    "part": ("part", "split", "subset", "aufteilung", "particion"),
}
"""Usual names of columns as `_plain` writes them: English, then German, French and Spanish."""
_NAMES = (
    *("findinglabels", "findings", "finding", "labels", "label", "diagnosis", "diagnoses"),
    *("befund", "befunde", "diagnose", "diagnosen", "diagnostic", "diagnostics"),
    *("hallazgo", "hallazgos", "diagnostico", "diagnosticos"),
)
_SEPARATORS = ("|", ";", ",")
_ENOUGH = 0.8
"""Share of the rows."""


@dataclass(frozen=True)
class Columns:
    """The table, the column of each role ("" if there is none), and where its labels are.

    labels: columns of 1, 0, -1 and blanks. names: a column that names what a film has, several of them with
    the separator between. mapping: what the labels mean.
    """

    table: Path
    image: str = ""
    patient: str = ""
    view: str = ""
    age: str = ""
    sex: str = ""
    part: str = ""
    labels: tuple[str, ...] = ()
    names: str = ""
    separator: str = "|"
    mapping: Mapping = field(default_factory=list)
    header: tuple[str, ...] = ()

    @property
    def unused(self) -> list[str]:
        """The columns that mean nothing here."""
        used = {*(getattr(self, role) for role in ROLES), *self.labels, self.names, ""}
        return [name for name in self.header if name not in used]

    def lines(self) -> list[str]:
        """The guess, line by line, for a person to say yes to."""
        roles = [(role, getattr(self, role)) for role in ROLES]
        shown = [f"{role:10}column {column!r}" if column else f"{role:10}no column" for role, column in roles]
        place = f" in the column {self.names!r}" if self.names else ""
        labels = [
            f"{'label':10}{rule.label!r}{place if rule.label not in self.labels else ''} -> "
            f"{spoken_findings(rule.finding) or 'none of the 14'}"
            for rule in self.mapping
        ]
        return [*shown, *labels]


def own_table(source: Path) -> Path:
    """The table itself, or the only one of a folder. Raises DataError if there is none, or several."""
    if source.is_file():
        return source
    if not source.is_dir():
        raise DataError(f"there is no table {source}")
    tables = sorted(
        path for path in source.iterdir() if path.name.lower().endswith((".csv", ".tsv", ".csv.gz"))
    )
    if len(tables) != 1:
        found = f"{len(tables)} tables" if tables else "no table (.csv)"
        raise DataError(f"{source} holds {found}; give the path of the one that lists its films")
    return tables[0]


def guess_columns(source: Path) -> Columns:
    """What the columns of a table may mean. Raises DataError if it cannot be read."""
    path = own_table(source)
    header, rows = read_rows(path)
    columns = columns_of(path, header, rows, [name for name in header if name])
    roles = {role: _role(role, columns) for role in ROLES}
    others = {name: values for name, values in columns.items() if name not in roles.values()}
    labels = tuple(name for name, values in others.items() if _is_label(name, values))
    mapping = [_rule(name) for name in labels]
    guess = with_roles(Columns(path, labels=labels, mapping=mapping, header=tuple(columns)), roles)
    if any(rule.finding for rule in guess.mapping):
        return guess
    names, separator = _column_of_names(others)
    if not names:
        return guess
    found = dict.fromkeys(name for text in others[names] for name in split_names(text, separator))
    mapping = [replace(_rule(name), blank=ABSENT) for name in found]
    return replace(guess, names=names, separator=separator, labels=(), mapping=mapping)


def with_roles(columns: Columns, roles: Dict[str, str]) -> Columns:
    """The columns with those of some roles; an empty one is none."""
    given = {role: roles.get(role, getattr(columns, role)) for role in ROLES}
    return replace(
        columns,
        image=given["image"],
        patient=given["patient"],
        view=given["view"],
        age=given["age"],
        sex=given["sex"],
        part=given["part"],
    )


def corrected(
    columns: Columns, roles: dict[str, str], labels: Sequence[str] = (), names: str = "", separator: str = ""
) -> Columns:
    """The guess as a person corrects it: columns of roles, and labels such as `Effusion=pleural effusion`.

    Raises DataError for a column that the table lacks and for what is not a finding.
    """
    header, rows = read_rows(columns.table)
    for role, name in roles.items():
        if name not in header:
            raise DataError(
                f"{columns.table} has no column {name!r} for {role}; it has {', '.join(header)[:200]}"
            )
    new = with_roles(columns, roles)
    if names:
        if names not in header:
            raise DataError(
                f"{columns.table} has no column {names!r} of labels; it has {', '.join(header)[:200]}"
            )
        values = columns_of(columns.table, header, rows, [names])[names]
        split = separator or next((one for one in _SEPARATORS if any(one in text for text in values)), "|")
        found = dict.fromkeys(name for text in values for name in split_names(text, split))
        mapping = [replace(_rule(name), blank=ABSENT) for name in found]
        new = replace(new, names=names, separator=split, labels=(), mapping=mapping)
    for word in labels:
        new = _with_label(new, word, header)
    taken = set(roles.values())  # a column of 0 and 1 that a role is given is not a label
    return replace(
        new,
        labels=tuple(name for name in new.labels if name not in taken),
        mapping=[rule for rule in new.mapping if rule.label not in taken or rule.label not in new.labels],
    )


def split_names(text: str, separator: str) -> list[str]:
    """What a film has, by its cell; nothing if that is blank."""
    names = (name.strip(" '\"[]") for name in text.split(separator))
    return [name for name in names if name.casefold() not in BLANKS]


def _with_label(columns: Columns, word: str, header: list[str]) -> Columns:
    finding, equals, label = word.partition("=")
    label = label.strip()
    if not equals or not label:
        raise DataError(
            LABEL, f" {word!r} is not understood; expected FINDING=COLUMN such as Effusion=effusion"
        )
    rule = Rule(label, finding_named(finding.strip(), LABEL, f" {word!r} maps to "))
    known = {one.label for one in columns.mapping}
    if label in header:
        labels = tuple(dict.fromkeys([*columns.labels, label]))
    elif columns.names and label in known:
        labels, rule = columns.labels, replace(rule, blank=ABSENT)
    else:
        nor = f", and no film has it in the column {columns.names!r}" if columns.names else ""
        raise DataError(LABEL, f" {word!r}: {columns.table} has no column {label!r}{nor}")
    mapping = [rule if one.label == label else one for one in columns.mapping]
    return replace(columns, labels=labels, mapping=mapping if label in known else [*mapping, rule])


def _plain(name: str) -> str:
    """A name without case, accents, blanks, dots, dashes and underscores."""
    letters = unicodedata.normalize("NFKD", name.casefold().replace("œ", "oe"))
    return re.sub(r"[\s_#.-]+", "", "".join(one for one in letters if not unicodedata.combining(one)))


def _rule(label: str) -> Rule:
    """A label by the names that findings usually have."""
    usual = {_plain(rule.label): rule.finding for rule in shipped("csv")}
    return Rule(label, usual.get(_plain(label), ""))


def _role(role: str, columns: dict[str, list[str]]) -> str:
    if role == "image":
        files = [
            name for name, values in columns.items() if sum(map(has_suffix, values)) >= _ENOUGH * len(values)
        ]
        if files:
            return files[0]
    plain = {_plain(name): name for name in reversed(columns)}
    return next((plain[usual] for usual in _USUAL[role] if usual in plain), "")


def _is_label(name: str, values: list[str]) -> bool:
    """Whether all values of a column are labels and not all are blank; of one called as a finding, whether
    any is not blank: values that are no labels are then told by who reads it, not left out without a word.
    """
    states = [label_state(text) for text in set(values)]
    some = any(state is None or state == state for state in states)
    return some and (None not in states or bool(_rule(name).finding))


def _column_of_names(columns: dict[str, list[str]]) -> tuple[str, str]:
    """The column that names what a film has, and what parts the names; empty if there is none."""
    usual = {_plain(rule.label) for rule in shipped("csv")}
    best, found = 0.0, ("", "|")
    for name, values in columns.items():
        for separator in _SEPARATORS:
            cells = [split_names(text, separator) for text in values]
            known = sum(any(_plain(one) in usual for one in cell) for cell in cells)
            share = known / max(1, sum(map(bool, cells))) + (_plain(name) in _NAMES) / 2
            if known and share > best:
                best, found = share, (name, separator)
    return found
