"""The EDA report: Markdown with figures beside it, every number computed from the folder that is given."""

from datetime import date
from pathlib import Path

from xlite.data.eda import sections_films as films
from xlite.data.eda import sections_training as training
from xlite.data.eda.survey import Survey, as_dict, survey
from xlite.data.folder import NihFolder
from xlite.errors import DataError
from xlite.text import counted


def write_eda(data: Path | str, out: Path | str, other_table: Path | None = None) -> dict[str, object]:
    """Writes the report on a data folder to `out` (Markdown) and its figures to `img/` beside it.

    `other_table` is another edition of its table to compare with. Returns the figures as plain numbers.
    Raises DataError where `data` is no data folder, `out` is one, or a table cannot be read.
    """
    out = Path(out)
    if out.is_dir():
        raise DataError(
            f"{out} is a folder; give the Markdown file to write, such as {out / 'EDA_REPORT.md'}"
        )
    folder = NihFolder.open(data)
    figures = survey(folder, other_table)
    images = _draw(figures, out)
    words = ["xlite", "eda", figures.data, "--out", out.name]
    words += ["--other-table", other_table.name] if other_table else []
    out.write_text(render(figures, images, " ".join(words)), encoding="utf-8")
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
        films.claims(figures),
        films.findings(figures, images),
        films.amounts(figures, images),
        films.from_film_to_film(figures),
        films.together(figures, images),
        films.people(figures, images),
        films.prevalence(figures, images),
        training.parts(figures),
        training.batches(figures),
        training.difference(figures),
        films.boxes(figures, images),
    ]
    return "\n\n".join(section for section in sections if section) + "\n"


def _head(figures: Survey, command: str) -> str:
    facts = figures.facts
    return f"""# What is in the data

{counted(facts["films"], "film")} of {counted(facts["patients"], "patient")}; by sex {_shares(facts["sex"])};
by view {_shares(facts["view"])}; label edition {figures.label_version}.

> Made by `{command}` on {date.today().isoformat()} from the folder
> `{figures.data}`, table {figures.fingerprint}; nothing here is typed by hand.
> NIH's labels were mined from radiology reports, not read from the films: they are noisy."""


def _shares(counts: dict[str, int]) -> str:
    return " and ".join(f"{count:,} {name}" for name, count in counts.items())
