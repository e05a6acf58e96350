"""Everything the report says about a folder, computed once."""

from dataclasses import asdict, dataclass

import pandas as pd

from xlite.data.eda import summary
from xlite.data.eda.claims import Claim, check_claims
from xlite.data.eda.parts import balance, exposed, overlaps, partitions
from xlite.data.nih import NihFolder


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
    boxes: pd.DataFrame
    balance: dict[str, pd.DataFrame]
    exposed: dict[str, float]
    overlaps: pd.DataFrame
    claims: list[Claim]


def survey(folder: NihFolder) -> Survey:
    """All figures of a folder's table, boxes, lists and splits; films are not looked at."""
    table = folder.table
    counts = summary.finding_counts(table)
    together = summary.cooccurrence(table)
    divided = partitions(folder)
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
        lift=summary.lift(together, len(table)),
        pairs=summary.pairs(table),
        ages=summary.age_histogram(table),
        by_view=summary.prevalence_by(table, table["view"]),
        by_sex=summary.prevalence_by(table, table["sex"]),
        by_age=summary.prevalence_by(table, summary.age_band(table["age"])),
        boxes=summary.box_sizes(folder.boxes()),
        balance={one.name: balance(folder, one) for one in divided},
        exposed={one.name: exposed(folder, _before_test(one.parts), one.parts["test"]) for one in divided},
        overlaps=overlaps(divided),
        claims=check_claims(folder),
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
        "boxes": _rows(figures.boxes),
        "parts": {name: _rows(frame) for name, frame in figures.balance.items()},
        "test_films_with_known_patients": figures.exposed,
        "overlaps": figures.overlaps.to_dict("records"),
        "claims": [asdict(claim) for claim in figures.claims],
    }


def _before_test(parts: dict[str, list[str]]) -> list[str]:
    return [stem for part, stems in parts.items() if part != "test" for stem in stems]


def _rows(frame: pd.DataFrame) -> dict[str, dict[str, object]]:
    """{row: {column: number or None}}."""
    plain = frame.astype(object).where(frame.notna(), None)
    return {str(name): row.to_dict() for name, row in plain.iterrows()}
