"""Everything the report says about a folder, computed once."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from xlite.config import SEED, TrainConfig
from xlite.data.eda import statistics
from xlite.data.eda.batch_composition import Batches, measure_batches
from xlite.data.eda.claims import Claim, check_claims
from xlite.data.eda.editions import EditionDifference, compare_editions, other_edition
from xlite.data.eda.label_words import unknown_words
from xlite.data.eda.overview import Overview, overview
from xlite.data.eda.partitions import (
    Leakage,
    balance,
    known_of_parts,
    leakage,
    locate,
    overlaps,
    partitions,
    random_partition,
)
from xlite.data.eda.statistics import Imbalance
from xlite.data.folder import NihFolder
from xlite.split_names import RANDOM_SPLITS

BATCH_SIZE: int = TrainConfig.model_fields["batch_size"].default


@dataclass(frozen=True)
class Survey:
    """The statistics of one folder; each frame comes from the function of its name.

    known_of_parts: of the parts in `balance`; unknown: sentences on labels that are not known, if any is.
    """

    data: str
    label_version: str
    fingerprint: str
    overview: Overview
    imbalance: Imbalance
    pairs: pd.DataFrame
    follow_ups: pd.DataFrame
    boxes: pd.DataFrame
    balance: dict[str, pd.DataFrame]
    known_of_parts: dict[str, pd.DataFrame]
    leakage: dict[str, Leakage]
    overlaps: pd.DataFrame
    batches: Batches
    difference: EditionDifference | None
    claims: list[Claim]
    unknown: list[str]

    @property
    def not_labelled(self) -> list[str]:
        """The findings that no film's label tells, in NIH order."""
        return statistics.not_labelled(self.overview.finding_counts)

    def as_dict(self) -> dict[str, object]:
        """The survey as plain dicts, lists and numbers, for JSON; an undefined lift is None.

        What tells of unknown labels is there only if there are any.
        """
        content = self._as_dict()
        if self.unknown:
            known = {name: _rows(frame) for name, frame in self.known_of_parts.items()}
            return {**content, "not_labelled": self.not_labelled, "known_of_parts": known}
        for name in ("undecided", "several_decided", "with_decided"):
            content.pop(name)
        _without(content["findings"], "known")
        if isinstance(difference := content["difference"], dict) and not self._differs_in_what_is_known():
            _without(difference["findings"], "unknown")
        return content

    def _as_dict(self) -> dict[str, Any]:
        table = self.overview
        return {
            "data": self.data,
            "label_version": self.label_version,
            "fingerprint": self.fingerprint,
            **asdict(table.facts),
            "imbalance": asdict(self.imbalance),
            "findings": _rows(table.finding_counts),
            "findings_per_film": table.findings_per_film.tolist(),
            "findings_per_patient": table.findings_per_patient.tolist(),
            "films_per_patient": table.films_per_patient[table.films_per_patient > 0].to_dict(),
            "pairs": self.pairs.to_dict("records"),
            "prevalence": {
                "view": _rows(table.by_view),
                "sex": _rows(table.by_sex),
                "age": _rows(table.by_age),
            },
            "from_film_to_film": _rows(self.follow_ups),
            "boxes": _rows(self.boxes),
            "parts": {name: _rows(frame) for name, frame in self.balance.items()},
            "leakage": {name: asdict(leak) for name, leak in self.leakage.items()},
            "overlaps": self.overlaps.to_dict("records"),
            "batches": {**vars(self.batches), "classes": _rows(self.batches.classes)},
            "difference": self.difference
            and {**vars(self.difference), "findings": _rows(self.difference.findings)},
            "claims": [asdict(claim) for claim in self.claims],
        }

    def _differs_in_what_is_known(self) -> bool:
        return self.difference is not None and bool(self.difference.findings["unknown"].any())


def survey(folder: NihFolder, other_table: Path | None = None) -> Survey:
    """The statistics of a folder's table, boxes, lists and splits; films are not looked at.

    `other_table` is another edition to compare with; by default a second one in the folder is taken.
    """
    table = folder.table
    described = overview(table)
    listed = partitions(folder)
    made = {way: one for way in RANDOM_SPLITS if (one := random_partition(folder, way, SEED))}
    located = locate(table, [*listed, *made.values()])
    leaks = {name: leakage(table, rows) for name, rows in located.items()}
    leak = leaks[made["image"].name].test_seen if "image" in made else None
    written = [one.parts for one in listed]
    shown = [one.name for one in [*listed, *made.values()] if one in listed or one.parts not in written]
    other = other_table or other_edition(folder.root)
    return Survey(
        data=folder.root.resolve().name,
        label_version=folder.label_version,
        fingerprint=folder.fingerprint(),
        overview=described,
        imbalance=statistics.imbalance(described.finding_counts),
        pairs=statistics.pairs(table),
        follow_ups=statistics.follow_ups(table),
        boxes=statistics.box_sizes(folder.boxes()),
        balance={name: balance(table, located[name]) for name in shown},
        known_of_parts={name: known_of_parts(table, located[name]) for name in shown},
        leakage={name: leaks[name] for name in shown},
        overlaps=overlaps(listed),
        batches=measure_batches(statistics.label_array(table), BATCH_SIZE, SEED),
        difference=compare_editions(table, other) if other else None,
        claims=check_claims(table, leak),
        unknown=unknown_words(statistics.label_array(table), folder.labelled),
    )


def _rows(frame: pd.DataFrame) -> dict[str, dict[str, object]]:
    """{row: {column: number or None}}."""
    plain = frame.astype(object).where(frame.notna(), None)
    return {str(name): row.to_dict() for name, row in plain.iterrows()}


def _without(rows: dict[str, dict[str, object]], column: str) -> None:
    for row in rows.values():
        row.pop(column)
