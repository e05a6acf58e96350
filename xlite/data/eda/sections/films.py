"""Sections of the report about the films: what the table says of them."""

import pandas as pd

from xlite.data.eda.markdown import of, percent, table
from xlite.data.eda.statistics import LEAST_EXPECTED
from xlite.data.eda.survey import Survey
from xlite.findings import FINDINGS, NO_FINDING

MOST_PAIRS = 12


def claims(figures: Survey) -> str:
    """The design document's claims beside this folder's figures."""
    rows = ((claim.says, claim.computed, claim.verdict) for claim in figures.claims)
    return f"""## The design document's claims, checked

"About" is taken as within 5 % of the figure.

{table(("claim", "computed here", "verdict"), rows)}"""


def findings(figures: Survey, images: dict[str, str]) -> str:
    """Films, patients and share of each class."""
    ratio = figures.imbalance
    sentence = "No film has a finding."
    if ratio["findings"] is not None:
        sentence = (
            f"{ratio['common']} is {ratio['findings']:.1f} times as frequent as "
            f"{ratio['rare']}, No Finding {ratio['with_no_finding']:.1f} times."
        )
    if ratio["absent"]:
        sentence += f" Without a single film: {', '.join(ratio['absent'])}."
    rows = (
        (name, f"{row.films:,.0f}", f"{row.share:.2%}", f"{row.patients:,.0f}", percent(row.alone))
        for name, row in figures.counts.iterrows()
    )
    return f"""## Findings

{sentence} "Alone" is the share of a finding's films that have no other finding.

{table(("finding", "films", "share", "patients", "alone"), rows, numbers=4)}

![Films per finding]({images["findings"]})"""


def amounts(figures: Survey, images: dict[str, str]) -> str:
    """Findings a film and a patient, films a patient."""
    facts, per_film = figures.facts, figures.findings_per_film
    films, several = facts["films"], facts["several_findings"]
    patients, followed = facts["patients"], facts["films_of_patients_with_several"]
    clear = int(figures.findings_per_patient.get(0, 0))
    return f"""## How many

Films by number of findings, from 0 to {per_film.index[-1]}: {" / ".join(f"{n:,}" for n in per_film)}.
{several:,} films ({of(several, films)}) have two or more, which is {of(several, facts["with_finding"])} of
those that have any. {clear:,} patients ({of(clear, patients)}) have no finding on any film; patients by
number of different findings over all their films, from 0:
{" / ".join(f"{n:,}" for n in figures.findings_per_patient)}.

{facts["patients_with_several"]:,} patients have more than one film, one of them {facts["most_films"]:,};
{followed:,} films ({of(followed, films)}) are theirs. {facts["follow_ups"]:,} films are follow-ups.
To split films instead of patients is to test on patients that were trained on.

![Findings per film and patient, films per patient]({images["amounts"]})"""


def from_film_to_film(figures: Survey) -> str:
    """What stays and what appears on a patient's next film."""
    changes = figures.follow_ups
    pairs = int(changes.loc[NO_FINDING, ["had", "lacked"]].sum())
    if not pairs:
        return "## From film to film\n\nNo patient has two films."
    rows = (
        (str(name), f"{row.had:,.0f}", percent(row.stays), percent(row.appears))
        for name, row in changes.iterrows()
    )
    return f"""## From film to film

{pairs:,} films are followed by another one of the same patient. "Stays": of those with a finding, the share
where the next film has it too. "Appears": of those without it, the share where the next film has it.

{table(("finding", "films that are followed", "stays", "appears"), rows, numbers=3)}"""


def together(figures: Survey, images: dict[str, str]) -> str:
    """The pairs of findings that meet most often."""
    if figures.pairs.empty:
        return "## Together\n\nNo film has two findings."
    rows = (
        (pair.first, pair.second, f"{pair.films:,}", f"{pair.lift:.2f}")
        for pair in figures.pairs.head(MOST_PAIRS).itertuples()
    )
    return f"""## Together

Lift is how many times more often two findings meet than they would if they were independent.
In the figure a cell is grey where chance alone would give fewer than {LEAST_EXPECTED} films.
The most frequent pairs:

{table(("finding", "with", "films", "lift"), rows, numbers=2)}

![Films with two findings]({images["together"]})"""


def people(figures: Survey, images: dict[str, str]) -> str:
    """Ages."""
    facts = figures.facts
    if facts["age_median"] is None:
        return "## Ages\n\nNo age is given."
    return f"""## Ages

Ages go from {facts["age_min"]:.0f} to {facts["age_max"]:.0f} years, the median is {facts["age_median"]:.0f}.
Missing, or over 100 and taken as missing: {facts["age_missing"]:,} films.

![Age and sex]({images["ages"]})"""


def prevalence(figures: Survey, images: dict[str, str]) -> str:
    """Shares of the classes by view, sex and age band."""
    frames = [figures.by_view, figures.by_sex, figures.by_age]
    groups = pd.concat(frames, keys=range(len(frames)))
    columns = [str(name) for _, name in groups.index]
    films = ("films", *(f"{number:,.0f}" for number in groups["films"]))
    rows = [films, *((name, *map(percent, groups[name])) for name in (NO_FINDING, *FINDINGS))]
    chart = f"\n\n![Prevalence by view]({images['views']})" if "views" in images else ""
    return f"""## Prevalence by view, sex and age

{_widest_gap(figures.by_view)}

{table(("share of films with", *columns), rows, numbers=len(columns))}{chart}"""


def _widest_gap(by_view: pd.DataFrame) -> str:
    if not {"AP", "PA"} <= set(by_view.index):
        return "All films have the same view."
    ratio = (by_view.loc["AP"] / by_view.loc["PA"])[list(FINDINGS)]
    ratio = ratio[(ratio > 0) & (ratio < float("inf"))]
    if ratio.empty:
        return "No finding occurs in both views."
    name = ratio.map(lambda value: max(value, 1 / value)).idxmax()
    ap, pa = by_view.loc["AP", name], by_view.loc["PA", name]
    return (
        f"The view is a shortcut: {name} is on {ap:.1%} of AP films and {pa:.1%} of PA films, and a "
        "model can tell the view. Figures by view belong beside every result."
    )


def boxes(figures: Survey, images: dict[str, str]) -> str:
    """Sizes of the radiologists' boxes."""
    if figures.boxes.empty:
        return ""
    rows = (
        (
            name,
            f"{row.boxes:,.0f}",
            f"{row.films:,.0f}",
            f"{row.width:.0f} × {row.height:.0f}",
            f"{row.area:.2%}",
        )
        for name, row in figures.boxes.iterrows()
    )
    return f"""## Boxes

{figures.boxes["boxes"].sum():,} boxes, in pixels of the 1024 × 1024 release. The map of a model of 224 px has
7 × 7 cells (the grid in the figure), each {1 / 49:.1%} of the film: what is smaller than a cell cannot be
outlined, only pointed at.

{table(("finding", "boxes", "films", "median size, px", "median area"), rows, numbers=4)}

![Median boxes]({images["boxes"]})"""
