"""The leaderboard of a study: leaderboard.json, and the table of it that pages and terminals show.

Imports little.
"""

from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import (
    BaseModel,
    ConfigDict,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)

from xlite.config import Value
from xlite.metrics.estimate import Estimate
from xlite.text import counted, number, spread

COMPARED = 10
"""How many of the first configurations are compared: a search may have hundreds, and each takes seconds."""


_AUCS = ("Val AUC", "Test AUC", "Averaged, test", "First − this, test")
"""Columns of its table that hold AUCs."""


class _Part(BaseModel):
    """A part of the file, frozen. What version 0.1.0 did not know is written only if there is something."""

    model_config = ConfigDict(frozen=True)
    _later: ClassVar[tuple[str, ...]] = ()

    @model_serializer(mode="wrap")
    def _what_is_known(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {name: value for name, value in handler(self).items() if name not in self._later or value}


class Difference(_Part):
    """How far the first macro AUC is above another on the same films: 95 % interval, p, and whether that is a
    tie, which p of .05 or more is. Interval and p hold for all pairs of those compared together.

    findings: how many the means are over; None in an old file, whose pairs were each compared alone.
    """

    _later = ("findings",)

    value: float
    low: float
    high: float
    p: float
    tie: bool
    findings: int | None = None

    def text(self, digits: int = 3) -> str:
        """`+0.012 (-0.003 to +0.027)`."""
        value, low, high = (f"{end:+.{digits}f}" for end in (self.value, self.low, self.high))
        return f"{value} ({low} to {high})"


class Configuration(_Part):
    """Runs that differ in their seed alone.

    val_auc, test_auc, with val_sd and test_sd over the seeds: means of the single models. absent: runs whose
    predictions are not on this machine, and where they were trained. By part, "val" and "test": averaged, the
    AUC of the seeds' averaged probabilities, and against_first, how far the first configuration is above it.
    tie: whether it cannot be told from the first on the validation films; None if nobody knows. epochs: of
    how many the validation AUC of each run is the best, None if it is not known.
    """

    _later = ("epochs",)

    values: dict[str, Value]
    runs: list[str]
    seeds: int
    val_auc: float
    val_sd: float | None = None
    test_auc: float | None = None
    test_sd: float | None = None
    model_size_mb: float | None = None
    inference_time_ms: float | None = None
    absent: dict[str, str] = {}
    averaged: dict[str, Estimate] = {}
    against_first: dict[str, Difference] = {}
    tie: bool | None = None
    epochs: list[int | None] = []

    @property
    def name(self) -> str:
        """Its settings as a person reads them."""
        return name_of(self.values) or "all fixed"


class Optimism(BaseModel):
    """Why the first validation AUC is too good: it is the best of so many configurations and epochs.

    epochs: the fewest and the most of a run, None if they are not known. of_choosing: how much choosing the
    best configuration adds, by choosing on half of the patients and judging on the others; None if there
    is one, or not all were compared. val_less_test: how much the chosen one's validation AUC is above its
    test AUC, which has the best epoch in it and that the films are others; None without a test AUC.
    """

    model_config = ConfigDict(frozen=True)

    configurations: int
    epochs: tuple[int, int] | None = None
    of_choosing: float | None = None
    val_less_test: float | None = None


class Leaderboard(_Part):
    """The configurations of a study, best mean validation AUC first.

    ended: whether the study has, so that a winner was looked for. winner: the place of the one that is
    chosen; None before the end, or if the first could not be compared. verdict: why, in plain words; empty
    before the end. optimism: None in an old file, and without rows.
    """

    _later = ("optimism",)

    study: str
    kind: str
    split_id: str
    vary: list[str]
    warnings: list[str] = []
    rows: list[Configuration]
    ended: bool = False
    winner: int | None = None
    verdict: str = ""
    optimism: Optimism | None = None

    @model_validator(mode="before")
    @classmethod
    def _of_old(cls, content: Any) -> Any:
        """Files of version 0.1.0 lack `ended`: those of a study that has ended have a verdict."""
        if not isinstance(content, Mapping) or "ended" in content:
            return content
        return {**content, "ended": bool(content.get("verdict"))}

    @property
    def caption(self) -> str:
        """Whose films these are, which of them choose, and what the best validation AUC is the best of."""
        said = [f"Split {self.split_id}."]
        if len(self.rows) > 1:
            said.append("The validation films choose the winner; the test films are only shown.")
        if of := best_of(self.optimism):
            said.append(f"The highest Val AUC is the best of {of}, and as such too high.")
        return " ".join(said)

    def remark(self, place: int) -> str:
        """What is to be said of a row: whether it ties with the first, and whether it is chosen.

        A winner is one only if others were compared with it and none of them ties.
        """
        if len(self.rows) == 1:
            return "the only one" if self.ended else ""
        row, ties = self.rows[place], [other.tie for other in self.rows[1:]]
        test = row.against_first.get("test")
        parts = [part for part, tie in (("val", row.tie), ("test", test and test.tie)) if tie]
        said = [f"tie on {' and '.join(parts)}"] if parts else []
        said += ["best, but ties"] if place == 0 and True in ties else []
        if place == self.winner:
            said.append("wins" if True not in ties and False in ties else "chosen")
        unknown = self.ended and 0 < place < COMPARED and row.tie is None
        return "; ".join(said + (["not compared"] if unknown else []))


def best_of(found: Optimism | None) -> str:
    """`3 configurations and of 8 to 10 epochs of each run`; empty if it is the best of nothing known."""
    if found is None:
        return ""
    few, most = found.epochs or (1, 1)
    epochs = f"{few} to {counted(most, 'epoch')}" if few < most else counted(most, "epoch")
    configurations = counted(found.configurations, "configuration")
    said = [configurations] if found.configurations > 1 else []
    return " and of ".join(said + ([f"{epochs} of each run"] if most > 1 else []))


def leaderboard_rows(board: Leaderboard, digits: int = 3, *, unbroken: bool = False) -> list[dict[str, str]]:
    """The table of a leaderboard by column, for a page or a terminal.

    digits: of single AUCs; unbroken: AUCs go into two lines before their interval or not at all.
    """
    rows = [_row(board, place, digits) for place in range(len(board.rows))]
    return [row | {name: _unbroken(row[name]) for name in _AUCS} for row in rows] if unbroken else rows


def _row(board: Leaderboard, place: int, digits: int) -> dict[str, str]:
    row = board.rows[place]
    averaged, difference = row.averaged.get("test"), row.against_first.get("test")
    return {
        "Configuration": row.name,
        "Remark": board.remark(place),
        "Seeds": str(row.seeds),
        "Val AUC": spread(row.val_auc, row.val_sd, digits),
        "Test AUC": spread(row.test_auc, row.test_sd, digits),
        "Averaged, test": str(averaged) if averaged else "–",
        "First − this, test": difference.text(digits) if difference else "–",
        "p": f"{difference.p:.3f}" if difference else "–",
        "MB": number(row.model_size_mb, "–", 1),
        "ms": number(row.inference_time_ms, "–", 1),
    }


def _unbroken(metric: str) -> str:
    metric = metric.replace(" ", "\u00a0").replace("–", "\u2060–\u2060")
    return metric.replace("\u00a0(", " (")


def name_of(values: Mapping[str, Value]) -> str:
    """Settings as a person reads them: `resnet18, attention none, alpha 0.5`."""
    return ", ".join(
        str(value) if name == "backbone" else f"{name.replace('_', ' ')} {_short(value)}"
        for name, value in values.items()
    )


def _short(value: Value) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
