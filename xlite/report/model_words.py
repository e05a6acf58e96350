"""What a model file says of its probabilities and thresholds, in short. No torch."""

from xlite.findings import FINDINGS
from xlite.metrics.calibration import in_effect, uncalibrated
from xlite.models.info import ModelInfo
from xlite.reading import withheld_sentence
from xlite.report.sentences import CALIBRATORS
from xlite.text import counted


def of_findings(count: int) -> str:
    """`all findings`, `1 finding of 14`."""
    return f"{counted(count, 'finding')} of {len(FINDINGS)}" if count < len(FINDINGS) else "all findings"


def calibration_words(info: ModelInfo) -> str:
    """`calibrated by Platt scaling per finding`, for how many if not for all; `not calibrated`."""
    fitted, bare = in_effect(info.calibration), uncalibrated(info.calibration)
    if fitted is None:
        return "not calibrated"
    some = f" for {of_findings(len(FINDINGS) - len(bare))}" if bare else ""
    return f"calibrated {CALIBRATORS[fitted.method].how}{some}"


def thresholds_words(info: ModelInfo) -> str:
    """Where the thresholds come from, and which findings have none."""
    if info.thresholds is None:
        return "none: the model has none yet, so the order of the findings counts, not their probabilities."
    withheld = withheld_sentence(info.thresholds, info.thresholds_chosen_on)
    return f"the model's own, chosen on validation films of split {info.split_id}. {withheld}".strip()
