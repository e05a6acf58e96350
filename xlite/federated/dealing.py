"""A data folder dealt out to clients by patient, each a data folder of its own with its part of the split.

A client's table may lack the labels of some findings.
"""

import csv
import io
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import numpy as np

from xlite.data.folder import PHANTOM_NOTE, NihFolder
from xlite.data.joined import JoinedFolder
from xlite.data.random_split import deal
from xlite.data.rows import IMAGE_COLUMNS, read_rows
from xlite.data.splits import PARTS, Split
from xlite.data.tables import UNKNOWN_LABELS, find_table
from xlite.errors import DataError, Option, RunError
from xlite.files import write_atomic
from xlite.findings import FINDINGS, NO_FINDING, canonical
from xlite.labels import positive
from xlite.patients import patient_order
from xlite.text import from_cell, quoted_cell

By = Literal["evenly", "view", "prevalence"]
"""By what patients are dealt out."""
_DRAWS = 100


@dataclass(frozen=True)
class Deal:
    """How patients are dealt out.

    evenly: stratified by number of findings. view: by the share of a patient's films that are AP, so that
    one client has PA films, another AP. prevalence: for each finding the clients' shares are drawn from a
    Dirichlet distribution of `alpha`; the smaller, the less alike.

    labelled: the share 0-1 of the clients, but at least one, that label a finding; the tables of the others
    call it unknown.
    """

    by: By = "evenly"
    alpha: float = 0.5
    labelled: float = 1.0


def deal_by(by: str, alpha: float, labelled: float = 1.0) -> Deal:
    """A Deal by its name; RunError if there is none of it."""
    for known in get_args(By):
        if by == known:
            return Deal(known, alpha, labelled)
    named = Option("--by", "Dealt out")
    raise RunError(named, f" is {by!r:.80}: patients are dealt out evenly, by view or by prevalence")


def deal_out(folder: NihFolder, split: Split, clients: int, how: Deal, seed: int) -> list[list[str]]:
    """The stems of each client: whole patients, all films of the split, every client with films to train on
    and to validate on. DataError if that cannot be had.
    """
    stems = sorted(stem for part in PARTS for stem in split.stems(part))
    parts = {part: set(split.stems(part)) for part in ("train", "val")}
    rng = np.random.default_rng(seed)
    for _ in range(_DRAWS if how.by == "prevalence" else 1):
        dealt = _dealt(folder, stems, clients, how, seed, rng)
        if all(len(parts["train"] & {*mine}) >= 2 and parts["val"] & {*mine} for mine in dealt):
            return dealt
    raise DataError(
        f"{clients} clients cannot be dealt out of {folder.root} so that each has films to train on and to "
        "validate on: use fewer clients, a larger alpha, or more films"
    )


def _dealt(
    folder: NihFolder, stems: Sequence[str], clients: int, how: Deal, seed: int, rng: np.random.Generator
) -> list[list[str]]:
    if how.by == "evenly":
        return deal(folder, stems, [1 / clients] * clients, seed)
    owners = folder.patients(stems)
    patients = sorted(set(owners.tolist()), key=patient_order)
    if how.by == "view":
        views = folder.table["view"].to_numpy()[folder.rows(stems)] == "AP"
        share = {patient: views[owners == patient].mean() for patient in patients}
        ordered = sorted(patients, key=lambda patient: share[patient])  # sorts are stable
        groups = [group.tolist() for group in np.array_split(np.array(ordered, object), clients)]
    else:
        groups = _by_prevalence(folder, stems, owners, patients, clients, how.alpha, rng)
    places = {patient: place for place, group in enumerate(groups) for patient in group}
    return [
        [stem for stem, owner in zip(stems, owners.tolist(), strict=True) if places[owner] == place]
        for place in range(clients)
    ]


