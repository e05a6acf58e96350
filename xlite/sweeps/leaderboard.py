"""The leaderboard of a study: leaderboard.json.

Imports little.
"""

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from pydantic import (
    BaseModel,
    ConfigDict,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)

from xlite.config import Value
from xlite.findings import FEW_POSITIVES, FINDINGS, spoken
from xlite.metrics.estimate import Estimate, FixedMean
from xlite.text import counted, difference

COMPARED = 10
"""How many of the first configurations are compared: a search may have hundreds, and each takes seconds."""


class _Part(BaseModel):
    """A part of the file, frozen. What version 0.1.0 did not know is written only if there is something."""

    model_config = ConfigDict(frozen=True)
    _later: ClassVar[tuple[str, ...]] = ()

    @model_serializer(mode="wrap")
    def _what_is_known(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {name: value for name, value in handler(self).items() if name not in self._later or value}


class Difference(_Part):
    """How far the first mean AUC is above another on the same films: 95 % interval, p, and whether that is a
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
        """`+0.012 (-0.003 to +0.027)`; with ` of 12` if it is over so few findings."""
        few = self.findings not in (None, len(FINDINGS))
        return difference(self.value, self.low, self.high, digits) + (f" of {self.findings}" if few else "")


class Configuration(_Part):
    """Runs that differ in their seed alone.

    val_auc, test_auc, with val_sd and test_sd over the seeds: means of the single models. absent: runs whose
    predictions are not on this machine, and where they were trained. By part, "val" and "test": averaged, the
    AUC of the seeds' averaged probabilities; fixed, that of the fixed findings alone; and against_first, how
    far the first configuration is above it. tie: whether it cannot be told from the first on the validation
    films; None if nobody knows. epochs: of how many the validation AUC of each run is the best, None if it is
    not known. An old file lacks fixed and epochs.
    """

    _later = ("epochs", "fixed")

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
    fixed: dict[str, FixedMean] = {}
    against_first: dict[str, Difference] = {}
    tie: bool | None = None
    epochs: list[int | None] = []

    @property
    def name(self) -> str:
        """Its settings as a person reads them."""
        return name_of(self.values) or "all fixed"

    def shown_fixed(self) -> FixedMean | None:
        """The mean over the fixed findings of the test films, if only that has an interval."""
        every, fixed = self.averaged.get("test"), self.fixed.get("test")
        if every is None or every.low is not None or fixed is None or fixed.estimate.low is None:
            return None
        return fixed


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
    def chooses(self) -> bool:
        """Whether the study chooses a configuration: one that cross-fits needs all of them."""
        return self.kind != "crossfit"

    @property
    def caption(self) -> str:
        """Whose films these are, which of them choose, what the best validation AUC is the best of, and over
        which findings the means on the test films are.
        """
        said = [f"Split {self.split_id}."]
        if not self.chooses:
            said.append("Nothing is chosen: each row is the model that left this fold out.")
        elif len(self.rows) > 1:
            said.append("The validation films choose the winner; the test films are only shown.")
        if self.chooses and (of := best_of(self.optimism)):
            said.append(f"The highest validation AUC is the best of {of}, and as such too high.")
        return " ".join([*said, *self._means()])

    def _means(self) -> Iterator[str]:
        """Over which findings the means on the test films are, which is one set for all rows."""
        fixed = next(filter(None, (row.shown_fixed() for row in self.rows)), None)
        if fixed is not None:
            named = ", ".join(map(spoken, fixed.findings))
            count = f"{len(fixed.findings)} findings with {FEW_POSITIVES} patients or more"
            yield f"“Averaged” is over the {count}: {named}."
        gaps = (row.against_first.get("test") for row in self.rows)
        over = next((gap.findings for gap in gaps if gap and gap.findings), None)
        if over is not None:
            yield f"“First − this” is over {counted(over, 'finding')}."

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


def name_of(values: Mapping[str, Value]) -> str:
    """Settings as a person reads them: `resnet18, attention none, alpha 0.5`."""
    return ", ".join(
        str(value) if name == "backbone" else f"{name.replace('_', ' ')} {_short(value)}"
        for name, value in values.items()
    )


def _short(value: Value) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
