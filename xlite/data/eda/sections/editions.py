"""The section of the report that compares two editions of the labels."""

from xlite.data.eda.markdown import table
from xlite.data.eda.survey import Survey


def editions(survey: Survey) -> str:
    """How another edition of the table differs, if there is one."""
    found = survey.difference
    if found is None:
        return (
            f"## Label editions\n\nOnly the {survey.label_version} edition is here. "
            "`--other-table FILE` compares another one with it."
        )
    details = ", ".join(f"{name.replace('_', '-')} {films:,}" for name, films in found.details.items())
    rows = (
        (str(name), *(f"{n:,}" for n in (row.here, row.there, row.only_here, row.only_there)))
        for name, row in found.findings.iterrows()
    )
    header = ("finding", survey.label_version, found.version, "only here", "only there")
    return f"""## Label editions

This folder's table ({survey.label_version}) beside `{found.other}` ({found.version}): {found.films:,} films
are in both, {found.here:,} only here, {found.there:,} only there. The findings of {found.label_sets:,} films
differ. Other columns that differ, in films: {details}.

{table(header, rows, numbers=4)}"""
