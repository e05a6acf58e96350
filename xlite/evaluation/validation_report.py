"""What a report says of validation films, and of the thresholds and calibrators that they choose."""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import AliasChoices, Field, SerializerFunctionWrapHandler, model_serializer, model_validator

from xlite.evaluation.report_base import ReportModel
from xlite.metrics.estimate import Estimate, FixedMean
from xlite.metrics.thresholds import ValidationPatients

Rate = Literal["f1", "precision", "recall", "specificity"]
Expected = dict[Literal["recall", "specificity"], Estimate]


class Validation(ReportModel):
    """The validation films that choose thresholds and calibrators, or why there are none.

    split_id: of a model, whose val part they are; file: of predictions. absent: the folder lacks the model's
    split ("no_split"), that has no val part ("no_part"), the films judged are that part ("same_films"), only
    `here` of its `expected` films are here ("not_here"), or no validation predictions were given
    ("not_given"). text: the words of an old report.
    """

    films: int = 0
    split_id: str = ""
    file: str = ""
    absent: Literal["", "no_split", "no_part", "same_films", "not_here", "not_given"] = ""
    here: int = 0
    expected: int = 0
    text: str = Field(default="", exclude=True)

    @model_validator(mode="before")
    @classmethod
    def _of_old(cls, content: Any) -> Any:
        if isinstance(content, Mapping) and "note" in content and "absent" not in content:
            return {**content, "text": content["note"]}
        return content


class PointAtThreshold(ReportModel):
    """What one finding's threshold gives on the films judged, and what it promises on any.

    threshold: None if too few validation patients chose it, and then all rates are. called, called_patients:
    films judged that reach it, and their patients. expected: sensitivity and specificity on the validation
    films, with the intervals of what they will be on new patients. An old report lacks all but the rates.
    """

    threshold: float | None
    f1: Estimate
    precision: Estimate
    recall: Estimate
    specificity: Estimate
    chosen_on: ValidationPatients | None = None
    called: int | None = None
    called_patients: int | None = None
    expected: Expected = {}

    def estimate(self, rate: Rate) -> Estimate:
        """A rate by its name."""
        value: Estimate = getattr(self, rate)
        return value


class OperatingPoints(ReportModel):
    """Thresholds by one rule: means over the findings, then each finding.

    macro_findings, macro_fixed: as those of `Metrics`; an old report lacks them.
    """

    macro: dict[Rate, Estimate]
    macro_findings: dict[Rate, int] = {}
    macro_fixed: dict[Rate, FixedMean] = {}
    per_class: dict[str, PointAtThreshold]


class CalibrationErrors(ReportModel):
    """Calibration error and Brier score after one calibrator: means, then each finding.

    perfect_ece: the mean calibration error of as many films if the probabilities were right; an old report
    does not say.
    """

    macro: dict[Literal["ece", "brier"], Estimate]
    per_class: dict[str, dict[Literal["ece", "brier"], float | None]]
    perfect_ece: float | None = None


class CalibrationReport(ReportModel):
    """The calibrator in use, the findings that it leaves as they are, and what each calibrator would give.

    in_use: its method, "none", or "as given" for anyone's predictions; calibrators: by method, "none" first,
    None without validation films.
    """

    in_use: str
    without_calibrator: tuple[str, ...] = Field(
        default=(), validation_alias=AliasChoices("without_calibrator", "without_map")
    )
    calibrators: dict[str, CalibrationErrors] | None = Field(
        validation_alias=AliasChoices("calibrators", "maps")
    )

    @model_serializer(mode="wrap")
    def _with_keys_of_file(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        keys = {"without_calibrator": "without_map", "calibrators": "maps"}  # metrics.json keeps its keys
        return {keys.get(name, name): value for name, value in handler(self).items()}
