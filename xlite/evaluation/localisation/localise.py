"""A model's maps by several methods against the boxes of a data folder."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from xlite.classify import Classifier
from xlite.data.folder import NihFolder
from xlite.data.joined import open_data
from xlite.data.split_files import load_split
from xlite.data.splits import Split
from xlite.data.tables import read_boxes
from xlite.errors import DataError
from xlite.evaluation.contamination.contamination import learned_caveats
from xlite.evaluation.localisation.localisation_report import (
    LocalisationJudged,
    LocalisationReport,
    count_boxes,
    map_caveats,
    published_boxes,
)
from xlite.evaluation.localisation.maps import JudgedMaps, Tile
from xlite.evaluation.options import MapOptions
from xlite.evaluation.part_judged import PartJudged, all_films
from xlite.evaluation.report_base import Bootstrap
from xlite.explain import CLOSED_FORM, METHODS
from xlite.files import Progress
from xlite.metrics.bootstrap import RESAMPLES, RESAMPLING_SEED
from xlite.split_names import ALL_FILMS
from xlite.text import counted

_ALL_IN_WORDS = "all films of the folder"
"""What reports on maps have instead of the id of such a split."""


@dataclass(frozen=True, eq=False)
class MapJudgement:
    """The report on a model's maps, and some of them to look at: a row a target, a tile a map.

    targets: what was found of each target, as `JudgedMaps.one_by_one` gives it.
    """

    report: LocalisationReport
    tiles: list[list[Tile]]
    targets: pd.DataFrame


def judge_maps(
    spec: str | Path,
    data: str | Path,
    split: str,
    part: str,
    options: MapOptions,
    progress: Progress | None = None,
) -> MapJudgement:
    """Judges a model's maps by the boxes of one part of a split, or of every film of the folder (ALL_FILMS).

    A model without weights for torch, an export or an ensemble, has no sanity check by randomisation.
    progress is called with the targets done and all. Raises CheckpointError, DataError, or ImageError.
    """
    classifier, folder = Classifier.load(spec, options.device), open_data(data)
    chosen = _split(folder, split, part)
    given = folder.boxes() if options.boxes is None else read_boxes(options.boxes)
    if given.empty:
        raise DataError(f"{folder.root} has no boxes; give a table as BBox_List_2017.csv with --boxes")
    table = _on_films(given, folder, chosen, part)
    if table.empty:
        raise DataError(
            f"none of the {counted(len(given), 'box', 'boxes')} is on a film of this part that {folder.root} "
            "holds"
        )
    methods = _methods(classifier) if options.methods is None else options.methods
    judged = JudgedMaps(classifier, folder, table, methods, options.resamples, options.seed)
    judged.read(options.checks, progress)
    report = _report(judged, chosen, part, len(given) - len(table))
    films = PartJudged(folder, chosen, part, list(table["stem"].unique()))
    before = learned_caveats(classifier.info, films)
    report = report.model_copy(update={"caveats": (*before, *report.caveats)})
    return MapJudgement(report, judged.tiles, judged.one_by_one())


def localise_part(
    classifier: Classifier,
    folder: NihFolder,
    split: Split,
    part: str,
    resamples: int = RESAMPLES,
    seed: int = RESAMPLING_SEED,
) -> MapJudgement | None:
    """The judgement of the maps with a closed form, by the folder's own boxes.

    Without sanity checks, and without caveats on what the model may know of the films; None if no box is on a
    film of the part, or the model has no maps.
    """
    given = folder.boxes()
    table = _on_films(given, folder, split, part)
    methods = [one for one in CLOSED_FORM if one in _methods(classifier)]
    if table.empty or not methods:
        return None
    judged = JudgedMaps(classifier, folder, table, methods, resamples, seed)
    judged.read(0, None)
    report = _report(judged, split, part, len(given) - len(table))
    return MapJudgement(report, judged.tiles, judged.one_by_one())


def _methods(classifier: Classifier) -> Sequence[str]:
    """All kinds of map that the model can have: an export has those of its graph."""
    return tuple(METHODS) if classifier.has_weights else classifier.engine.methods


def _split(folder: NihFolder, split: str, part: str) -> Split:
    """The split of that name, or all films of the folder."""
    if part != ALL_FILMS:
        return load_split(folder, split, allow_leakage=True)
    return replace(all_films(folder), id=_ALL_IN_WORDS)


def _on_films(boxes: pd.DataFrame, folder: NihFolder, split: Split, part: str) -> pd.DataFrame:
    """Those of the boxes that are on films of the part that are there, film by film."""
    there = set(split.stems(part)) & set(folder.paths) & set(folder.table["stem"])
    ordered = boxes[boxes["stem"].isin(there)].sort_values(["stem", "finding"], kind="stable")
    return ordered.reset_index(drop=True)


def _report(judged: JudgedMaps, split: Split, part: str, without: int) -> LocalisationReport:
    """What the boxes that have been read say; `without` counts the boxes on other films."""
    classifier, folder, table, resamples = judged.classifier, judged.folder, judged.table, judged.resamples
    report = LocalisationReport(
        model=classifier.name,
        split=LocalisationJudged(
            id=split.id,
            part=part,
            films=int(table["stem"].nunique()),
            patients=resamples.patients,
            boxes=len(table),
            boxes_without_film=without,
            targets=len(judged.targets),
            label_version=folder.label_version,
        ),
        grid=classifier.grid,
        cell=1 / (classifier.grid[0] * classifier.grid[1]),
        methods={name: judged.metrics(name) for name in judged.names},
        findings=count_boxes(table, folder.patients(table["stem"]), classifier.grid),
        published=published_boxes(len(table), split, part),
        bootstrap=Bootstrap(resamples=resamples.resamples, seed=resamples.seed),
        training_seed=classifier.info.notes.seed,
    )
    return report.model_copy(update={"caveats": tuple(map_caveats(report))})
