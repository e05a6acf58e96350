"""The section of the report that compares two editions of the labels."""

from xlite.data.eda.markdown import table
from xlite.data.eda.survey import Survey
from xlite.text import UNKNOWN_EDITION


def editions(survey: Survey) -> str:
    """How another edition of the table differs, if there is one."""
    found = survey.difference
    unknown = survey.label_version == UNKNOWN_EDITION
    if found is None:
        here = "One table of an unknown" if unknown else f"Only the {survey.label_version}"
        return (
            f"## Label editions\n\n{here} edition is here. `--other-table FILE` compares another one with it."
        )
    unclear = bool(found.findings["unknown"].any())
    columns = ["here", "there", "only_here", "only_there", *["unknown"] * unclear]
    rows = ((str(name), *(f"{n:,}" for n in row[columns])) for name, row in found.findings.iterrows())
    ours = "here" if unknown else survey.label_version
    theirs = "there" if found.version == UNKNOWN_EDITION else found.version
    header = ("finding", ours, theirs, "only here", "only there", *["unknown in one"] * unclear)
    return f"""## Label editions

This folder's table ({survey.label_version}) beside `{found.other}` ({found.version}): {found.films:,} films
are in both, {found.here:,} only here, {found.there:,} only there. The findings of {found.label_sets:,} films
differ. Other columns that differ, in films: {found.details_words}.

{table(header, rows, numbers=len(columns))}"""
