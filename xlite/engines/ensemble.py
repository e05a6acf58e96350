"""Several models as one engine: an ensemble, whose logits are the mean of its members' before calibration.

A map of an ensemble is the mean of its members' maps as they are, not scaled: in each map a cell has what it
adds to the logit, so that the mean is what it adds to the mean logit. A member that is sure weighs as much
in the map as it does in the logit. `merge` makes the same of several exports as one graph.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from xlite.engines.engine import Engine, Output
from xlite.errors import CheckpointError
from xlite.explain.methods import DEFAULT_METHOD
from xlite.metrics.calibration import apply_calibrator
from xlite.models.info import ModelInfo, ModelNotes, ModelSize

_SAME = ("preprocess", "split_id", "label_version", "findings")


@dataclass(frozen=True, eq=False)
class Ensemble:
    """At least two engines that read each film; their answer has neither calibration nor thresholds.

    Those of the members are not those of the mean of their logits.
    """

    members: tuple[Engine, ...]
    names: tuple[str, ...]
    cells: tuple[tuple[int, ...], ...]
    """Of each member's maps, down and across; there are maps of all only if these are the same."""

    @classmethod
    def of(cls, names: Sequence[str], members: Sequence[Engine], has_maps: bool = True) -> "Ensemble":
        """The ensemble of these engines, which has no maps if `has_maps` is false and their cells differ.

        Raises CheckpointError, with their names, if they do not fit.
        """
        check_members(names, [one.info for one in members])
        side = members[0].info.preprocess.size
        blank = np.zeros((1, 3, side, side), np.float32)
        answers = [one.output(blank, DEFAULT_METHOD) for one in members]
        if any(answer.disagreement is not None for answer in answers):
            raise nested()
        cells = tuple(answer.maps.shape[2:] for answer in answers)
        if has_maps:
            check_cells(names, cells)
        return cls(tuple(members), tuple(names), cells)

    @property
    def name(self) -> str:
        """What computes."""
        return " + ".join(dict.fromkeys(one.name for one in self.members))

    @cached_property
    def info(self) -> ModelInfo:
        """What the first member's file says, under the backbones of all."""
        return joint_info([one.info for one in self.members])

    @property
    def methods(self) -> tuple[str, ...]:
        """Those that all members make; none if their maps have other cells."""
        if len(set(self.cells)) > 1:
            return ()
        first, *others = (one.methods for one in self.members)
        return tuple(method for method in first if all(method in methods for methods in others))

    def size(self) -> ModelSize:
        """The sums of what the members cost."""
        sizes = [one.size() for one in self.members]
        return ModelSize(
            sum(size.parameters for size in sizes),
            sum(size.megabytes for size in sizes),
            sum(size.multiply_adds for size in sizes),
        )

    def logits(self, x: np.ndarray) -> np.ndarray:
        """The mean of the members' raw logits float32 (B, 14) of preprocessed films float32 (B, 3, S, S)."""
        mean: np.ndarray = np.mean([one.logits(x) for one in self.members], axis=0)
        return mean

    def output(self, x: np.ndarray, method: str | None) -> Output:
        """The means of logits and maps, and how far the members' own probabilities lie apart.

        Raises CheckpointError if there is a method and the members' maps have other cells.
        """
        if method is not None:
            check_cells(self.names, self.cells)
        answers = [one.output(x, method) for one in self.members]
        own = [
            apply_calibrator(answer.logits, one.info.calibration)
            for one, answer in zip(self.members, answers, strict=True)
        ]
        return Output(
            np.mean([answer.logits for answer in answers], axis=0),
            np.mean([answer.maps for answer in answers], axis=0),
            np.std(own, axis=0),
            answers[0].features,
        )


def check_members(names: Sequence[str], infos: Sequence[ModelInfo]) -> None:
    """Raises CheckpointError unless there are two members or more, which read alike and learned alike."""
    if len(infos) < 2:
        raise CheckpointError(f"an ensemble has at least two members; got {', '.join(names) or 'none'}")
    for name, info in zip(names, infos, strict=True):
        for field in _SAME:
            first, own = getattr(infos[0], field), getattr(info, field)
            if own != first:
                raise CheckpointError(
                    f"members of an ensemble must have the same {field}; {names[0]} has {first}, "
                    f"{name} has {own}"
                )


def check_cells(names: Sequence[str], cells: Sequence[tuple[int, ...]]) -> None:
    """Raises CheckpointError unless the maps of all members have the same cells, down and across."""
    if len(set(cells)) > 1:
        sizes = ", ".join(
            f"{down} x {across} of {name}" for name, (down, across) in zip(names, cells, strict=True)
        )
        raise CheckpointError(
            f"maps of members of an ensemble must have the same cells; got {sizes}: without maps "
            "`xlite predict A,B` averages their probabilities"
        )


def nested() -> CheckpointError:
    """The refusal of an ensemble within another."""
    return CheckpointError("an ensemble cannot be a member of another one: name its members instead")


def joint_info(infos: Sequence[ModelInfo]) -> ModelInfo:
    """What the first member's file says, under the backbones of all and with what all have seen."""
    attentions = dict.fromkeys(info.attention for info in infos)
    return (
        infos[0]
        .of_means()
        .model_copy(
            update={
                "backbone": " + ".join(info.backbone for info in infos)[:200],
                "attention": " + ".join(attentions)[:200],
                "calibration": None,  # each member's is of its own logits
                "notes": ModelNotes.joint([info.notes for info in infos]),
            }
        )
    )
