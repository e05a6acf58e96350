"""What the Explore page says about tables and films: values and sentences as text. No streamlit."""

from collections.abc import Sequence

import pandas as pd

from xlite.data.eda.overview import Overview
from xlite.data.eda.statistics import LEAST_EXPECTED, Facts
from xlite.data.folder import NihFolder
from xlite.findings import FINDINGS, NO_FINDING, spoken
from xlite.messages import as_code, literal
from xlite.text import counted, labels_of


def folder_caption(folder: NihFolder) -> str:
    """A data folder, its label edition and its size, in Markdown."""
    films = counted(len(folder.table), "film")
    return f"{as_code(str(folder.root))}, {labels_of(folder.label_version)}, {films} in the table"


def headline(facts: Facts) -> dict[str, str]:
    """Films, patients and the shares that matter: {label: value}."""
    return {
        "Films": f"{facts.films:,}",
        "Patients": f"{facts.patients:,}",
        "Without finding": f"{1 - facts.with_finding / facts.films:.1%}",
        "Several findings": f"{facts.several_findings / facts.films:.1%}",
    }


def cooccurrence_caption(by: str) -> str:
    """What the co-occurrence matrix shows, coloured by "lift" or "films"."""
    if by == "lift":
        return (
            "How many times more often than by chance two findings meet; empty if chance alone would give "
            f"fewer than {LEAST_EXPECTED} films. Click a cell to see its films below."
        )
    return "Films that have both findings. Click a cell to see them below."


def patients_caption(facts: Facts) -> str:
    """How many patients have several films, and why that matters."""
    theirs = facts.films_of_patients_with_several / facts.films
    return (
        f"{facts.patients_with_several:,} patients have more than one film, one of them "
        f"{facts.most_films:,}; {theirs:.1%} of the films are theirs. So a split must go by patient."
    )


def prevalence_table(data: Overview) -> pd.DataFrame:
    """Films, and the share of each class among them, by view, sex and age band: a table of texts."""
    groups = pd.concat([data.by_view, data.by_sex, data.by_age]).rename(columns=spoken).T
    films = groups.loc[["Films"]].map("{:,.0f}".format)
    shares = groups.drop("Films").map("{:.2%}".format)
    return pd.concat([films, shares])


def gallery_title(clicked: Sequence[str]) -> str:
    """The heading of the gallery: all films, or those with the findings that a person clicked."""
    return "Films" if not clicked else f"Films with {' and '.join(map(spoken, clicked)).lower()}"


def film_caption(film: pd.Series) -> str:
    """A film's findings (`Mass, Nodule` or `No finding`), view, sex, age and stem, in Markdown."""
    labels = ", ".join(spoken(name) for name in FINDINGS if film[name]) or spoken(NO_FINDING)
    age = "age unknown" if pd.isna(film["age"]) else f"{film['age']:.0f} y"
    view, sex, stem = (literal(film[name]) for name in ("view", "sex", "stem"))
    return f"**{labels}**  \n{view}, {sex}, {age}  \n{stem}"
