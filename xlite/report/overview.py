"""What the cards of the Overview page say."""

import os
import shutil
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from xlite.data.joined import open_data
from xlite.evaluation.report import Report
from xlite.messages import literal
from xlite.models.duty import Duty, info_of
from xlite.places import checkpoints_dir
from xlite.report.document import marked_cell
from xlite.report.means import mean_auc
from xlite.report.sentences import clean, clean_in_short, known_films, not_known, source
from xlite.report.view import metric_cell
from xlite.text import capital, counted, labels_of

LITTLE = 2 * 10**9
"""So few free bytes are little: a run like the shipped model's keeps 70 MB, a cache of films far more."""


@dataclass(frozen=True)
class Headline:
    """What a card says, and a line or more of detail, both Markdown: a struck-through metric is in tildes."""

    value: str
    detail: str


def auc_headline(report: Report) -> Headline:
    """The mean AUC over all findings that have one, with its interval, and where it was measured.

    On contaminated films it is struck through, and that of the clean films takes its place if there is one.
    """
    found, where = report.contamination, literal(source(report))
    over, estimate = mean_auc(report)
    auc = marked_cell(metric_cell(estimate, report.contaminated))
    if found is None:
        return Headline(auc, f"{capital(over)}  \n{where}")
    if not report.contaminated:
        open_question = not_known(report)
        said = f"{over}; {open_question}" if open_question else f"{over}. {clean(report)}"
        return Headline(auc, f"{capital(said)}  \n{where}")
    known = known_films(report)
    if found.clean is None:
        return Headline(auc, f"{known}. {clean_in_short(report)}  \n{where}")
    over, estimate = mean_auc(found.clean)
    films = f"On the {found.clean.split.images:,} clean films, {over}"
    return Headline(str(estimate), f"{films}  \n{auc} on all: {known}  \n{where}")


def auc_of(report: Report | None) -> Headline:
    """`auc_headline` of a model's report on a test part, or how to get one."""
    if report is None:
        return Headline("Not measured yet", "The Results page or `xlite evaluate` measures it.")
    return auc_headline(report)


def data_headline(path: Path) -> Headline:
    """A data folder's films, its patients and the edition of its labels. Raises DataError as `open_data`."""
    folder = open_data(path)
    missing = len(folder.missing())
    lack = f", {missing:,} in the table only" if missing else ""
    patients = counted(folder.table["patient"].nunique(), "patient")
    films = counted(len(folder.table) - missing, "film")
    return Headline(films, f"{patients}, {labels_of(folder.label_version)}{lack}")


def model_headline(on_duty: Duty) -> Headline:
    """The model on duty, and what its file says of it. Raises CheckpointError."""
    if on_duty.path is None:
        return Headline("None yet", "Train one; it appears here after its first epoch.")
    info = info_of(on_duty.path)
    attention = "" if info.attention == "none" else f" with {info.attention} attention"
    size = f"{on_duty.path.stat().st_size / 1e6:.1f} MB, films of {info.preprocess.size} px"
    trained = literal(f"trained on split {info.split_id}, {labels_of(info.label_version)}")
    about = literal(f"{info.backbone}{attention}, {size}")
    return Headline(literal(on_duty.name), f"{about}  \n{trained}")


def disk_headline(free: int) -> Headline:
    """The space that is free where runs lie, in bytes."""
    return Headline(f"{free / 1e9:,.1f} GB free", "where runs and their reports are kept")


def low_disk(free: int) -> str:
    """A sentence if so many free bytes may not do for a run; else nothing."""
    if free >= LITTLE:
        return ""
    return (
        f"There is little space left ({free / 1e9:,.1f} GB): a run that finds the disk full fails. Delete "
        "runs that you no longer need, or name another folder by XLITE_HOME."
    )


def free_space() -> int:
    """The bytes that are free where runs lie, or will. Raises OSError."""
    place = checkpoints_dir()
    existing = next(folder for folder in (place, *place.parents) if folder.exists())
    return shutil.disk_usage(existing).free


def device_headline() -> Headline:
    """The device that models run on here."""
    if find_spec("torch") is None:  # a light install, which reads on the processor
        return _processor()
    from xlite.models.device import best_device, first_gpu  # torch takes seconds

    match best_device():
        case "cuda":
            name, memory = first_gpu()
            return Headline(literal(name), f"{memory:.0f} GiB of memory")
        case "mps":
            return Headline("Apple GPU", "through Metal")
        case _:
            return _processor()


def _processor() -> Headline:
    return Headline("CPU", f"{os.cpu_count()} cores; reading a film needs no GPU")
