"""What a localisation report says beside its figures: sizes, published figures, warnings, and its tables.

No torch.
"""

import pandas as pd

from xlite.findings import spoken
from xlite.metrics.localisation import BASELINES, FEW_BOXES, OVERLAPS, RELEASE_SIDE
from xlite.report.sentences import interval
from xlite.text import are, counted, number

NIH_BOXES = 984
UNCHANGED = 0.5  # a mean rank correlation above it: the map hardly depends on what was forgotten
SHUFFLED = {
    "head": "the classifier forgets what it learned: it shows where films have structure as much as findings",
    "half": "the later half of the model forgets what it learned",
    "all": "the whole model forgets what it learned: it is no map of the model",
}
BASE_NAMES = {"random": "a random map", "centre": "a map of the picture's centre"}
# Given as published; the others of these papers are not repeated.
PUBLISHED = (
    {
        "name": "Wang 2017",
        "iobb_0.25": {"mean": 0.486, "per_finding": {"Cardiomegaly": 0.979, "Nodule": 0.051}},
    },
    {"name": "DenseNet-121, 512 px, Grad-CAM", "pointing": {"mean": 0.496}},
    {"name": "DenseNet-121, 512 px, Grad-CAM++", "pointing": {"mean": 0.544}},
    {"name": "DenseNet-121, 512 px, a random map", "pointing": {"mean": 0.228}},
)


def findings_of(table: pd.DataFrame, grid: tuple[int, int]) -> dict:
    """How many boxes (of the release's frame) each finding has, and how many are below a cell of the grid."""
    area = table["w"] * table["h"] / RELEASE_SIDE**2
    small = (area * grid[0] * grid[1] < 1).groupby(table["finding"])
    return {
        name: {"boxes": int(n), "few": bool(n < FEW_BOXES), "smaller_than_a_cell": int(small.sum()[name])}
        for name, n in small.size().items()
    }


def published(boxes: int, split_id: str, part: str) -> list[dict]:
    """Published figures, each with why it may not be compared, or None."""
    same = boxes == NIH_BOXES and split_id.startswith("official") and part == "test"
    reason = None if same else f"measured on NIH's {NIH_BOXES} boxes; these are {boxes}, {split_id}, {part}"
    return [{**figures, "not_comparable": reason} for figures in PUBLISHED]


def map_warnings(report: dict) -> list[str]:
    """What the figures of a report do not allow one to say."""
    split, said = report["split"], []
    if split["boxes_without_film"]:
        every = split["boxes_without_film"] + split["boxes"]
        said.append(
            f"only {split['boxes']:,} of {counted(every, 'box', 'boxes')} {are(split['boxes'])} on films of "
            "this part that are in the folder"
        )
    for name, method in report["methods"].items():
        checks = method["checks"] or {}
        for stage, words in SHUFFLED.items():
            kept = checks[stage]["value"] if stage in checks else None
            if kept is not None and kept > UNCHANGED:
                said.append(f"{name} hardly changes (rank correlation {kept:.2f}) when {words}")
        if name not in BASELINES:
            for base in BASELINES:
                gap = method[f"pointing_above_{base}"]["all"]
                if gap["low"] is None or gap["low"] <= 0:
                    said.append(
                        f"{name} does not point into more boxes than {BASE_NAMES[base]}, beyond chance"
                    )
    for finding, counts in report["findings"].items():
        small = counts["smaller_than_a_cell"]
        if 2 * small > counts["boxes"]:
            said.append(
                f"{spoken(finding)}: {small:,} of {counted(counts['boxes'], 'box', 'boxes')} {are(small)} "
                f"smaller than one cell of a map, {report['cell']:.1%} of the film"
            )
    few = [name for name, counts in report["findings"].items() if counts["few"]]
    if few:
        said.append(f"under {FEW_BOXES} boxes, so read no figure of theirs alone: {', '.join(few)}")
    return said


def describe(report: dict) -> list[tuple[list[str], list[list[str]]]]:
    """The report's tables, each a header and rows: the methods, their overlaps, the findings, the checks."""
    split, methods = report["split"], report["methods"]
    header = [
        counted(split["boxes"], "box", "boxes"),
        "pointing",
        "mean of findings",
        "mean IoU",
        "false boxes",
    ]
    tables = [
        (
            [*header, "empty", "flat", "outside"],
            [
                [
                    name,
                    interval(figures["pointing"]["all"]),
                    interval(figures["pointing"]["mean"]),
                    *(number(figures[key]["all"]["value"]) for key in ("iou", "false_boxes")),
                    *map(str, figures["faults"].values()),
                ]
                for name, figures in methods.items()
            ],
        ),
        (
            ["share of boxes", *(f"{kind}>{overlap:g}" for kind in ("IoBB", "IoU") for overlap in OVERLAPS)],
            [
                [
                    name,
                    *(
                        number(figures[f"{kind}_{overlap}"]["all"]["value"])
                        for kind in ("iobb", "iou")
                        for overlap in OVERLAPS
                    ),
                ]
                for name, figures in methods.items()
            ],
        ),
        (
            ["pointing", "boxes", *methods],
            [
                [
                    spoken(finding),
                    str(counts["boxes"]),
                    *(number(m["pointing"]["per_finding"][finding]["value"]) for m in methods.values()),
                ]
                for finding, counts in report["findings"].items()
            ],
        ),
    ]
    checked = {name: figures["checks"] for name, figures in methods.items() if figures["checks"]}
    if checked:
        columns = ("deletion", "insertion", "head", "half", "all")
        header = ["checks", "deletion", "insertion", "rank kept: head", "half", "all shuffled"]
        rows = [
            [name, *(_checked(checks[key], checks["boxes"]) if key in checks else "" for key in columns)]
            for name, checks in checked.items()
        ]
        tables.append((header, rows))
    return tables


def _checked(figure: dict, boxes: int) -> str:
    """A figure, and of how many boxes where it is not defined for all."""
    return interval(figure) + (f" of {figure['boxes']}" if figure["boxes"] < boxes else "")
