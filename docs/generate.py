"""Writes the tables of README.md, docs/*.md and docs/results/*.md: `python docs/generate.py --tables FOLDER`.

    <!-- generated: NAME -->
    what the function of that name gives
    <!-- end -->

A document may have any block of BLOCKS, and with FOLDER, where NIH's tables lie, any of FROM_TABLES and
FROM_LABELS; EDA_REPORT.md is made whole, and so are the card and the report of the model that ships. Without
--tables what needs them stays as it is. To add a block, add a function and mark its place; what was measured
lies in docs/measured/.
"""

import argparse
import re
from collections.abc import Callable, Mapping
from functools import cache, partial
from pathlib import Path

import arms
import pandas as pd
import shipped
import torch

from xlite.active.study_report import SelectStudy
from xlite.active.study_sentences import about, needed_table, rounds_table, sentences
from xlite.config import TrainConfig
from xlite.data import augmentation as augment
from xlite.data.eda import write_eda
from xlite.data.eda.markdown import table
from xlite.data.eda.sections import batches, splits
from xlite.data.eda.survey import Survey
from xlite.data.folder import NihFolder
from xlite.errors import DataError, as_option
from xlite.findings import FINDINGS
from xlite.models.densenet import DenseNet
from xlite.models.info import ModelSize
from xlite.models.student import ATTENTIONS, Student, describe
from xlite.report.document import Text, to_markdown
from xlite.text import difference, number, spread

DOCS = Path(__file__).resolve().parent
EDA_REPORT = DOCS / "EDA_REPORT.md"
MADE_ON = re.compile(r" on \d{4}-\d\d-\d\d from the folder$", re.MULTILINE)
BLOCK = re.compile(r"(<!-- generated: (?P<name>[a-z-]+) -->\n).*?(?=<!-- end -->)", re.DOTALL)
BACKBONES = (
    "mobilenetv3_small_100",
    "mobilenetv2_100",
    "mobilenetv4_conv_small",
    "efficientnet_lite0",
    "efficientnet_b0",
    "resnet18",
)


def fill(text: str, blocks: Mapping[str, Callable[[], str]]) -> str:
    """The text with each block whose name is in `blocks` made anew; the others stay."""

    def made(match: re.Match[str]) -> str:
        function = blocks.get(match["name"])
        return f"{match[1]}{function()}\n" if function else match[0]

    return BLOCK.sub(made, text)


def pages() -> list[Path]:
    """README.md and every document of docs/ and docs/results/."""
    return [DOCS.parent / "README.md", *sorted(DOCS.glob("*.md")), *sorted(DOCS.glob("results/*.md"))]


def documents() -> list[Path]:
    """The documents that have a block."""
    return [path for path in pages() if BLOCK.search(path.read_text(encoding="utf-8"))]


def train_defaults() -> str:
    """Every option of `xlite train` with its default."""
    rows = (
        (f"`{as_option(name)}`", _default(field.get_default()), str(field.description))
        for name, field in TrainConfig.model_fields.items()
        if not field.is_required()
    )
    return table(("option", "default", "what it is"), rows)


def _default(value: object) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return f"{value:g}" if isinstance(value, int | float) else f"{value}"


def augmentation() -> str:
    """The odds and ranges of the training augmentation, in its order."""
    a = augment
    rows = [
        ("horizontal flip (`--flip`)", "50%", "50%", "left and right change places"),
        ("brightness and contrast", *_odds("grey"), f"each up to ±{a.GREY_LIMIT:.0%}"),
        ("rotation", *_odds("rotate"), f"up to ±{a.ROTATE_DEGREES:g}°"),
        (
            "shift, scale, rotation",
            *_odds("shift"),
            f"±{a.SHIFT:.2%} of the side, ±{a.SCALE:.0%}, ±{a.SHIFT_DEGREES:g}°",
        ),
        (
            "noise or blur, evenly",
            *_odds("grain"),
            f"deviation {_span(a.NOISE_STD)} of the grey range; sigma {_span(a.BLUR_SIGMA)} px",
        ),
    ]
    return table(("step", "odds in `design`", "in `light`", "range"), rows)


