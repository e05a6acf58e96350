"""What was measured of the model that ships, from its folder and docs/measured/."""

from pathlib import Path

import arms
import pandas as pd

from xlite.data.eda.markdown import table
from xlite.data.predictions import read_predictions
from xlite.evaluation.localisation_report import LocalisationReport
from xlite.models.available import CARD_FILE, MODEL_FILE
from xlite.models.checkpoint import load_model
from xlite.places import bundled
from xlite.report.card import card_beside
from xlite.report.caveat_sentences import map_name
from xlite.report.document import to_markdown
from xlite.report.means import mean_auc
from xlite.report.saved import read_evaluation
from xlite.report.sections.localisation import map_notes, map_tables
from xlite.report.sections.whole import whole
from xlite.report.sentences import capital, clean
from xlite.report.view import View
from xlite.text import in_markdown, number

MODEL = bundled("checkpoints", "demo")
JUDGED = MODEL / "evaluation" / "test"


def judged() -> View:
    """Its report on the test part."""
    return read_evaluation("demo", JUDGED).view()


def report() -> str:
    """The whole report, as it stands in the model's folder but for its title, a heading deeper."""
    return to_markdown("", whole(judged())[1], level=3).rstrip()


def write() -> list[Path]:
    """Writes its card and its report as Markdown anew; returns those that changed."""
    view, files = judged(), (MODEL / CARD_FILE, JUDGED / "report.md")
    before = [path.read_bytes() for path in files]
    card_beside(MODEL / MODEL_FILE, *load_model(MODEL / MODEL_FILE), view.report)
    files[1].write_text(to_markdown(*whole(view)), encoding="utf-8")
    return [path for path, old in zip(files, before, strict=True) if path.read_bytes() != old]


def auc_sentence() -> str:
    """Its mean AUC in a sentence, with that on clean films if a teacher knows some."""
    found = judged().report
    text = (
        f"Its mean AUC on {found.split.images} test films of split `{found.split.id}` is {mean_auc(found)[1]}"
    )
    if found.contamination is None:
        return f"{text}."
    if not found.contaminated:
        return f"{text}. {clean(found)}."
    known = f"but what it learned from knows {found.contamination.films} of them"
    return f"{text}, {known}. {clean(found)}."


def choice() -> str:
    """The runs that it was chosen from."""
    runs = pd.read_csv(arms.MEASURED / "shipped.csv")
    best = runs["val_auc"].idxmax()
    test = _struck if judged().contaminated else str
    rows = [
        [f"**{cell}**" if row.Index == best else cell for cell in (row.run, row.recipe, number(row.val_auc))]
        + [test(number(row.test_auc))]
        for row in runs.itertuples()
    ]
    mean = ["mean", "", number(runs["val_auc"].mean()), test(number(runs["test_auc"].mean()))]
    return table(["run", "recipe", "val AUC", "test AUC"], [*rows, mean])


def paired() -> str:
    """The shipped model against each arm measured on its split."""
    view, own = judged(), read_predictions(JUDGED / "predictions.csv")
    rows = []
    for study in arms.studies():
        if view.report.split.id not in set(study.runs["split"]):
            continue
        films = {"all": study.films, "clean": study.clean}
        for arm in study.measured():
            for which, chosen in films.items():
                if chosen is not None:
                    pattern = "~~{}~~" if view.contaminated else arms.mark(study, arm)
                    answers = own, study.averaged(arm)
                    cells = arms.difference(
                        chosen, answers, ("demo", arm), pattern if which == "all" else "{}"
                    )
                    rows.append([f"shipped − {arm}", f"{len(chosen)} ({which})", *cells])
    if not rows:
        return "No arm has been measured on its split."
    return table(["difference of mean AUC", "test films", "value", "p", "findings"], rows)


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
    films = split.id if split.part == "all" else f"split `{split.id}`, {split.part} part"
    said = (
        f"**{title}**: model `{found.model}`, {films}, {split.label_version} labels; {split.boxes} boxes on "
        f"{split.films} films of {split.patients} patients; 95 % intervals from {drawn.resamples:,} "
        f"resamples of patients, seed {drawn.seed}."
    )
    tables = [table([in_markdown(name) for name in one.header], one.texts) for one in map_tables(found)]
    warnings = "\n".join(f"- {in_markdown(note)}" for note in map_notes(found))
    return "\n\n".join([said, *tables, warnings])


def _struck(text: str) -> str:
    return f"~~{text}~~"
