"""The localisation report of a model: its maps by several methods against the boxes of a data folder."""

import json
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from xlite.classify import Classifier
from xlite.data.folder import NihFolder
from xlite.data.splits import Split, load_split
from xlite.data.tables import read_boxes
from xlite.errors import DataError
from xlite.evaluation import sanity
from xlite.evaluation.known import split_doubts, teacher_doubts
from xlite.evaluation.localisation_report import findings_of, map_warnings, published
from xlite.explain import CLOSED_FORM, FAULTS, METHODS, Mapper, map_fault, shrink, upsample_map
from xlite.files import write_atomic
from xlite.findings import FINDINGS
from xlite.images import read_image
from xlite.metrics.localisation import BASELINES, FIGURES, Draws, centre_map, in_frame, judge, random_map
from xlite.report.contact_sheet import Tile, draw_sheet
from xlite.text import counted

FRAME = 512  # maps are judged in the film's frame, or in one shrunk to this longer side
RANDOM_MAPS = 10  # a box: the figure of a random map is their mean
ROWS_OF_SHEET = 8
FILMS_FOR_NORMS = 64
Progress = Callable[[int, int], None]


def localise_model(
    spec: str | Path,
    data: str | Path,
    split: str,
    part: str,
    out: str | Path,
    boxes: str | Path | None = None,
    methods: Sequence[str] = tuple(METHODS),
    checks: int = 24,
    device: str = "cpu",
    resamples: int = 1000,
    seed: int = 0,
    progress: Progress | None = None,
) -> dict:
    """Judges a model's maps by the boxes of one part of a split ("all": of every film that the folder has),
    and writes localisation.json and maps.png into `out`.

    boxes: a table as NIH's, the folder's own by default. checks: boxes for randomisation, deletion and
    insertion, drawn at random. Returns the report; raises CheckpointError, DataError, or ImageError.
    """
    classifier, folder = Classifier.load(spec, device), NihFolder.open(data)
    chosen = _split(folder, split, part)
    given = folder.boxes() if boxes is None else read_boxes(boxes)
    if given.empty:
        raise DataError(f"{folder.root} has no boxes; give a table as BBox_List_2017.csv with --boxes")
    table = _on_films(given, folder, chosen, part)
    if table.empty:
        raise DataError(
            f"none of the {counted(len(given), 'box', 'boxes')} is on a film of this part that {folder.root} "
            "holds"
        )
    out = Path(out)
    out.mkdir(parents=True, exist_ok=True)
    study = _Study(classifier, folder, table, methods, seed)
    study.read(min(checks, len(table)), progress)
    report = _report(study, chosen, part, len(given) - len(table), resamples, seed)
    seen = classifier.info, folder, chosen, part, list(table["stem"].unique())
    doubts = [*split_doubts(*seen), *teacher_doubts(*seen, None)]
    report["warnings"] = [*(doubt.text for doubt in doubts), *report["warnings"]]
    write_atomic(out / "localisation.json", json.dumps(report, indent=2).encode())
    draw_sheet(study.tiles, out / "maps.png")
    return report


def localise_part(
    classifier: Classifier,
    folder: NihFolder,
    split: Split,
    part: str,
    methods: Sequence[str] = CLOSED_FORM,
    resamples: int = 1000,
    seed: int = 0,
) -> dict | None:
    """The report of `localise_model` by the folder's own boxes, without sanity checks and without what the
    model may know of the films; None where no box is on a film of the part.
    """
    given = folder.boxes()
    table = _on_films(given, folder, split, part)
    if table.empty:
        return None
    study = _Study(classifier, folder, table, methods, seed)
    study.read(0, None)
    return _report(study, split, part, len(given) - len(table), resamples, seed)


def _split(folder: NihFolder, split: str, part: str) -> Split:
    """The split of that name, or one whose only part is all films of the folder."""
    if part != "all":
        return load_split(folder, split, allow_leakage=True)
    return Split("all", "all films of the folder", "all", 0, {"all": folder.table["stem"].tolist()})


def _on_films(boxes: pd.DataFrame, folder: NihFolder, split: Split, part: str) -> pd.DataFrame:
    """Those of the boxes that are on films of the part that are there, film by film."""
    there = set(split.stems(part)) & set(folder.paths) & set(folder.table["stem"])
    ordered = boxes[boxes["stem"].isin(there)].sort_values(["stem", "finding"], kind="stable")
    return ordered.reset_index(drop=True)


def _report(study: "_Study", split: Split, part: str, without: int, resamples: int, seed: int) -> dict:
    """What a study that has been read says; `without` counts the boxes on films of no concern."""
    classifier, folder, table = study.classifier, study.folder, study.table
    draws = Draws(table["finding"].to_numpy(), folder.patients(table["stem"]), resamples, seed)
    report = {
        "model": classifier.name,
        "split": {
            "id": split.id,
            "part": part,
            "films": int(table["stem"].nunique()),
            "patients": len(draws.counts),
            "boxes": len(table),
            "boxes_without_film": without,
            "label_version": folder.label_version,
        },
        "grid": list(classifier.grid),
        "cell": 1 / (classifier.grid[0] * classifier.grid[1]),
        "methods": {name: study.figures(name, draws, resamples, seed) for name in study.names},
        "findings": findings_of(table, classifier.grid),
        "published": published(len(table), split.id, part),
        "bootstrap": {"unit": "patient", "resamples": resamples, "seed": seed},
        "training_seed": classifier.info.notes.get("seed"),
    }
    return report | {"warnings": map_warnings(report)}


