"""The EDA report: Markdown with figures beside it, every number computed from the folder that is given."""

from collections.abc import Iterable
from datetime import date
from pathlib import Path

import pandas as pd

from xlite.data.eda.survey import Survey, as_dict, survey
from xlite.data.nih import NihFolder
from xlite.errors import DataError
from xlite.findings import FINDINGS, NO_FINDING

MOST_PAIRS = 12


def write_eda(data: Path | str, out: Path | str) -> dict[str, object]:
    """Writes the report on a data folder to `out` (Markdown) and its figures to `img/` beside it.

    Returns the figures as plain numbers. Raises DataError where `data` is no data folder or `out` is one.
    """
    out = Path(out)
    if out.is_dir():
        raise DataError(
            f"{out} is a folder; give the Markdown file to write, such as {out / 'EDA_REPORT.md'}"
        )
    folder = NihFolder.open(data)
    figures = survey(folder)
    images = _draw(figures, out)
    out.write_text(render(figures, images, f"xlite eda {figures.data} --out {out.name}"), encoding="utf-8")
    return {
        "report": str(out),
        "missing": len(folder.missing()),
        "figures": [str(out.parent / image) for image in images.values()],
        **as_dict(figures),
    }


def _draw(figures: Survey, out: Path) -> dict[str, str]:
    """Draws the figures that the folder has data for; returns each one's path as the report links it."""
    from xlite.data.eda import charts  # matplotlib takes most of a second: only who draws pays for it

    drawn = {
        "findings": charts.findings(figures.counts),
        "amounts": charts.amounts(
            figures.findings_per_film, figures.findings_per_patient, figures.films_per_patient
        ),
        "together": charts.together(figures.cooccurrence, figures.lift),
    }
    if figures.facts["with_finding"]:
        drawn["views"] = charts.views(figures.by_view)
    if len(figures.ages):
        drawn["ages"] = charts.ages(figures.ages)
    if len(figures.boxes):
        drawn["boxes"] = charts.boxes(figures.boxes)
    (out.parent / "img").mkdir(parents=True, exist_ok=True)
    images = {}
    for name, figure in drawn.items():
        images[name] = f"img/{out.stem.lower()}_{name}.png"
        charts.save(figure, out.parent / images[name])
    return images


def render(figures: Survey, images: dict[str, str], command: str) -> str:
    """The report as Markdown; `images` maps a figure's name to its link, `command` is what made it."""
    sections = [
        _head(figures, command),
        _claims(figures),
        _findings(figures, images),
        _amounts(figures, images),
        _together(figures, images),
        _people(figures, images),
        _prevalence(figures, images),
        _parts(figures),
        _boxes(figures, images),
    ]
    return "\n\n".join(section for section in sections if section) + "\n"


def _head(figures: Survey, command: str) -> str:
    facts = figures.facts
    return f"""# What is in the data

{facts["films"]:,} films of {facts["patients"]:,} patients; by sex {_shares(facts["sex"])};
by view {_shares(facts["view"])}; label edition {figures.label_version}.

> Made by `{command}` on {date.today().isoformat()} from the folder
> `{figures.data}`, table {figures.fingerprint}; nothing here is typed by hand.
> NIH's labels were mined from radiology reports, not read from the films: they are noisy."""


def _claims(figures: Survey) -> str:
    rows = ((claim.says, claim.computed, claim.verdict) for claim in figures.claims)
    return f"""## The design document's claims, checked

"About" is taken as within 5 % of the figure.

{_table(("claim", "computed here", "verdict"), rows)}"""


def _findings(figures: Survey, images: dict[str, str]) -> str:
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
        (name, f"{row.films:,.0f}", f"{row.share:.2%}", f"{row.patients:,.0f}", _percent(row.alone))
        for name, row in figures.counts.iterrows()
    )
    return f"""## Findings

{sentence} "Alone" is the share of a finding's films that have no other finding.

{_table(("finding", "films", "share", "patients", "alone"), rows, numbers=4)}

![Films per finding]({images["findings"]})"""


