"""A phantom data folder on disk: films, tables, boxes and lists as NIH's, drawn instead of downloaded."""

import multiprocessing
import os
from collections.abc import Generator, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import cv2
import numpy as np

from xlite.data.folder import PHANTOM_NOTE, PHANTOM_TITLE
from xlite.data.phantom.draw import draw_film
from xlite.data.phantom.exposure import TECHNIQUES
from xlite.data.phantom.labels import Film, draw_labels, official_lists
from xlite.errors import DataError, sentence
from xlite.files import Progress
from xlite.findings import NO_FINDING
from xlite.processors import processors
from xlite.text import counted

TABLE_HEADER = (
    "Image Index,Finding Labels,Follow-up #,Patient ID,Patient Age,Patient Gender,View Position,"
    "OriginalImage[Width,Height],OriginalImagePixelSpacing[x,y]"
)
BOX_HEADER = "Image Index,Finding Label,Bbox [x,y,w,h],,,"
# As NIH's box table names them.
BOX_NAMES = {"Infiltration": "Infiltrate"} | {
    name: name
    for name in ("Atelectasis", "Cardiomegaly", "Effusion", "Mass", "Nodule", "Pneumonia", "Pneumothorax")
}
BOX_SHARE = 0.35
SMALLEST, LARGEST = 32, 2048
IN_PROCESS_UP_TO = 16
TABLE, BOXES, TRAIN_VAL, TEST, NOTE = FILES = (
    "Data_Entry_2017_v2020.csv",
    "BBox_List_2017.csv",
    "train_val_list.txt",
    "test_list.txt",
    PHANTOM_NOTE,
)
# Part of the bytes that a seed stands for, so its wording stays.
README = (
    PHANTOM_TITLE
    + """

Every image of this folder was drawn by X-Lite (xlite data phantom). No patient and no real radiograph is
in it. Layout, file names and tables are those of NIH ChestX-ray14, so that all that reads the real data
set reads this one; the findings are drawings of what their names say, in the data set's proportions.
Figures measured here say nothing about real films.

{images} of {patients}, {size} x {size} px, seed {seed}.
"""
)

Boxes = list[tuple[str, dict[str, tuple[float, float, float, float]]]]


@dataclass(frozen=True)
class Job:
    """One patient's films, and how they are drawn."""

    films: list[Film]
    folder: Path
    size: int
    seed: int
    technique: str


def write_phantom(
    out: str | os.PathLike[str],
    images: int,
    patients: int,
    size: int,
    seed: int,
    progress: Progress | None = None,
    processes: int | None = None,
    technique: str = "usual",
) -> None:
    """Writes a synthetic NIH folder: `images` grey 8-bit PNGs of `patients` patients, `size` x `size` px.

    The same arguments give the same bytes, whatever the number of `processes` (default: one for each core).
    Another of TECHNIQUES takes the same films of the same patients. `progress` is called with films done and
    films in all. Raises DataError for a size beyond 32-2048, fewer images than patients, a negative seed,
    another technique, or a folder that is not empty or cannot be written; no half-written one is left.
    """
    out = Path(out)
    if not SMALLEST <= size <= LARGEST:
        raise DataError(f"films of {size} px cannot be drawn; choose a size from {SMALLEST} to {LARGEST} px")
    if seed < 0:
        raise DataError(f"the seed {seed} is negative; choose 0 or more")
    if technique not in TECHNIQUES:
        raise DataError(f"the technique {technique!r} is unknown; choose one of {', '.join(TECHNIQUES)}")
    films = draw_labels(images, patients, seed)
    try:
        if out.exists() and (not out.is_dir() or any(out.iterdir())):
            raise DataError(f"{out} is there already and not an empty folder; choose a new folder")
        with _all_or_nothing(out, films):
            jobs = [
                Job(list(group), out / "images", size, seed, technique)
                for _, group in groupby(films, key=lambda film: film.patient)
            ]
            boxes = _draw_all(jobs, len(films), progress, processes)
            _write_tables(out, films, boxes, seed)
            readme = README.format(
                images=counted(images, "image"), patients=counted(patients, "patient"), size=size, seed=seed
            )
            if technique != "usual":
                readme += f"Technique: {technique}.\n"
            (out / NOTE).write_text(readme, encoding="utf-8")
    except OSError as error:
        raise DataError(sentence(error, out)) from error


