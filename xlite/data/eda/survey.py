"""Everything the report says about a folder, computed once."""

from dataclasses import asdict, dataclass
from pathlib import Path

import pandas as pd

from xlite.config import TrainConfig
from xlite.data.eda import summary
from xlite.data.eda.batch_composition import Batches, measure_batches
from xlite.data.eda.claims import Claim, check_claims
from xlite.data.eda.editions import Difference, compare_editions, other_edition
from xlite.data.eda.partitions import balance, drawn, leakage, locate, overlaps, partitions
from xlite.data.folder import NihFolder
from xlite.data.random_split import DRAWN
from xlite.findings import FINDINGS

BATCH_SIZE = TrainConfig.model_fields["batch_size"].default
SEED = 42  # of the design document's split; X-Lite's own splits and runs have it by default


@dataclass(frozen=True)
class Survey:
    """The figures of one folder; each frame comes from the function of its name."""

    data: str
    label_version: str
    fingerprint: str
    facts: dict[str, object]
    imbalance: dict[str, object]
    counts: pd.DataFrame
    findings_per_film: pd.Series
    findings_per_patient: pd.Series
    films_per_patient: pd.Series
    cooccurrence: pd.DataFrame
    lift: pd.DataFrame
    pairs: pd.DataFrame
    ages: pd.DataFrame
    by_view: pd.DataFrame
    by_sex: pd.DataFrame
    by_age: pd.DataFrame
    follow_ups: pd.DataFrame
    boxes: pd.DataFrame
    balance: dict[str, pd.DataFrame]
    leakage: pd.DataFrame
    overlaps: pd.DataFrame
    batches: Batches
    difference: Difference | None
    claims: list[Claim]


def survey(folder: NihFolder, other_table: Path | None = None) -> Survey:
    """All figures of a folder's table, boxes, lists and splits; films are not looked at.

    `other_table` is another edition to compare with; without it a second one in the folder is taken.
    """
    table = folder.table
    counts = summary.finding_counts(table)
    together = summary.cooccurrence(table)
    listed = partitions(folder)
    made = {strategy: one for strategy in DRAWN if (one := drawn(folder, strategy, SEED))}
    located = locate(table, [*listed, *made.values()])
    leaks = {name: leakage(table, rows) for name, rows in located.items()}
    leak = leaks[made["image"].name]["test_seen"] if "image" in made else None
    written = [one.parts for one in listed]
    shown = [one.name for one in [*listed, *made.values()] if one in listed or one.parts not in written]
    other = other_table or other_edition(folder.root)
    return Survey(
        data=folder.root.resolve().name,
        label_version=folder.label_version,
        fingerprint=folder.fingerprint(),
        facts=summary.describe_table(table),
        imbalance=summary.imbalance(counts),
        counts=counts,
        findings_per_film=summary.findings_per_film(table),
        findings_per_patient=summary.findings_per_patient(table),
        films_per_patient=summary.films_per_patient(table),
        cooccurrence=together,
        lift=summary.lift(together, len(table), summary.LEAST_EXPECTED),
        pairs=summary.pairs(table),
        ages=summary.age_histogram(table),
        by_view=summary.prevalence_by(table, table["view"]),
        by_sex=summary.prevalence_by(table, table["sex"]),
        by_age=summary.prevalence_by(table, summary.age_band(table["age"])),
        follow_ups=summary.follow_ups(table),
        boxes=summary.box_sizes(folder.boxes()),
        balance={name: balance(table, located[name]) for name in shown},
        leakage=pd.DataFrame.from_dict({name: leaks[name] for name in shown}, orient="index"),
        overlaps=overlaps(listed),
        batches=measure_batches(table[list(FINDINGS)].to_numpy(), BATCH_SIZE, SEED),
        difference=compare_editions(table, other) if other else None,
        claims=check_claims(table, leak),
    )


def as_dict(figures: Survey) -> dict[str, object]:
    """The survey as plain dicts, lists and numbers, for JSON; a lift that is undefined is None."""
    return {
        "data": figures.data,
        "label_version": figures.label_version,
        "fingerprint": figures.fingerprint,
        **figures.facts,
        "imbalance": figures.imbalance,
        "findings": _rows(figures.counts),
        "findings_per_film": figures.findings_per_film.tolist(),
        "findings_per_patient": figures.findings_per_patient.tolist(),
        "films_per_patient": figures.films_per_patient[figures.films_per_patient > 0].to_dict(),
        "pairs": figures.pairs.to_dict("records"),
        "prevalence": {
            "view": _rows(figures.by_view),
            "sex": _rows(figures.by_sex),
            "age": _rows(figures.by_age),
        },
        "from_film_to_film": _rows(figures.follow_ups),
        "boxes": _rows(figures.boxes),
        "parts": {name: _rows(frame) for name, frame in figures.balance.items()},
        "leakage": _rows(figures.leakage),
        "overlaps": figures.overlaps.to_dict("records"),
        "batches": {**vars(figures.batches), "classes": _rows(figures.batches.classes)},
        "difference": figures.difference
        and {**vars(figures.difference), "findings": _rows(figures.difference.findings)},
        "claims": [asdict(claim) for claim in figures.claims],
    }


def _rows(frame: pd.DataFrame) -> dict[str, dict[str, object]]:
    """{row: {column: number or None}}."""
    plain = frame.astype(object).where(frame.notna(), None)
    return {str(name): row.to_dict() for name, row in plain.iterrows()}
