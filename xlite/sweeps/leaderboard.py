"""The leaderboard of a study: leaderboard.json, facts alone. `leaderboard_sentences` words them.

Imports little.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from pydantic import (
    AliasChoices,
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)

from xlite.config import Value
from xlite.findings import FINDINGS
from xlite.metrics.estimate import Estimate, FixedMean
from xlite.sweeps.status import TeacherCaveat
from xlite.text import difference

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


class Joined(_Part):
    """What cross-fitted runs say of the folds that they left out: how many films, and in which files.

    auc: the mean over so many findings, None if it is undefined.
    """

    films: int
    auc: float | None
    predictions: Path
    known: Path
    findings: int = len(FINDINGS)


class TeacherKnown(_Part):
    """A caveat of runs' reports on what their teacher knows of the test films, and these runs.

    runs: empty in an old file, which names them in the words of its caveat.
    """

    caveat: TeacherCaveat
    runs: list[str] = []

    @model_validator(mode="before")
    @classmethod
    def _of_old(cls, content: Any) -> Any:
        """Files once kept the sentence alone."""
        return {"caveat": content} if isinstance(content, str) else content


class Leaderboard(_Part):
    """The configurations of a study, best mean validation AUC first.

    ended: whether the study has, so that a winner was looked for. winner: the place of the one that is
    chosen; None before the end, or if the first could not be compared. optimism: None in an old file, and
    without rows. joined: what came of cross-fitting. teachers: what teachers know of the test films.
    old_verdict: what came of the study, in the words of an old file, which need not have all the facts.
    """

    _later = ("optimism", "joined", "teachers", "old_verdict")

    study: str
    kind: str
    split_id: str
    vary: list[str]
    rows: list[Configuration]
    ended: bool = False
    winner: int | None = None
    optimism: Optimism | None = None
    joined: Joined | None = None
    teachers: list[TeacherKnown] = Field(default=[], validation_alias=AliasChoices("teachers", "warnings"))
    old_verdict: str = Field(default="", validation_alias=AliasChoices("old_verdict", "verdict"))

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


def name_of(values: Mapping[str, Value]) -> str:
    """Settings as a person reads them: `resnet18, attention none, alpha 0.5`."""
    return ", ".join(
        str(value) if name == "backbone" else f"{name.replace('_', ' ')} {_short(value)}"
        for name, value in values.items()
    )


def _short(value: Value) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