class _Study:
    """The boxes of a table one by one, and what the maps of several methods say of each."""

    def __init__(
        self,
        classifier: Classifier,
        folder: NihFolder,
        table: pd.DataFrame,
        methods: Sequence[str],
        seed: int,
    ):
        self.classifier, self.folder, self.table = classifier, folder, table
        self.methods, self.names = methods, [*methods, *BASELINES]
        self.mapper, self.rng = Mapper(classifier.model), np.random.default_rng(seed)
        self.values: dict[str, list[dict[str, float]]] = {name: [] for name in self.names}
        self.checked: dict[str, list[dict[str, float]]] = {name: [] for name in self.names}
        self.faults: dict[str, Counter] = {name: Counter() for name in self.names}
        self.tiles: list[list[Tile]] = []
        self.to_check = np.empty(0, int)

    def read(self, checks: int, progress: Progress | None) -> None:
        """Judges every box, and puts `checks` of them, drawn at random, to the sanity checks."""
        rows = self.rng.permutation(len(self.table))
        self.to_check = np.sort(rows[:checks])
        forgetful = self._forgetful() if checks else {}
        # A box of each finding first, then a second of each …
        turn = self.table.loc[rows].groupby("finding", sort=False).cumcount().sort_values(kind="stable")
        shown = set(turn.index[:ROWS_OF_SHEET])
        for row, box in enumerate(self.table.itertuples(index=False)):
            image, finding = self._film(box.stem), FINDINGS.index(box.finding)
            f = self.mapper.features(self._input(image))
            maps = self.mapper.maps(f, finding, self.methods)
            small = shrink(image, FRAME)
            truth = in_frame((box.x, box.y, box.w, box.h), small.shape)
            maps |= self._judge(maps, truth, small.shape, self.classifier.grid)
            if row in shown:
                self.tiles.append([Tile(name, box.finding, small, one, truth) for name, one in maps.items()])
            if row in self.to_check:
                self._check(image, finding, maps, forgetful)
            if progress:
                progress(row + 1, len(self.table))

    def _forgetful(self) -> dict[str, Mapper]:
        """The model after each stage of the randomisation."""
        stems = self.table["stem"][self.to_check[:FILMS_FOR_NORMS]]
        films = torch.cat([self._input(self._film(stem)) for stem in stems])
        return {stage: Mapper(sanity.randomised(self.mapper.model, stage, films)) for stage in sanity.STAGES}

    def _film(self, stem: str) -> np.ndarray:
        return read_image(self.folder.paths[stem])

    def _input(self, image: np.ndarray) -> torch.Tensor:
        return self.classifier.tensor(image)

    def _judge(
        self, maps: dict[str, np.ndarray], truth: np.ndarray, frame: tuple[int, int], grid: tuple[int, int]
    ) -> dict[str, np.ndarray]:
        """Notes the figures of one box for each map, and returns the maps that know nothing of it."""
        noise = [random_map(grid, self.rng) for _ in range(RANDOM_MAPS)]
        baselines = {"random": noise[0], "centre": centre_map(grid)}
        for name, coarse in {**maps, **baselines}.items():
            several = noise if name == "random" else [coarse]
            judged = [judge(upsample_map(one, frame), truth) for one in several]
            self.values[name].append({key: float(np.mean([one[key] for one in judged])) for key in FIGURES})
            self.faults[name][map_fault(coarse)] += 1
        return baselines

    def _check(
        self, image: np.ndarray, finding: int, maps: dict[str, np.ndarray], forgetful: dict[str, Mapper]
    ) -> None:
        square, x = self.classifier.info.preprocess.resize(image), self._input(image)
        after = {
            stage: mapper.maps(mapper.features(x), finding, self.methods)
            for stage, mapper in forgetful.items()
        }
        for name, coarse in maps.items():
            heat = upsample_map(coarse, square.shape)
            deletion, insertion = sanity.curves(self.classifier, square, finding, heat, self.rng)
            figures = {"deletion": sanity.area(deletion), "insertion": sanity.area(insertion)}
            if name in self.methods:
                kept = {stage: sanity.rank_correlation(coarse, other[name]) for stage, other in after.items()}
                figures |= kept
            self.checked[name].append(figures)

    def figures(self, name: str, draws: Draws, resamples: int, seed: int) -> dict:
        """A method's part of the report."""
        values = {key: np.array([one[key] for one in self.values[name]]) for key in FIGURES}
        chance = {base: np.array([one["pointing"] for one in self.values[base]]) for base in BASELINES}
        return {
            **{key: draws.summary(column) for key, column in values.items()},
            **{f"pointing_above_{b}": draws.summary(values["pointing"] - chance[b]) for b in BASELINES},
            "faults": {fault: self.faults[name][fault] for fault in FAULTS},
            "checks": self._checks(name, resamples, seed) if len(self.to_check) else None,
        }

    def _checks(self, name: str, resamples: int, seed: int) -> dict:
        """Means over the boxes where a check is defined, {value, low, high, boxes}: a map that is empty
        before or after has no rank correlation.
        """
        rows = self.table.loc[self.to_check]
        findings, patients = rows["finding"].to_numpy(), self.folder.patients(rows["stem"])
        mine, chance = pd.DataFrame(self.checked[name]), pd.DataFrame(self.checked["random"])
        for curve in ("deletion", "insertion"):
            mine[f"{curve}_above_random"] = mine[curve] - chance[curve]
        figures: dict = {"boxes": len(rows)}
        for key, column in mine.items():
            known = column.notna().to_numpy()
            figure = {"value": None, "low": None, "high": None}
            if known.any():
                draws = Draws(findings[known], patients[known], resamples, seed)
                figure = draws.summary(column.to_numpy()[known])["all"]
            figures[str(key)] = {**figure, "boxes": int(known.sum())}
        return figures
