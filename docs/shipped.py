"""What was measured of the models that ship, from their folders and docs/measured/."""

from pathlib import Path

import arms
import pandas as pd

from xlite.data.eda.markdown import table
from xlite.data.predictions import PREDICTIONS_FILE, Predictions, read_predictions
from xlite.evaluation.localisation.localisation_report import LocalisationReport
from xlite.models.available import CARD_FILE, EXPORT_FILES, MODEL_FILE, SHIPPED, TINY
from xlite.models.checkpoint import load_model
from xlite.places import bundled
from xlite.report.card import card_beside
from xlite.report.caveat_sentences import map_name
from xlite.report.document import to_markdown
from xlite.report.saved import read_evaluation
from xlite.report.sections.localisation import map_notes, map_tables
from xlite.report.sections.whole import whole
from xlite.report.view import View
from xlite.split_names import ALL_FILMS
from xlite.text import capital, in_markdown, number

BEFORE = arms.MEASURED / "before"
"""Predictions of the MobileNetV2 that shipped first, for the test films of today's split whose patients are
new to it."""


def judged(name: str) -> View:
    """A shipped model's report on the test part."""
    return read_evaluation(name, _evaluation(name)).view()


def report() -> str:
    """The recommended model's report, as it stands in its folder but for its title, a heading deeper."""
    return to_markdown("", whole(judged(SHIPPED))[1], level=3).rstrip()


def write() -> list[Path]:
    """Writes cards and reports as Markdown anew; returns those that changed."""
    return [path for name in (SHIPPED, TINY) for path in _write(name)]


def _write(name: str) -> list[Path]:
    folder, view = bundled("checkpoints", name), judged(name)
    files = folder / CARD_FILE, _evaluation(name) / "report.md"
    before = [path.read_bytes() if path.exists() else b"" for path in files]
    card_beside(folder / MODEL_FILE, *load_model(folder / MODEL_FILE), view.report)
    files[1].write_text(to_markdown(*whole(view)), encoding="utf-8")
    return [path for path, old in zip(files, before, strict=True) if path.read_bytes() != old]


def models() -> str:
    """What each shipped model is, weighs and is worth."""
    header = ["model", "backbone", "parameters", "fp32, MB", "int8, MB", "test films", "mean AUC", "mean ECE"]
    return table(header, [_row(name) for name in (SHIPPED, TINY)])


def _row(name: str) -> list[str]:
    folder, found = bundled("checkpoints", name), judged(name).report
    model, info = load_model(folder / MODEL_FILE)
    sizes = (f"{(folder / EXPORT_FILES[kind]).stat().st_size / 1e6:.1f}" for kind in ("fp32", "int8"))
    parameters = sum(tensor.numel() for tensor in model.parameters())
    return [
        f"`{name}`",
        info.backbone + (f", {info.stages} stages" if info.stages else ""),
        f"{parameters / 1e6:.2f} M",
        *sizes,
        str(found.split.images),
        number(found.macro.auc.value),
        number(found.macro.ece.value),
    ]


def _evaluation(name: str) -> Path:
    return bundled("checkpoints", name, "evaluation", "test")


def choice() -> str:
    """The runs that the recommended model came from, itself in bold."""
    runs = pd.read_csv(arms.MEASURED / "shipped.csv")
    rows = [
        [f"**{cell}**" if row.run == SHIPPED else cell for cell in (row.run, row.recipe)]
        + [number(row.val_auc), number(row.test_auc)]
        for row in runs.itertuples()
    ]
    return table(["run", "recipe", "validation AUC", "test AUC"], rows)


def paired(nih: pd.DataFrame) -> str:
    """Each shipped model against the arms that were measured on its split, and the MobileNetV2.

    nih: NIH's table by stem.
    """
    rows, split = [], judged(SHIPPED).report.split.id
    own = {name: read_predictions(_evaluation(name) / PREDICTIONS_FILE) for name in (SHIPPED, TINY)}
    for study in arms.studies():
        if split not in set(study.runs["split"]):
            continue
        films = study.films(nih)
        for name, answers in own.items():
            for arm in study.measured():
                if arm not in (name, TINY):
                    rows.append(_pair(films, (answers, study.averaged(arm)), (name, arm)))
    before = read_predictions(BEFORE / "predictions.csv.gz")
    films = nih.loc[before.stems]
    rows += [_pair(films, (answers, before), (name, "the MobileNetV2")) for name, answers in own.items()]
    return table(["difference of mean AUC", "test films", "value", "p", "findings"], rows)


def _pair(films: pd.DataFrame, answers: tuple[Predictions, Predictions], names: tuple[str, str]) -> list[str]:
    return [" − ".join(names), str(len(films)), *arms.difference(films, answers, names)]


def maps_pointing() -> str:
    """How often the maps of each file of `maps` point into a box: methods with a closed form, and chance."""
    methods = "layercam", "gradcam", "random", "centre"
    rows = [
        [
            title,
            str(found.split.boxes),
            *(str(found.methods[name].metrics["pointing"].all) for name in methods),
        ]
        for title, found in _localised().items()
    ]
    return table(["pointing", "boxes", *map(map_name, methods)], rows)


def maps() -> str:
    """What `xlite localise` measured: a part for each file."""
    return "\n\n".join(_maps(title, found) for title, found in _localised().items())


def _localised() -> dict[str, LocalisationReport]:
    """The reports of docs/measured/maps by the titles that their files' names give."""
    return {
        capital(path.stem.replace("-", " ")): LocalisationReport.model_validate_json(path.read_bytes())
        for path in sorted((arms.MEASURED / "maps").glob("*.json"))
    }


def _maps(title: str, found: LocalisationReport) -> str:
    split, drawn = found.split, found.bootstrap
    films = split.id if split.part == ALL_FILMS else f"split `{split.id}`, {split.part} part"
    said = (
        f"**{title}**: model `{found.model}`, {films}, {split.label_version} labels; {split.boxes} boxes on "
        f"{split.films} films of {split.patients} patients; 95 % intervals from {drawn.resamples:,} "
        f"resamples of patients, seed {drawn.seed}."
    )
    tables = [table([in_markdown(name) for name in one.header], one.texts) for one in map_tables(found)]
    warnings = "\n".join(f"- {in_markdown(note)}" for note in map_notes(found))
    return "\n\n".join([said, *tables, warnings])