def _by_prevalence(
    folder: NihFolder,
    stems: Sequence[str],
    owners: np.ndarray,
    patients: Sequence[str],
    clients: int,
    alpha: float,
    rng: np.random.Generator,
) -> list[list[str]]:
    """Patients by the rarest finding that they have, each group dealt out in shares of Dirichlet(alpha)."""
    has = positive(folder.labels(stems))
    order = np.argsort(has.sum(0), kind="stable")  # the rarest first

    def rarest(patient: str) -> int:
        found = has[owners == patient].any(0)[order]
        return int(order[found.argmax()]) if found.any() else len(FINDINGS)

    group_of = {patient: rarest(patient) for patient in patients}
    dealt: list[list[str]] = [[] for _ in range(clients)]
    for group in sorted(set(group_of.values())):
        mine = [patient for patient in patients if group_of[patient] == group]
        shares = rng.dirichlet([alpha] * clients)
        for patient, place in zip(mine, rng.choice(clients, len(mine), p=shares), strict=True):
            dealt[place].append(patient)
    return dealt


def not_labelled(clients: int, how: Deal, seed: int) -> list[list[str]]:
    """The findings that each client does not label; as many clients know one finding as another."""
    knowing = max(1, round(how.labelled * clients))
    order = np.random.default_rng(seed).permutation(len(FINDINGS)).tolist()
    first = dict(zip(FINDINGS, order, strict=True))
    return [
        [finding for finding in FINDINGS if (place - first[finding]) % clients >= knowing]
        for place in range(clients)
    ]


def write_clients(
    folder: NihFolder,
    split: Split,
    dealt: Sequence[Sequence[str]],
    out: Path,
    lacking: Sequence[Sequence[str]] = (),
) -> list[Path]:
    """A data folder in `out` for each client: its rows of the table, links to its films, its part of a split.

    lacking: for each client the findings that its table calls unknown on all films. DataError for several
    folders joined: each of them is a client already.
    """
    if isinstance(folder, JoinedFolder):
        raise DataError(f"{folder.root} are several folders: name one, or make each of them a client")
    header, rows = read_rows(find_table(folder.root))
    [column] = [place for place, title in enumerate(header) if title in IMAGE_COLUMNS]
    row_of = {from_cell(row[column]): row for row in rows}
    made = []
    for place, (mine, findings) in enumerate(zip(dealt, lacking or [()] * len(dealt), strict=True), 1):
        table = header, [row_of[name] for name in folder.names(mine)]
        made.append(_write_client(folder, split, mine, _hiding(*table, set(findings)), out / str(place)))
    return made


def _hiding(
    header: list[str], rows: list[list[str]], findings: set[str]
) -> tuple[list[str], list[list[str]]]:
    """A table, header and rows, whose labels of some findings are unknown on all films."""
    if not findings:
        return header, rows
    given = header.index("Finding Labels")
    if UNKNOWN_LABELS not in header:
        header = _put(header, given + 1, UNKNOWN_LABELS)
        rows = [_put(row, given + 1, "") for row in rows]
    unknown = header.index(UNKNOWN_LABELS)
    made = [row.copy() for row in rows]
    for row in made:
        kept = [
            name for name in row[given].split("|") if name == NO_FINDING or canonical(name) not in findings
        ]
        lacks = {canonical(name) for name in row[unknown].split("|") if name} | findings
        row[given], row[unknown] = "|".join(kept) or NO_FINDING, "|".join(sorted(lacks))
    return header, made


def _put(row: Sequence[str], place: int, cell: str) -> list[str]:
    return [*row[:place], cell, *row[place:]]


def _write_client(
    folder: NihFolder,
    split: Split,
    stems: Sequence[str],
    table: tuple[list[str], list[list[str]]],
    out: Path,
) -> Path:
    header, rows = table
    (out / "images").mkdir(parents=True)
    for stem in stems:
        if (film := folder.paths.get(stem)) is not None:
            os.symlink(film.absolute(), out / "images" / film.name)
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([header, *rows])
    write_atomic(out / find_table(folder.root).name.removesuffix(".gz"), text.getvalue().encode())
    if folder.is_phantom:
        write_atomic(out / PHANTOM_NOTE, (folder.root / PHANTOM_NOTE).read_bytes())
    mine = set(stems)
    for part in PARTS:
        names = folder.names([stem for stem in split.stems(part) if stem in mine])
        lines = "\n".join(["image", *map(quoted_cell, names), ""])
        (out / "splits" / split.name).mkdir(parents=True, exist_ok=True)
        write_atomic(out / "splits" / split.name / f"{part}.csv", lines.encode())
    return out