def _odds(kind: str) -> list[str]:
    """The probability of a kind of change in the design document's augmentation, and in the light one."""
    return [f"{getattr(augment.ODDS[name], kind):.0%}" for name in ("design", "light")]


def _span(ends: tuple[float, float]) -> str:
    return f"{ends[0]:g} to {ends[1]:g}"


@cache
def measured(backbone: str, attention: str = "none") -> tuple[Student, ModelSize]:
    """A student and its size at 224 px; it has shapes only, so nothing is computed."""
    with torch.device("meta"):
        student = Student(backbone, attention)
    return student, describe(student, 224)


def sizes() -> str:
    """Backbones by their parameters, alone and as students, beside DenseNet-121 with a 14-way layer."""
    with torch.device("meta"):
        whole = sum(p.numel() for p in DenseNet().parameters())
    rows = [("DenseNet-121 (baseline)", "1024", *_share(whole, whole), "", "", "", "")]
    for student, size in map(measured, BACKBONES):
        width = student.num_features
        plain = sum(p.numel() for p in student.backbone.parameters()) + (width + 1) * len(FINDINGS)
        cost = f"{size.megabytes:.1f} MB", f"{size.multiply_adds / 1e9:.2f} G"
        rows.append(
            (student.backbone_name, f"{width}", *_share(plain, whole), *_share(size.parameters, whole), *cost)
        )
    header = (
        "backbone",
        "pooled features",
        "with a 14-way layer",
        "of DenseNet-121",
        "with X-Lite's head",
        "of DenseNet-121",
        "file",
        "multiply-adds at 224 px",
    )
    return table(header, rows, numbers=7)


def attentions() -> str:
    """What each attention adds to EfficientNet-B0."""
    made = {name: measured("efficientnet_b0", name)[1] for name in ATTENTIONS}
    rows = (
        (
            name,
            f"{size.parameters / 1e6:.2f} M",
            f"{(size.parameters - made['none'].parameters) / 1e6:.2f} M",
            f"{size.multiply_adds / 1e9:.2f} G",
        )
        for name, size in made.items()
    )
    return table(("attention", "EfficientNet-B0 with it", "more", "multiply-adds"), rows, numbers=3)


def _share(parameters: int, whole: int) -> tuple[str, str]:
    return f"{parameters / 1e6:.2f} M", f"{parameters / whole:.0%}"


def claims(found: Survey) -> str:
    """The design document's claims about the data."""
    rows = ((claim.says, claim.computed, claim.verdict) for claim in found.claims)
    return table(("it says", "NIH's table gives", "so it"), rows)


def data(found: Survey) -> str:
    """The data set in one sentence."""
    facts = found.overview.facts
    followed = facts.films_of_patients_with_several / facts.films
    return (
        f"{facts.films:,} films of {facts.patients:,} patients, {found.label_version} labels; "
        f"{followed:.0%} of the films are of patients with more than one, at most {facts.most_films}."
    )


def recipes() -> str:
    """Runs of one study that changed one thing each; their teacher knows test films."""
    runs = pd.read_csv(arms.MEASURED / "recipes.csv")
    rows = ([row.changed, number(row.val_auc), f"~~{number(row.test_auc)}~~"] for row in runs.itertuples())
    return table(("changed", "val", "test"), rows)


def selecting(name: str) -> str:
    """A study of choosing films to label, from docs/measured/select."""
    found = SelectStudy.model_validate_json((arms.MEASURED / "select" / f"{name}.json").read_bytes())
    said = [Text(one) for one in (about(found), *sentences(found))]
    return to_markdown("", [*said, needed_table(found), rounds_table(found)]).strip()