@contextmanager
def _all_or_nothing(out: Path, films: list[Film]) -> Iterator[None]:
    """Makes the folders, and on an error removes all that was written: half a folder is of no use.

    What was there before stays, and so does a folder that by then holds files of others.
    """
    with ExitStack() as undo:
        made = [folder for folder in (out / "images", out, *out.parents) if not folder.exists()]
        for folder in reversed(made):  # the last one first
            undo.callback(_remove_empty, folder)
        (out / "images").mkdir(parents=True)
        for file in [
            *(out / "images" / f"{film.stem}.png" for film in films),
            *(out / name for name in FILES),
        ]:
            undo.callback(file.unlink, missing_ok=True)
        yield
        undo.pop_all()


def _remove_empty(folder: Path) -> None:
    with suppress(OSError):
        folder.rmdir()


def _draw_all(jobs: list[Job], films: int, progress: Progress | None, processes: int | None) -> Boxes:
    boxes: Boxes = []
    processes = 1 if films <= IN_PROCESS_UP_TO else min(processes or processors(), len(jobs))
    with closing(_run(jobs, processes)) as parts:  # else a process may go on writing after an error here
        for part in parts:
            boxes += part
            if progress:
                progress(len(boxes), films)
    return boxes


def _run(jobs: list[Job], processes: int) -> Generator[Boxes, None, None]:
    if processes == 1:
        yield from map(_draw_patient, jobs)
        return
    # spawn: a forked child can inherit OpenCV's thread pool in mid-lock and hang.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, context, initializer=_start_worker) as pool:
        yield from pool.map(_draw_patient, jobs)


def _start_worker() -> None:
    cv2.setNumThreads(1)
    # glibc keeps freed memory for reuse up to twice the largest block it has seen freed, instead of handing
    # it back and faulting it in again for every field of every film: a sixth of the time.
    np.empty(24 * 2**20, np.uint8)


def _draw_patient(job: Job) -> Boxes:
    """Draws and saves one patient's films; returns the boxes of each."""
    boxes: Boxes = []
    for film in job.films:
        drawing = draw_film(film, job.size, job.seed, job.technique)
        (job.folder / f"{film.stem}.png").write_bytes(encode_png(drawing.image))
        boxes.append((film.stem, drawing.boxes))
    return boxes


def encode_png(image: np.ndarray) -> bytes:
    """A grey PNG of a film, uint8 (H, W); the same pixels give the same bytes."""
    _, data = cv2.imencode(".png", image, [cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_RLE])
    return data.tobytes()


def _write_tables(out: Path, films: list[Film], boxes: Boxes, seed: int) -> None:
    rows = [
        f"{film.stem}.png,{'|'.join(sorted(film.findings)) or NO_FINDING},{film.follow_up},{film.patient},"
        f"{film.age},{film.sex},{film.view},{film.pixels[0]},{film.pixels[1]},{film.spacing},{film.spacing}"
        for film in films
    ]
    _write_lines(out / TABLE, [TABLE_HEADER, *rows])
    rng = np.random.default_rng([seed, 3])
    box_rows = [
        f"{stem}.png,{BOX_NAMES[finding]},{','.join(f'{value:.3f}' for value in box)}"
        for stem, found in boxes
        if rng.random() < BOX_SHARE
        for finding, box in found.items()
        if finding in BOX_NAMES
    ]
    _write_lines(out / BOXES, [BOX_HEADER, *box_rows])
    train_val, test = official_lists(films, seed)
    for name, part in ((TRAIN_VAL, train_val), (TEST, test)):
        _write_lines(out / name, [f"{film.stem}.png" for film in part])


def _write_lines(path: Path, lines: list[str]) -> None:
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8", newline="\n")
