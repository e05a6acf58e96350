"""A threshold that a person chose, written into a model file, which says from then on where it is from."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np

from xlite.errors import CheckpointError
from xlite.evaluation.contamination.caveats import ChosenOn
from xlite.evaluation.report import Report
from xlite.files import write_atomic
from xlite.findings import FINDINGS, spoken
from xlite.labels import negative, positive, where_known
from xlite.metrics.calibration import in_effect
from xlite.metrics.operating_point import too_few
from xlite.metrics.thresholds import ChosenByHand, ValidationPatients
from xlite.metrics.validation_record import ValidationRecord, promised_rates, rank_table
from xlite.models.available import CARD_FILE, EXPORT_FILES
from xlite.models.info import ModelInfo, read_info, rewrite_info
from xlite.places import bundled
from xlite.report.hand_thresholds import BY_HAND_TITLE, by_hand_section
from xlite.report.judged import JudgedFilms
from xlite.report.saved import Evaluation
from xlite.report.sections.operating import not_offered_sentence
from xlite.report.sentences import known_films
from xlite.runs.run import Run
from xlite.text import percent

_CLOSE = 1e-6
"""Two thresholds that lie nearer are the same: files keep six decimals or more."""
_SECTION = re.compile(rf"^{BY_HAND_TITLE}\n.*?(?=^## |\Z)", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Kept:
    """What keeping a threshold has done, and what it costs: sentences with capital and full stop."""

    done: str
    costs: Sequence[str]


def is_shipped(path: Path) -> bool:
    """Whether a model file is one of those that come with X-Lite."""
    return path.resolve().parent.parent == bundled("checkpoints").resolve()


def threshold_changes(info: ModelInfo, report: Report) -> list[str]:
    """What a model file now says of its thresholds that a report, made before, does not: a sentence each."""
    return [
        f"{spoken(finding)} is now called from {percent(cut)} on, {one}. The tables below are of "
        f"{_share(report.per_class[finding].threshold)}, with which the films were judged: evaluate again."
        for finding, one in info.notes.thresholds_by_hand.items()
        for cut in [(info.thresholds or {}).get(finding)]
        if cut is not None and not _same(cut, report.per_class[finding].threshold)
    ]


def choice_warnings(report: Report) -> list[str]:
    """Why a threshold that is chosen on the films judged need not hold on others, a sentence each."""
    said = []
    if report.split.part == "test":
        said.append(
            "These are test films. A threshold that is chosen on them makes the test metrics of what the "
            "model calls too good; choose it on the val part instead."
        )
    reasons = report.contamination.reasons if report.contamination else ()
    if not all(isinstance(reason, ChosenOn) for reason in reasons):
        said.append(
            f"{known_films(report)}: what is known is called with more confidence than what is new, so that "
            "a threshold chosen here need not hold on other films."
        )
    return said


def keep_threshold(
    path: Path,
    judged: Evaluation,
    films: JudgedFilms,
    finding: str,
    cut: float,
    others: Sequence[JudgedFilms],
) -> Kept:
    """Makes `cut` the threshold of a finding in a model file, chosen on the films judged; and says so in it.

    others: films of other evaluations of the model, among which those of its validation part may be. What the
    threshold does on these is recorded anew, or withheld if they are not there. Raises CheckpointError if the
    model ships, trains, has no thresholds, or is not in the state that was judged.
    """
    info = read_info(path)
    _check(path, info, judged.report)
    column, split = FINDINGS.index(finding), judged.report.split
    labels = films.labels[:, column]
    if few := too_few(labels, films.patients):
        raise CheckpointError(not_offered_sentence(finding, few))
    kinds = (positive(labels), negative(labels))
    have, lack = (len(np.unique(films.patients[kind])) for kind in kinds)
    earlier = info.notes.thresholds_by_hand.get(finding)
    before = earlier.before if earlier else (info.thresholds or {})[finding]
    chosen = ChosenByHand(split.id, split.part, have, lack, date.today().isoformat(), before)
    record = (info.validation or {}).get(finding)
    changed = _judged_anew(record, [films, *others], column, cut) if record else None
    rewrite_info(path, _with(info, finding, cut, chosen, changed))
    _note_in_card(path.with_name(CARD_FILE), read_info(path))
    name, instead = path.parent.name, _share((info.thresholds or {})[finding])
    done = f"{name} now calls {spoken(finding)} from {percent(cut)} on instead of {instead}, {chosen}."
    return Kept(done, _costs(path, chosen, record, changed))


def _check(path: Path, info: ModelInfo, report: Report) -> None:
    name = path.parent.name
    if is_shipped(path):
        raise CheckpointError(
            f"{name} comes with X-Lite and is not changed: copy its folder into your own checkpoints under "
            "another name, and evaluate that model"
        )
    if Run(path.parent).is_held():
        raise CheckpointError(f"{name} is being trained, which would undo it: wait for its end")
    if info.thresholds is None:
        raise CheckpointError(f"{name} has no thresholds yet: its validation films choose them first")
    calibrator = in_effect(info.calibration)
    own = {finding: one.threshold for finding, one in report.per_class.items()}
    same = all(
        _same(cut, own[finding])
        for finding, cut in info.thresholds.items()
        if finding not in info.notes.thresholds_by_hand
    )
    if not same or report.calibration.in_use != (calibrator.method if calibrator else "none"):
        raise CheckpointError(
            f"{name} has changed since it was judged, so its probabilities may be others now: evaluate it "
            "again"
        )


def _judged_anew(
    record: ValidationRecord, films: Sequence[JudgedFilms], column: int, cut: float
) -> ValidationRecord:
    """The record of another threshold: by the films that it was made of, else without its rates."""
    for one in films:
        labels, probs, patients = where_known(one.labels[:, column], one.probs[:, column], one.patients)
        if _is_of(record, positive(labels), probs):
            rates = promised_rates(positive(labels), probs >= cut, patients)
            return record.model_copy(update=rates)
    return record.model_copy(update={"sensitivity": None, "specificity": None})


def _is_of(record: ValidationRecord, has: np.ndarray, probs: np.ndarray) -> bool:
    """Whether a record was made of these films and probabilities: its ranks are theirs. has (N,) bool."""
    if (record.positive_films, record.negative_films) != (int(has.sum()), int((~has).sum())):
        return False
    ours = (*rank_table(probs[has]), *rank_table(probs[~has]))
    return bool(np.allclose(ours, (*record.ranks_with, *record.ranks_without), atol=2e-5))


def _with(
    info: ModelInfo, finding: str, cut: float, chosen: ChosenByHand, record: ValidationRecord | None
) -> ModelInfo:
    patients = ValidationPatients(chosen.positive, chosen.negative)
    known = info.thresholds_chosen_on
    update = {
        "thresholds": {**(info.thresholds or {}), finding: float(cut)},
        "thresholds_chosen_on": {**known, finding: patients} if known else None,
        "validation": {**(info.validation or {}), finding: record} if record else info.validation,
    }
    notes = {**info.notes.thresholds_by_hand, finding: chosen}
    return info.model_copy(update=update).noting(thresholds_by_hand=notes)


def _costs(
    path: Path, chosen: ChosenByHand, before: ValidationRecord | None, after: ValidationRecord | None
) -> list[str]:
    said: list[str] = []
    if chosen.part == "test":
        said.append(
            "It was chosen on test films: what this model calls is no longer judged honestly by that test "
            "part. Choose on the val part, and judge on the test part once."
        )
    if before and after and after.sensitivity is None and after.specificity is None:
        said.append(
            "What it finds on the validation films is withheld, as their probabilities are not here: "
            "evaluate the val part of the model's own split, and keep the threshold again."
        )
    stale = [name for name in EXPORT_FILES.values() if path.with_name(name).is_file()]
    if stale:
        said.append(
            f"Exports made before have the old threshold: {', '.join(stale)}. Export the model again."
        )
    said.append("Reports made before are of the old threshold: evaluate again.")
    return said


def _note_in_card(card: Path, info: ModelInfo) -> None:
    """Puts the thresholds that a person chose into the card beside the model, if there is one.

    The section of the card that has that title, whatever it says, gives way to the new one.
    """
    if not card.is_file():
        return
    new = "\n".join(by_hand_section(info)).rstrip()
    text = card.read_text(encoding="utf-8", errors="replace")
    text, replaced = _SECTION.subn(lambda _: f"{new}\n\n", text, count=1)
    write_atomic(card, (text if replaced else f"{text.rstrip()}\n\n{new}\n").encode())


def _same(first: float | None, second: float | None) -> bool:
    return first is second if first is None or second is None else abs(first - second) < _CLOSE


def _share(threshold: float | None) -> str:
    return "no threshold" if threshold is None else percent(threshold)
