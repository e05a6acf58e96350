"""What a model file says of its probabilities, its thresholds and what it learned from. No torch."""

from xlite.evaluation.contamination.sources import Source, read_sources
from xlite.findings import FINDINGS, spoken
from xlite.metrics.calibration import in_effect, uncalibrated
from xlite.models.info import ModelInfo, ModelNotes
from xlite.reading import averaged_sentence, withheld_sentence
from xlite.report.sentences import CALIBRATORS
from xlite.text import counted

_PARTS = {"val": "validation", "test": "test"}


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
        own = f"{', '.join(map(spoken, adapted.findings))}: fitted to {adapted.fitted_to}; the others: {own}"
    return f"{own}. {withheld}".strip()


def behind(notes: ModelNotes) -> dict[str, str]:
    """What its teachers and its starting weights learned from, and which of the films judged that is.

    A row for each source: `Behind its teachers` to `the films of a list, known.txt: 3 of 435 …`.
    """
    rows = {}
    for who, start in (("teachers", False), ("starting weights", True)):
        sources = [source for source in read_sources(notes) if source.start == start]
        for place, source in enumerate(sources, 1):
            rows[f"Behind its {who}{f', {place}' if len(sources) > 1 else ''}"] = _source_words(source)
    return rows


def _source_words(source: Source) -> str:
    if source.split is not None:
        films = f"{'drawn films' if source.phantoms else 'films'}, split {source.split}"
    elif source.list is not None:
        films = f"the films of a list, {source.list}"
    elif source.said is not None:
        films = source.said
    else:
        return f"films that are not noted, behind {source.predictions or source.weights}"
    counts = [
        f"{seen.with_val:,} of {counted(seen.films, f'{_PARTS[part]} film')}"
        for part, seen in (source.seen or {}).items()
        if seen.known
    ]
    return ": ".join(filter(None, [films, ", ".join(counts)]))
