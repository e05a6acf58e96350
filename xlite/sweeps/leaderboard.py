"""The leaderboard of a study, as leaderboard.json has it and pages and terminals show it. Imports little."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict

from xlite.metrics.estimate import Estimate
from xlite.text import number, spread

COMPARED = 10
"""How many of the first configurations are compared: a search may have hundreds, and each takes seconds."""


class Difference(BaseModel):
    """How far a macro AUC is above another on the same films: 95 % interval, p, and whether that is a tie."""

    model_config = ConfigDict(frozen=True)

    value: float
    low: float
    high: float
    p: float
    tie: bool

    def text(self, digits: int = 3) -> str:
        """`+0.012 (-0.003 to +0.027)`."""
        value, low, high = (f"{end:+.{digits}f}" for end in (self.value, self.low, self.high))
        return f"{value} ({low} to {high})"


class Configuration(BaseModel):
    """Runs that differ in their seed alone.

    val_auc, test_auc, with val_sd and test_sd over the seeds: means of the single models. absent: runs whose
    predictions are not on this machine, and where they were trained. By part, "val" and "test": averaged, the
    AUC of the seeds' averaged probabilities, and against_first, how far the first configuration is above it.
    tie: whether it cannot be told from the first on the validation films; None if nobody knows.
    """

    model_config = ConfigDict(frozen=True)

    values: dict[str, Any]
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

    @property
    def name(self) -> str:
        """Its settings as a person reads them."""
        return name_of(self.values) or "all fixed"


class Leaderboard(BaseModel):
    """The configurations of a study, best mean validation AUC first.

    winner: the place of the one that is chosen once the study has ended; None before, or if the first could
    not be compared. verdict: why, in plain words; empty before the end.
    """

    model_config = ConfigDict(frozen=True)

    study: str
    kind: str
    split_id: str
    vary: list[str]
    warnings: list[str] = []
    rows: list[Configuration]
    winner: int | None = None
    verdict: str = ""

    @property
    def ended(self) -> bool:
        """Whether the study had ended, so that a winner was looked for."""
        return bool(self.verdict)

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


def leaderboard_rows(board: Leaderboard, digits: int = 3) -> list[dict[str, str]]:
    """The table of a leaderboard by column, for a page or a terminal; `digits` of single AUCs."""
    return [_row(board, place, digits) for place in range(len(board.rows))]


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


def name_of(values: Mapping[str, Any]) -> str:
    """Settings as a person reads them: `resnet18, attention none, alpha 0.5`."""
    return ", ".join(
        str(value) if name == "backbone" else f"{name.replace('_', ' ')} {_short(value)}"
        for name, value in values.items()
    )


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
