"""The figures of the model that ships, from its folder and docs/measured/."""

import json
import re
from pathlib import Path

import arms
import pandas as pd

from xlite.config import bundled
from xlite.data.eda.markdown import table
from xlite.data.predictions import read_predictions
from xlite.evaluation.localisation_report import describe
from xlite.models.checkpoint import MODEL_FILE, load_model
from xlite.report.card import CARD_FILE, card_beside
from xlite.report.document import to_markdown
from xlite.report.sections.marks import capital
from xlite.report.sections.whole import whole
from xlite.report.sentences import clean, interval
from xlite.text import number

MODEL = bundled("checkpoints", "demo")
JUDGED = MODEL / "evaluation" / "test"


def metrics() -> dict:
    """Its report on the test part."""
    return json.loads((JUDGED / "metrics.json").read_bytes())


def report() -> str:
    """The whole report, as it stands in the model's folder but for its title, a heading deeper."""
    curves = json.loads((JUDGED / "curves.json").read_bytes())
    return re.sub("^## ", "### ", to_markdown("", whole(metrics(), curves)[1]).rstrip(), flags=re.MULTILINE)


def write() -> list[Path]:
    """Writes its card and its report as Markdown anew; returns those that changed."""
    found, curves = metrics(), json.loads((JUDGED / "curves.json").read_bytes())
    files = MODEL / CARD_FILE, JUDGED / "report.md"
    before = [path.read_bytes() for path in files]
    card_beside(MODEL / MODEL_FILE, *load_model(MODEL / MODEL_FILE), found)
    files[1].write_text(to_markdown(*whole(found, curves)), encoding="utf-8")
    return [path for path, old in zip(files, before, strict=True) if path.read_bytes() != old]


def sentence() -> str:
    """Its mean AUC in a sentence, with that on clean films where a teacher knows some."""
    found = metrics()
    split, spoiled = found["split"], found["contamination"]
    text = (
        f"Its mean AUC on {split['images']} test films of split `{split['id']}` is "
        f"{interval(found['macro']['auc'])}"
    )
    if not spoiled:
        return f"{text}."
    text += f", but what it learned from knows {spoiled['films']} of them"
    return f"{text}. {clean(found)}."


def choice() -> str:
    """The runs that it was chosen from."""
    runs = pd.read_csv(arms.MEASURED / "shipped.csv")
    best = runs["val_auc"].idxmax()
    test = _struck if metrics()["contamination"] else str
    rows = [
        [f"**{cell}**" if row.Index == best else cell for cell in (row.run, row.recipe, number(row.val_auc))]
        + [test(number(row.test_auc))]
        for row in runs.itertuples()
    ]
    mean = ["mean", "", number(runs["val_auc"].mean()), test(number(runs["test_auc"].mean()))]
    return table(["run", "recipe", "val AUC", "test AUC"], [*rows, mean])


def paired() -> str:
    """The shipped model against each arm measured on its split."""
    found, own = metrics(), read_predictions(JUDGED / "predictions.csv")
    rows = []
    for study in arms.studies():
        if found["split"]["id"] not in set(study.runs["split"]):
            continue
        films = {"all": study.films, "clean": study.clean}
        for arm in study.measured():
            for which, chosen in films.items():
                if chosen is not None:
                    pattern = "~~{}~~" if found["contamination"] else arms.mark(study, arm)
                    answers = own, study.averaged(arm)
                    cells = arms.difference(
                        chosen, answers, ("demo", arm), pattern if which == "all" else "{}"
                    )
                    rows.append([f"shipped − {arm}", f"{len(chosen)} ({which})", *cells])
    if not rows:
        return "No arm has been measured on its split."
    return table(["difference of mean AUC", "test films", "value", "p"], rows)


def maps() -> str:
    """What `xlite localise` measured: a part for each file."""
    return "\n\n".join(map(_maps, sorted((arms.MEASURED / "maps").glob("*.json"))))


def _maps(path: Path) -> str:
    found = json.loads(path.read_bytes())
    split, drawn = found["split"], found["bootstrap"]
    where = split["id"] if split["part"] == "all" else f"split `{split['id']}`, {split['part']} part"
    title = capital(path.stem.replace("-", " "))
    said = (
        f"**{title}**: model `{found['model']}`, {where}, {split['label_version']} labels; "
        f"{split['boxes']} boxes on {split['films']} films of {split['patients']} patients; 95 % intervals "
        f"from {drawn['resamples']:,} resamples of patients, seed {drawn['seed']}."
    )
    tables = [table([_plain(name) for name in header], rows) for header, rows in describe(found)]
    warnings = "\n".join(f"- {_plain(warning)}" for warning in found["warnings"])
    return "\n\n".join([said, *tables, warnings])


def _struck(text: str) -> str:
    return f"~~{text}~~"


def _plain(text: str) -> str:
    return text.replace(">", "\\>")
