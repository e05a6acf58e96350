"""The statistics of a table that the report and the Explore page both show, computed together."""

from dataclasses import dataclass

import pandas as pd

from xlite.data.eda import statistics
from xlite.data.eda.statistics import Facts


@dataclass(frozen=True)
class Overview:
    """Statistics of one table; each frame as the function of `statistics` of that name gives it.

    lift leaves out pairs that chance gives fewer than LEAST_EXPECTED films; by_view, by_sex and by_age are
    from `prevalence_by`.
    """

    facts: Facts
    finding_counts: pd.DataFrame
    findings_per_film: pd.Series
    findings_per_patient: pd.Series
    films_per_patient: pd.Series
    cooccurrence: pd.DataFrame
    lift: pd.DataFrame
    ages: pd.DataFrame
    by_view: pd.DataFrame
    by_sex: pd.DataFrame
    by_age: pd.DataFrame


def overview(table: pd.DataFrame) -> Overview:
    """The statistics of a table, as `read_table` gives it, or of some of its rows."""
    together = statistics.cooccurrence(table)
    meetings = statistics.Meetings.of(statistics.label_array(table))
    return Overview(
        facts=statistics.facts(table),
        finding_counts=statistics.finding_counts(table),
        findings_per_film=statistics.findings_per_film(table),
        findings_per_patient=statistics.findings_per_patient(table),
        films_per_patient=statistics.films_per_patient(table),
        cooccurrence=together,
        lift=statistics.lift(together, meetings, statistics.LEAST_EXPECTED),
        ages=statistics.age_histogram(table),
        by_view=statistics.prevalence_by(table, table["view"]),
        by_sex=statistics.prevalence_by(table, table["sex"]),
        by_age=statistics.prevalence_by(table, statistics.age_groups(table["age"])),
    )