def federated(name: str, folder: Path = arms.MEASURED / "federated") -> str:
    """A study of federations, from its study.csv in docs/measured/federated."""
    path = folder / f"{name}.csv"
    if not path.exists():
        return f"Not measured yet: its `study.csv` will be kept as `docs/measured/federated/{name}.csv`."
    found = pd.read_csv(path)
    first, *others = found.itertuples()
    rows = [(first.arm, spread(first.auc, first.sd), "", "")]
    rows += [
        (
            one.arm,
            spread(one.auc, one.sd),
            difference(one.federated_less_this, one.low, one.high),
            number(one.p),
        )
        for one in others
    ]
    return table(("", "mean AUC", "federated minus this", "p"), rows, numbers=3)


BLOCKS: dict[str, Callable[[], str]] = {
    "train-defaults": train_defaults,
    "augmentation": augmentation,
    "sizes": sizes,
    "attentions": attentions,
    "shipped": shipped.models,
    "shipped-choice": shipped.choice,
    "shipped-report": shipped.report,
    "maps": shipped.maps,
    "maps-pointing": shipped.maps_pointing,
    "recipes": recipes,
    "select-phantoms": partial(selecting, "phantoms"),
    "select-nih": partial(selecting, "nih"),
    **{f"federated-{name}": partial(federated, name) for name in ("evenly", "views", "cost")},
    **{f"study-{study.name}": partial(arms.tables, study) for study in arms.studies() if not study.real},
}
FROM_LABELS: dict[str, Callable[[pd.DataFrame], str]] = {
    "shipped-paired": shipped.paired,
    **{f"study-{study.name}": partial(arms.tables, study) for study in arms.studies() if study.real},
}
"""What needs the labels of real films."""
FROM_TABLES: dict[str, Callable[[Survey], str]] = {
    "data": data,
    "claims": claims,
    "splits": splits.leakage_table,
    "across-the-lists": splits.overlaps_table,
    "batches": batches.batches_sentence,
    "sampler": batches.sampler_table,
    "class-weights": batches.weights_table,
}


def of_tables(found: Survey) -> dict[str, Callable[[], str]]:
    """The blocks of FROM_TABLES for one survey."""
    return {name: partial(make, found) for name, make in FROM_TABLES.items()}


def of_labels(folder: NihFolder) -> dict[str, Callable[[], str]]:
    """The blocks of FROM_LABELS by the table of a folder."""
    nih = folder.table.set_index("stem")
    return {name: partial(make, nih) for name, make in FROM_LABELS.items()}


def eda(tables: Path) -> Survey:
    """Makes EDA_REPORT.md anew, and leaves it if nothing but its day would change; returns what it says."""
    before = EDA_REPORT.read_text(encoding="utf-8")
    found = write_eda(tables, EDA_REPORT).survey
    if MADE_ON.sub("", EDA_REPORT.read_text(encoding="utf-8")) == MADE_ON.sub("", before):
        EDA_REPORT.write_text(before, encoding="utf-8")
    return found


def main() -> None:
    """Rewrites every document whose blocks have changed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tables", type=Path, metavar="FOLDER", help="folder with NIH's tables and lists")
    tables = parser.parse_args().tables
    blocks = dict(BLOCKS)
    if tables:
        try:
            blocks |= of_tables(eda(tables))
            blocks |= of_labels(NihFolder.open(tables))
        except DataError as error:
            parser.error(str(error))
    else:
        left = ", ".join(sorted({*FROM_TABLES, *FROM_LABELS}))
        print(f"Without --tables these stay as they are, and {EDA_REPORT.name}: {left}")
    for path in shipped.write():
        print(f"{path.name}: made anew")
    for path in documents():
        text = path.read_text(encoding="utf-8")
        fresh = fill(text, blocks)
        if fresh != text:
            path.write_text(fresh, encoding="utf-8")
            print(f"{path.name}: made anew")


if __name__ == "__main__":
    main()
