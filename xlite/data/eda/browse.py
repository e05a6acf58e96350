"""What the Explore page asks of a data folder: folders to open, films that fit a filter, film thumbnails."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pandas as pd

from xlite.data.eda import summary
from xlite.data.eda.palette import SCREEN_BOX
from xlite.data.eda.partitions import partitions
from xlite.data.folder import NihFolder
from xlite.findings import FINDINGS, NO_FINDING, spoken
from xlite.images import read_image


@dataclass(frozen=True)
class Filter:
    """Which films to look at; an empty field lets all through. `findings`: a film must have each of them."""

    views: tuple[str, ...] = ()
    sexes: tuple[str, ...] = ()
    ages: tuple[int, int] | None = None  # years, both ends included; None lets missing ages through too
    findings: tuple[str, ...] = ()
    part: str = ""


def find_folders(home: Path) -> list[Path]:
    """The data folders in `home`/data, those with an NIH table, by name."""
    data = home / "data"
    tables = [*data.glob("*/Data_Entry_2017*.csv"), *data.glob("*/Data_Entry_2017*.csv.gz")]
    return sorted({table.parent for table in tables})


def stamp(root: Path) -> float:
    """When a data folder last changed, s since 1970, 0 where there is none: renews what is cached of it."""
    if not root.is_dir():
        return 0.0
    return max(path.stat().st_mtime for path in (root, *root.iterdir()) if path.exists())


def parts_of(folder: NihFolder) -> dict[str, list[str]]:
    """Every part of every list and split of the folder: `official test` to its stems."""
    return {
        f"{partition.name} {part}": stems
        for partition in partitions(folder)
        for part, stems in partition.parts.items()
    }


def having(table: pd.DataFrame, findings: Sequence[str]) -> pd.DataFrame:
    """The films that have each of `findings`, NIH names or No Finding."""
    for name in findings:
        table = table[~table[list(FINDINGS)].any(axis=1) if name == NO_FINDING else table[name] > 0]
    return table


def matching(table: pd.DataFrame, wanted: Filter, parts: Mapping[str, Sequence[str]]) -> pd.DataFrame:
    """The rows of a folder's table that a filter lets through; `parts` as from `parts_of`."""
    keep = np.ones(len(table), dtype=bool)
    if wanted.views:
        keep &= table["view"].isin(wanted.views).to_numpy()
    if wanted.sexes:
        keep &= table["sex"].isin(wanted.sexes).to_numpy()
    if wanted.ages is not None:
        keep &= table["age"].between(*wanted.ages).to_numpy()
    if wanted.part:
        stems = set(parts[wanted.part])
        keep &= np.fromiter((stem in stems for stem in table["stem"]), dtype=bool, count=len(table))
    return having(table[keep], wanted.findings)


def summarise(table: pd.DataFrame) -> dict[str, object]:
    """What the page's figures are drawn from, each as the function of that name in `summary` gives it."""
    counts = summary.cooccurrence(table)
    return {
        "facts": summary.describe_table(table),
        "counts": summary.finding_counts(table),
        "per_film": summary.findings_per_film(table),
        "per_patient": summary.findings_per_patient(table),
        "films_each": summary.films_per_patient(table),
        "together": counts,
        "lift": summary.lift(counts, len(table), summary.LEAST_EXPECTED),
        "ages": summary.age_histogram(table),
        "by_view": summary.prevalence_by(table, table["view"]),
        "by_sex": summary.prevalence_by(table, table["sex"]),
        "by_age": summary.prevalence_by(table, summary.age_band(table["age"])),
    }


def film_labels(row: pd.Series) -> str:
    """A film's findings as a caption: `Mass, Nodule` or `No finding`."""
    return ", ".join(spoken(name) for name in FINDINGS if row[name]) or spoken(NO_FINDING)


def thumbnail(path: Path, boxes: pd.DataFrame, side: int = 400) -> bytes:
    """A film as JPEG, its longer side `side` px, its boxes (px of the 1024 frame) and their findings drawn.

    Raises ImageError where the film cannot be read.
    """
    film = read_image(path)
    scale = side / max(film.shape)
    size = (max(round(film.shape[1] * scale), 1), max(round(film.shape[0] * scale), 1))
    shrunk = cv2.resize(film, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    drawn = cv2.cvtColor(shrunk, cv2.COLOR_GRAY2BGR)
    for box in boxes.itertuples():
        _draw_box(drawn, box)
    _, jpeg = cv2.imencode(".jpg", drawn, [cv2.IMWRITE_JPEG_QUALITY, 88])
    return jpeg.tobytes()


def _draw_box(film: np.ndarray, box: object) -> None:
    """Draws one box and its finding onto a BGR film; NIH squashed films to a square, hence two scales."""
    height, width = film.shape[:2]
    across, down = width / summary.BOX_FRAME, height / summary.BOX_FRAME
    left, top = round(box.x * across), round(box.y * down)
    right, bottom = round((box.x + box.w) * across), round((box.y + box.h) * down)
    colour = SCREEN_BOX[::-1]
    cv2.rectangle(film, (left, top), (right, bottom), colour, 2, cv2.LINE_AA)
    text, font = spoken(box.finding), (cv2.FONT_HERSHEY_SIMPLEX, height / 550)
    (long, high), _ = cv2.getTextSize(text, *font, 2)
    start = (
        min(max(left, 2), max(width - long - 2, 2)),
        top - 7 if top > high + 9 else min(bottom + high + 7, height - 5),
    )
    cv2.rectangle(
        film, (start[0] - 2, start[1] - high - 4), (start[0] + long + 2, start[1] + 5), (0, 0, 0), -1
    )
    cv2.putText(film, text, start, *font, colour, 2, cv2.LINE_AA)