def _amounts(figures: Survey, images: dict[str, str]) -> str:
    facts, per_film = figures.facts, figures.findings_per_film
    films, several = facts["films"], facts["several_findings"]
    patients, followed = facts["patients"], facts["films_of_patients_with_several"]
    clear = int(figures.findings_per_patient.get(0, 0))
    return f"""## How many

Films by number of findings, from 0 to {per_film.index[-1]}: {" / ".join(f"{n:,}" for n in per_film)}.
{several:,} films ({_of(several, films)}) have two or more, which is {_of(several, facts["with_finding"])} of
those that have any. {clear:,} patients ({_of(clear, patients)}) have no finding on any film.

{facts["patients_with_several"]:,} patients have more than one film, one of them {facts["most_films"]:,};
{followed:,} films ({_of(followed, films)}) are theirs. {facts["follow_ups"]:,} films are follow-ups.
To split films instead of patients is to test on patients that were trained on.

![Findings per film and patient, films per patient]({images["amounts"]})"""


def _together(figures: Survey, images: dict[str, str]) -> str:
    if figures.pairs.empty:
        return "## Together\n\nNo film has two findings."
    rows = (
        (pair.first, pair.second, f"{pair.films:,}", f"{pair.lift:.2f}")
        for pair in figures.pairs.head(MOST_PAIRS).itertuples()
    )
    return f"""## Together

Lift is how many times more often two findings meet than they would if they were independent.
The most frequent pairs:

{_table(("finding", "with", "films", "lift"), rows, numbers=2)}

![Films with two findings]({images["together"]})"""


def _people(figures: Survey, images: dict[str, str]) -> str:
    facts = figures.facts
    if facts["age_median"] is None:
        return "## Ages\n\nNo age is given."
    return f"""## Ages

Ages go from {facts["age_min"]:.0f} to {facts["age_max"]:.0f} years, the median is {facts["age_median"]:.0f}.
Missing, or over 100 and taken as missing: {facts["age_missing"]:,} films.

![Age and sex]({images["ages"]})"""


def _prevalence(figures: Survey, images: dict[str, str]) -> str:
    frames = [figures.by_view, figures.by_sex, figures.by_age]
    groups = pd.concat(frames, keys=range(len(frames)))
    columns = [str(name) for _, name in groups.index]
    films = ("films", *(f"{number:,.0f}" for number in groups["films"]))
    rows = [films, *((name, *map(_percent, groups[name])) for name in (NO_FINDING, *FINDINGS))]
    chart = f"\n\n![Prevalence by view]({images['views']})" if "views" in images else ""
    return f"""## Prevalence by view, sex and age

{_widest_gap(figures.by_view)}

{_table(("share of films with", *columns), rows, numbers=len(columns))}{chart}"""


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


def _parts(figures: Survey) -> str:
    if not figures.balance:
        return ""
    sections = ["## Train and test lists"]
    for name, parts in figures.balance.items():
        films = ("films", *(f"{number:,}" for number in parts["films"]))
        patients = ("patients", *(f"{number:,}" for number in parts["patients"]))
        classes = (
            (
                one,
                *(f"{n:,} ({_of(n, total)})" for n, total in zip(parts[one], parts["films"], strict=True)),
            )
            for one in (NO_FINDING, *FINDINGS)
        )
        sections.append(
            f"### {name}\n\nTest films whose patient is in train or val too: {figures.exposed[name]:.1%}.\n\n"
            + _table((name, *parts.index), [films, patients, *classes], numbers=len(parts))
        )
    if len(figures.overlaps):
        rows = (
            (
                one.test,
                one.trained_on,
                *(f"{n:,}" for n in (one.films, one.in_train, one.in_train_or_val, one.clean)),
            )
            for one in figures.overlaps.itertuples()
        )
        header = ("test part of", "for a model trained on", "films", "in train", "in train or val", "clean")
        sections.append(
            "### Across the lists\n\nA model (or a teacher) that learned on one list and is judged on "
            "another has seen films of its test. Only the clean ones may be counted.\n\n"
            + _table(header, rows, numbers=4)
        )
    return "\n\n".join(sections)


def _boxes(figures: Survey, images: dict[str, str]) -> str:
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

{_table(("finding", "boxes", "films", "median size, px", "median area"), rows, numbers=4)}

![Median boxes]({images["boxes"]})"""


def _table(header: tuple[str, ...], rows: Iterable[tuple[str, ...]], numbers: int = 0) -> str:
    """A Markdown table; the last `numbers` columns are aligned right."""
    rules = ["---"] * (len(header) - numbers) + ["---:"] * numbers
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (header, rules, *rows))


def _shares(counts: dict[str, int]) -> str:
    return " and ".join(f"{count:,} {name}" for name, count in counts.items())


def _percent(share: float) -> str:
    return "" if pd.isna(share) else f"{share:.2%}"


def _of(number: int, total: int) -> str:
    return f"{number / total:.2%}" if total else "none"
