"""What the maps of several methods say of targets, one by one, and some of them to look at."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch

from xlite.classify import Classifier
from xlite.data.folder import NihFolder
from xlite.evaluation.localisation import sanity
from xlite.evaluation.localisation.localisation_report import (
    STAGES,
    CheckedEstimate,
    MethodMetrics,
    SanityChecks,
)
from xlite.explain import FAULTS, Mapper, map_fault, shrink, upsample_map
from xlite.files import Progress
from xlite.findings import FINDINGS
from xlite.images import read_image
from xlite.metrics.bootstrap import Resamples
from xlite.metrics.estimate import Estimate
from xlite.metrics.localisation import (
    BASELINES,
    BOX_METRICS,
    NO_RATES,
    RANDOM_MAPS,
    centre_map,
    in_frame,
    judge_map,
    random_map,
)
from xlite.metrics.target_means import summarise, summarise_gap

FRAME = 512  # maps are judged in the film's frame, or in one shrunk to this longer side
ROWS_OF_SHEET = 8
NOTED = ("pointing", "iou")
"""The metrics that are kept of each target."""
FILMS_FOR_NORMS = 64


@dataclass(frozen=True, eq=False)
class Tile:
    """One map (h, w) of a finding over a film uint8 (H, W), and its boxes (B, 4) in the film's frame."""

    method: str
    finding: str
    image: np.ndarray
    coarse: np.ndarray
    boxes: np.ndarray


