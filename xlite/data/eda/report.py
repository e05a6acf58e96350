"""The EDA report: Markdown with figures beside it, every number computed from the folder that is given."""

import os
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from urllib.parse import quote

from xlite.data.eda.sections import batches, editions, films, splits
from xlite.data.eda.survey import Survey, survey
from xlite.data.folder import NihFolder
from xlite.errors import DataError
from xlite.findings import FINDINGS
from xlite.text import counted, in_markdown, printable


@dataclass(frozen=True)
class EdaReport:
    """What `write_eda` wrote: the report, its figures, and the survey they show.

    missing: films of the table that have no file.
    """

    path: Path
    figures: list[Path]
    missing: int
    survey: Survey

    def as_dict(self) -> dict[str, object]:
        """Plain values, for JSON."""
        return {
            "report": str(self.path),
            "missing": self.missing,
            "figures": [str(figure) for figure in self.figures],
            **self.survey.as_dict(),
        }


def write_eda(data: Path | str, out: Path | str, other_table: Path | None = None) -> EdaReport:
    """Writes the report on a data folder to `out` (Markdown) and its figures to `img/` beside it.

    `other_table` is another edition of its table to compare with. Raises DataError if `data` is not a data
    folder, `out` is a folder, or a table cannot be read.
    """
    out = Path(out)
    if out.is_dir():
        raise DataError(
            f"{out} is a folder; give the Markdown file to write, such as {out / 'EDA_REPORT.md'}"
        )
    folder = NihFolder.open(data)
    found = survey(folder, other_table)
    links = _draw(found, out)
    words = ["xlite", "eda", found.data, "--out", out.name]
    words += ["--other-table", other_table.name] if other_table else []
    out.write_text(render(found, links, " ".join(words)), encoding="utf-8")
    figures = [out.parent / link for link in links.values()]
    return EdaReport(out, figures, len(folder.missing()), found)


def _draw(found: Survey, out: Path) -> dict[str, str]:
    """Draws the figures that the folder has data for; returns the link to each from the report."""
    from xlite.data.eda import paper_figures as draw  # loading matplotlib takes most of a second

    table = found.overview
    drawn = {
        "findings": draw.findings(table.finding_counts),
        "amounts": draw.tallies(table.findings_per_film, table.findings_per_patient, table.films_per_patient),
        "together": draw.cooccurrence(table.cooccurrence, table.lift),
    }
    if (table.by_view.filter(["AP", "PA"], axis=0)[list(FINDINGS)] > 0).any(axis=None):
        drawn["views"] = draw.views(table.by_view)
    if len(table.ages):
        drawn["ages"] = draw.ages(table.ages)
    if len(found.boxes):
        drawn["boxes"] = draw.boxes(found.boxes)
    (out.parent / "img").mkdir(parents=True, exist_ok=True)
    links = {}
    for name, figure in drawn.items():
        links[name] = f"img/{out.stem.lower()}_{name}.png"
        draw.save(figure, out.parent / links[name])
    return links


def render(found: Survey, links: dict[str, str], command: str) -> str:
    """The report as Markdown; `links` maps a figure's name to its link, `command` is what made it."""
    links = {name: quote(os.fsencode(link)) for name, link in links.items()}
    sections = [
        _head(found, command),
        films.claims(found),
        films.unknown(found),
        films.findings(found, links),
        films.tallies(found, links),
        films.follow_ups(found),
        films.cooccurrence(found, links),
        films.ages(found, links),
        films.prevalence(found, links),
        splits.splits(found),
        batches.batches(found),
        editions.editions(found),
        films.boxes(found, links),
    ]
    return "\n\n".join(section for section in sections if section) + "\n"


def _head(found: Survey, command: str) -> str:
    facts = found.overview.facts
    return f"""# What is in the data

{counted(facts.films, "film")} of {counted(facts.patients, "patient")}; by sex {_shares(facts.sex)};
by view {_shares(facts.view)}; label edition {found.label_version}.

> Made by {_code(command)} on {date.today().isoformat()} from the folder
> {_code(found.data)}, table {found.fingerprint}; nothing here is typed by hand.
> NIH's labels were mined from radiology reports, not read from the films: they are noisy."""


def _code(text: str) -> str:
    return "`" + printable(text).replace("`", "'") + "`"


def _shares(counts: dict[str, int]) -> str:
    return " and ".join(f"{count:,} {in_markdown(name)}" for name, count in counts.items())
