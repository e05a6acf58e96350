"""What a model file says of its probabilities and thresholds, in short. No torch."""

from xlite.findings import FINDINGS, spoken
from xlite.metrics.calibration import in_effect, uncalibrated
from xlite.models.adapted import AdaptedTo
from xlite.models.info import ModelInfo
from xlite.reading import averaged_sentence, withheld_sentence
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


def calibrating_films(info: ModelInfo) -> str:
    """`validation films`, and those that cross-fitted runs left out if these fitted the calibrator, too."""
    pooled = info.notes.pooled
    if pooled is None:
        return "validation films"
    films = f"{counted(pooled.films, 'film')} of {counted(pooled.patients, 'patient')}"
    return f"validation films and {films} that {counted(pooled.runs, 'run')} left out of training"


def thresholds_words(info: ModelInfo) -> str:
    """Where the thresholds come from, and which findings have none."""
    if info.averaged:
        return f"none. {averaged_sentence(info.averaged)}"
    if info.thresholds is None:
        return "none: the model has none yet, so the order of the findings counts, not their probabilities."
    withheld = withheld_sentence(info.thresholds, info.thresholds_chosen_on)
    own = f"the model's own, chosen on validation films of split {info.split_id}"
    adapted = info.notes.adapted_to
    if adapted is not None and adapted.findings:
        own = f"{', '.join(map(spoken, adapted.findings))}: {adapted_words(adapted)}; the others: {own}"
    return f"{own}. {withheld}".strip()


def adapted_words(adapted: AdaptedTo) -> str:
    """`fitted to 200 films of 150 patients of HOSPITAL on 2026-11-28`."""
    films = f"{counted(adapted.films, 'film')} of {counted(adapted.patients, 'patient')}"
    return f"fitted to {films} of {adapted.data} on {adapted.day}"