class JudgedMaps:
    """The targets of a table of boxes one by one, and what the maps of several methods say of each.

    targets: a row for all boxes of one finding on one film, with their x, y, w, h in `boxes`, (B, 4).
    """

    def __init__(
        self,
        classifier: Classifier,
        folder: NihFolder,
        table: pd.DataFrame,
        methods: Sequence[str],
        resamples: int,
        seed: int,
    ):
        self.classifier, self.folder, self.table = classifier, folder, table
        targets = table.groupby(["stem", "finding"], sort=False)[["x", "y", "w", "h"]]
        self.targets = targets.apply(lambda boxes: boxes.to_numpy()).rename("boxes").reset_index()
        self.findings = self.targets["finding"].to_numpy()
        self.resamples = Resamples(folder.patients(self.targets["stem"]), resamples, seed)
        self.methods, self.names = methods, [*methods, *BASELINES]
        self.mapper = Mapper(classifier.model) if classifier.has_weights else None
        self.rng = np.random.default_rng(seed)
        self.values: dict[str, list[dict[str, float]]] = {name: [] for name in self.names}
        self.checked: dict[str, list[dict[str, float]]] = {name: [] for name in self.names}
        self.faults: dict[str, Counter[str | None]] = {name: Counter() for name in self.names}
        self.tiles: list[list[Tile]] = []
        self.to_check = np.empty(0, int)

    def read(self, checks: int, progress: Progress | None) -> None:
        """Judges every target, and puts up to `checks` of them, drawn at random, to the sanity checks."""
        rows = self.rng.permutation(len(self.targets))
        self.to_check = np.sort(rows[:checks])
        forgetful = self._forgetful() if checks else {}
        # A target of each finding first, then a second of each …
        turn = self.targets.loc[rows].groupby("finding", sort=False).cumcount().sort_values(kind="stable")
        shown = set(turn.index[:ROWS_OF_SHEET])
        for row, target in enumerate(self.targets.itertuples(index=False)):
            image, finding = self._film(target.stem), FINDINGS.index(target.finding)
            maps = self._maps(image, finding, self.mapper)
            small = shrink(image, FRAME)
            truth = in_frame(target.boxes, small.shape)
            maps |= self._judge(maps, truth, small.shape)
            if row in shown:
                self.tiles.append(
                    [Tile(name, target.finding, small, one, truth) for name, one in maps.items()]
                )
            if row in self.to_check:
                self._check(image, finding, maps, forgetful)
            if progress:
                progress(row + 1, len(self.targets))

    def metrics(self, name: str) -> MethodMetrics:
        """A method's part of the report."""
        values = {key: np.array([one[key] for one in self.values[name]]) for key in BOX_METRICS}
        chance = {base: np.array([one["pointing"] for one in self.values[base]]) for base in BASELINES}
        return MethodMetrics(
            metrics={
                **{
                    key: summarise(column, self.findings, self.resamples, rate=key not in NO_RATES)
                    for key, column in values.items()
                },
                **{
                    f"pointing_above_{base}": summarise_gap(
                        values["pointing"], rates, self.findings, self.resamples
                    )
                    for base, rates in chance.items()
                },
            },
            faults={fault: self.faults[name][fault] for fault in FAULTS},
            checks=self._checks(name) if len(self.to_check) else None,
        )

    def one_by_one(self) -> pd.DataFrame:
        """A row a target and method: film (its stem), finding, method, and NOTED of its metrics."""
        of_methods = [
            self.targets[["stem", "finding"]].assign(
                method=name, **{key: [one[key] for one in self.values[name]] for key in NOTED}
            )
            for name in self.methods
        ]
        return pd.concat(of_methods, ignore_index=True)

    def _forgetful(self) -> dict[str, Mapper]:
        """The model after each stage of the randomisation; nothing without weights that could be shuffled."""
        if self.mapper is None:
            return {}
        stems = self.targets["stem"][self.to_check[:FILMS_FOR_NORMS]]
        inputs = [self.classifier.input(self._film(stem)) for stem in stems]
        films = torch.from_numpy(np.concatenate(inputs)).to(_device(self.mapper))
        return {stage: Mapper(sanity.randomised(self.mapper.model, stage, films)) for stage in STAGES}

    def _maps(self, image: np.ndarray, finding: int, mapper: Mapper | None) -> dict[str, np.ndarray]:
        """Each method's map of a finding (h, w); by the model's own engine if there is no mapper."""
        x = self.classifier.input(image)
        if mapper is None:
            return {name: self.classifier.output(x, name).maps[0, finding] for name in self.methods}
        f = mapper.features(torch.from_numpy(x).to(_device(mapper)))
        return mapper.maps(f, finding, self.methods)

    def _film(self, stem: str) -> np.ndarray:
        return read_image(self.folder.paths[stem])

    def _judge(
        self, maps: dict[str, np.ndarray], truth: np.ndarray, frame: tuple[int, int]
    ) -> dict[str, np.ndarray]:
        """Notes the metrics of one target for each map, and returns the maps that know nothing of it."""
        grid = self.classifier.grid
        noise = [random_map(grid, self.rng) for _ in range(RANDOM_MAPS)]
        baselines = {"random": noise[0], "centre": centre_map(grid)}
        for name, coarse in {**maps, **baselines}.items():
            several = noise if name == "random" else [coarse]
            judged = [judge_map(upsample_map(one, frame), truth) for one in several]
            means = {key: float(np.mean([one[key] for one in judged])) for key in BOX_METRICS}
            self.values[name].append(means)
            self.faults[name][map_fault(coarse)] += 1
        return baselines

    def _check(
        self, image: np.ndarray, finding: int, maps: dict[str, np.ndarray], forgetful: dict[str, Mapper]
    ) -> None:
        """Notes the sanity checks of one target for each map."""
        square = self.classifier.info.preprocess.resize(image)
        after = {stage: self._maps(image, finding, mapper) for stage, mapper in forgetful.items()}
        for name, coarse in maps.items():
            heat = upsample_map(coarse, square.shape)
            deletion, insertion = sanity.curves(self.classifier, square, finding, heat, self.rng)
            found = {"deletion": sanity.area(deletion), "insertion": sanity.area(insertion)}
            if name in self.methods:
                kept = {stage: sanity.rank_correlation(coarse, other[name]) for stage, other in after.items()}
                found |= kept
            self.checked[name].append(found)

    def _checks(self, name: str) -> SanityChecks:
        """Means over the targets for which a check is defined.

        A map that is empty before or after has no rank correlation.
        """
        mine, chance = pd.DataFrame(self.checked[name]), pd.DataFrame(self.checked["random"])
        for curve in ("deletion", "insertion"):
            mine[f"{curve}_above_random"] = mine[curve] - chance[curve]
        means = {}
        for key, column in mine.items():
            defined = column.notna().to_numpy()
            mean = self._mean_check(column.to_numpy()[defined], self.to_check[defined])
            means[str(key)] = CheckedEstimate(
                value=mean.value,
                low=mean.low,
                high=mean.high,
                boxes=self._boxes(self.to_check[defined]),
                targets=int(defined.sum()),
            )
        checked = len(self.to_check)
        return SanityChecks(boxes=self._boxes(self.to_check), targets=checked, metrics=means)

    def _boxes(self, rows: np.ndarray) -> int:
        """How many boxes the targets in these rows have."""
        return sum(map(len, self.targets["boxes"][rows]))

    def _mean_check(self, values: np.ndarray, rows: np.ndarray) -> Estimate:
        """The mean of a check over the targets in these rows."""
        if not len(rows):
            return Estimate(None)
        return summarise(values, self.findings[rows], self.resamples.redrawn(rows), rate=False).all


def _device(mapper: Mapper) -> torch.device:
    return next(mapper.model.parameters()).device
