"""Sections of the report about the films: claims, findings, patients, ages, views and boxes."""

import pandas as pd

from xlite.data.eda.markdown import of, percent, table
from xlite.data.eda.statistics import LEAST_EXPECTED, Facts
from xlite.data.eda.survey import Survey
from xlite.findings import FINDINGS, NO_FINDING
from xlite.text import in_markdown

MOST_PAIRS = 12


def claims(survey: Survey) -> str:
    """The design document's claims beside what this folder's table gives."""
    rows = ((claim.says, claim.computed, claim.verdict) for claim in survey.claims)
    return f"""## The design document's claims, checked

"About" means within 5 % of the number.

{table(("claim", "computed here", "verdict"), rows)}"""


def unknown(survey: Survey) -> str:
    """What is said of labels that are unknown; empty if all are known."""
    if not survey.unknown:
        return ""
    return f"""## Labels that are not known

{" ".join(survey.unknown)} An unknown label is neither a positive nor a negative. A film counts as No Finding
if all findings that are labelled here are known to be absent; shares of No Finding, and of several findings,
are of the films of which all of these are known. The findings of a film or a patient are those
that are known."""


def findings(survey: Survey, links: dict[str, str]) -> str:
    """Films, patients and share of each class."""
    ratio = survey.imbalance
    sentence = "No film has a finding."
    if ratio.findings is not None:
        sentence = (
            f"{ratio.common} is {ratio.findings:.1f} times as frequent as {ratio.rare}"
            f"{'' if ratio.with_no_finding is None else f', No Finding {ratio.with_no_finding:.1f} times'}."
        )
    if ratio.absent:
        sentence += f" Without a single film: {', '.join(ratio.absent)}."
    header = ["finding", "films", "share", "patients", "alone"]
    rows = [
        [str(name), f"{row.films:,.0f}", percent(row.share), f"{row.patients:,.0f}", percent(row.alone)]
        for name, row in survey.overview.finding_counts.iterrows()
        if name not in survey.not_labelled
    ]
    if survey.unknown:
        header.append("of films known")
        known = survey.overview.finding_counts["known"]
        rows = [[*row, f"{known[row[0]]:,}"] for row in rows]
    return f"""## Findings

{sentence} "Alone" is the share of a finding's films that have no other finding.

{table(header, rows, numbers=len(header) - 1)}

![Films per finding]({links["findings"]})"""


def tallies(survey: Survey, links: dict[str, str]) -> str:
    """Findings per film and per patient, films per patient."""
    facts, per_film = survey.overview.facts, survey.overview.findings_per_film
    several = _several(facts)
    patients, followed = facts.patients, facts.films_of_patients_with_several
    clear = int(survey.overview.findings_per_patient.get(0, 0))
    return f"""## How many

Films by number of findings, from 0 to {per_film.index[-1]}: {" / ".join(f"{n:,}" for n in per_film)}.
{several} {clear:,} patients ({of(clear, patients)}) have no finding on any film; patients by
number of different findings over all their films, from 0:
{" / ".join(f"{n:,}" for n in survey.overview.findings_per_patient)}.

{facts.patients_with_several:,} patients have more than one film, one of them {facts.most_films:,};
{followed:,} films ({of(followed, facts.films)}) are theirs. {facts.follow_ups:,} films are follow-ups.
To split films instead of patients is to test on patients that were trained on.

![Findings per film and patient, films per patient]({links["amounts"]})"""


def _several(facts: Facts) -> str:
    """How many films have several findings, of those all of whose labels are known."""
    if not facts.decided:
        return "How many have two or more is unknown, as of no film all labels are known."
    shown, share = of(facts.several_decided, facts.decided), of(facts.several_decided, facts.with_decided)
    whose = "" if facts.decided == facts.films else f" of {facts.decided:,} all of whose labels are known"
    have = f"have two or more, which is {share} of\nthose that have any."
    return f"{facts.several_decided:,} films{whose} ({shown}) {have}"


def follow_ups(survey: Survey) -> str:
    """What stays and what appears on a patient's next film."""
    changes = survey.follow_ups
    pairs = survey.overview.facts.films - survey.overview.facts.patients
    if not pairs:
        return "## From film to film\n\nNo patient has two films."
    rows = (
        (str(name), f"{row.had:,.0f}", percent(row.stays), percent(row.appears))
        for name, row in changes.drop(survey.not_labelled).iterrows()
    )
    return f"""## From film to film

{pairs:,} films are followed by another one of the same patient. "Stays": of those with a finding, the share
whose next film has it too. "Appears": of those without it, the share whose next film has it.

{table(("finding", "films that are followed", "stays", "appears"), rows, numbers=3)}"""


def cooccurrence(survey: Survey, links: dict[str, str]) -> str:
    """The pairs of findings that meet most often."""
    if survey.pairs.empty:
        return "## Together\n\nNo film has two findings."
    rows = (
        (pair.first, pair.second, f"{pair.films:,}", f"{pair.lift:.2f}")
        for pair in survey.pairs.head(MOST_PAIRS).itertuples()
    )
    return f"""## Together

Lift is how many times more often two findings meet than they would if they were independent.
In the figure a cell is grey if chance alone would give fewer than {LEAST_EXPECTED} films.
The most frequent pairs:

{table(("finding", "with", "films", "lift"), rows, numbers=2)}

![Films with two findings]({links["together"]})"""


def ages(survey: Survey, links: dict[str, str]) -> str:
    """The range of ages, and how many are missing."""
    facts = survey.overview.facts
    if facts.age_median is None:
        return "## Ages\n\nNo age is given."
    return f"""## Ages

Ages go from {facts.age_min:.0f} to {facts.age_max:.0f} years, the median is {facts.age_median:.0f}.
Missing, or over 100 and taken as missing: {facts.age_missing:,} films.

![Age and sex]({links["ages"]})"""


def prevalence(survey: Survey, links: dict[str, str]) -> str:
    """Shares of the classes by view, sex and age band."""
    frames = [survey.overview.by_view, survey.overview.by_sex, survey.overview.by_age]
    groups = pd.concat(frames, keys=range(len(frames)))
    columns = [in_markdown(str(name)) for _, name in groups.index]
    films = ("films", *(f"{number:,.0f}" for number in groups["films"]))
    labelled = [name for name in (NO_FINDING, *FINDINGS) if name not in survey.not_labelled]
    rows = [films, *((name, *map(percent, groups[name])) for name in labelled)]
    figure = f"\n\n![Prevalence by view]({links['views']})" if "views" in links else ""
    return f"""## Prevalence by view, sex and age

{_widest_gap(survey.overview.by_view)}

{table(("share of films with", *columns), rows, numbers=len(columns))}{figure}"""


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
        "model can tell the view. Metrics by view belong beside every result."
    )


def boxes(survey: Survey, links: dict[str, str]) -> str:
    """Sizes of the radiologists' boxes."""
    if survey.boxes.empty:
        return ""
    rows = (
        (
            name,
            f"{row.boxes:,.0f}",
            f"{row.films:,.0f}",
            f"{row.width:.0f} × {row.height:.0f}",
            f"{row.area:.2%}",
        )
        for name, row in survey.boxes.iterrows()
    )
    return f"""## Boxes

{survey.boxes["boxes"].sum():,} boxes, in pixels of the 1024 × 1024 release. The map of a model of 224 px has
7 × 7 cells (the grid in the figure), each {1 / 49:.1%} of the film: what is smaller than a cell cannot be
outlined, only pointed at.

{table(("finding", "boxes", "films", "median size, px", "median area"), rows, numbers=4)}

![Median boxes]({links["boxes"]})"""
