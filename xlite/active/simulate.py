"""Opens what a study of selecting films needs, goes through it, and gives its report."""

from pathlib import Path
from typing import Any

import numpy as np

from xlite.active import Training
from xlite.active.curves import Curve
from xlite.active.heads import Heads
from xlite.active.learner import Learner, Lesson
from xlite.active.retrained import Retrained
from xlite.active.study import Followed, StudyFilms, StudyOptions, follow
from xlite.active.study_report import Arm, SelectStudy
from xlite.classify import Classifier
from xlite.config import TrainConfig
from xlite.data.folder import NihFolder
from xlite.data.part_films import part_stems
from xlite.data.split_files import load_split
from xlite.data.splits import Split
from xlite.errors import DataError
from xlite.evaluation.answers import Answers, read_answers
from xlite.evaluation.contamination.film_learned import Learned
from xlite.evaluation.report_base import Bootstrap
from xlite.files import Progress
from xlite.findings import FINDINGS
from xlite.labels import known
from xlite.metrics.bootstrap import RESAMPLING_SEED
from xlite.runs.run import Run


def simulate(
    spec: str,
    data: Path,
    split: str,
    training: Training,
    out: Path,
    options: StudyOptions,
    device: str = "cpu",
    reading: Progress | None = None,
    progress: Progress | None = None,
) -> SelectStudy:
    """Studies the strategies on labelled films: the train part of a split is the pool, its test part judges.

    reading is called with the films that the model has read, progress with the trainings done. Raises
    CheckpointError, RunError or DataError for a model, run, folder or split that cannot be used, and as
    `follow`.
    """
    classifier, folder = Classifier.load(spec, device, has_maps=False), NihFolder.open(data)
    chosen = load_split(folder, split)
    pool, test = (_labelled(folder, chosen, part) for part in ("train", "test"))
    films = StudyFilms(folder.labels(pool), folder.patients(pool), folder.labels(test), folder.patients(test))
    learner: Learner
    if training == "head":
        answers = _whole(classifier, folder, [*pool, *test], reading)
        before, features = _before(answers, len(pool)), answers.features
        learner = Heads(features[: len(pool)], films.labels, features[len(pool) :])
    else:
        before = _before(_whole(classifier, folder, pool, reading) if options.own_start else None, len(pool))
        learner = Retrained(_settings(spec, device), folder, chosen, pool, test, out.absolute())
    followed = follow(learner, before, films, options, progress)
    knows = Learned.of(classifier.info, folder)
    return SelectStudy(
        data=folder.root.absolute().name,
        split=chosen.id,
        label_version=folder.label_version,
        model=classifier.name,
        train=training,
        own_start=options.own_start,
        whole_patients=options.whole_patients,
        start=options.start,
        add=options.add,
        rounds=options.rounds,
        seeds=options.seeds,
        pool=len(pool),
        pool_patients=len({*films.patients}),
        pool_known=sum(bool(knows.facts(stem)) for stem in pool),
        test=len(test),
        test_patients=len({*films.test_patients}),
        test_known=sum(bool(knows.facts(stem)) for stem in test),
        findings=tuple(name for name, one in zip(FINDINGS, followed.judged, strict=True) if one),
        bootstrap=Bootstrap(resamples=options.resamples, seed=RESAMPLING_SEED),
        whole=followed.whole,
        **_arms(followed, options.rounds),
    )


def _before(answers: Answers | None, films: int) -> Lesson:
    """What is known of the pool's films before any is labelled: the model's answers, or nothing."""
    if answers is None:
        nothing = np.empty((films, 0), np.float32)
        return Lesson(nothing[:0], nothing, nothing)
    return Lesson(answers.probs[:0], answers.probs, answers.features[:films], answers.disagreement)


def _settings(spec: str, device: str) -> TrainConfig:
    """The settings of the run that is trained anew in each round, without a teacher."""
    alone = {"device": device, "teacher": "", "teacher_list": "", "allow_leakage": False}
    return Run.named(spec).config().model_copy(update=alone)


def _arms(followed: Followed, rounds: int) -> dict[str, Any]:
    """What `SelectStudy` holds of its strategies: their curves, and the films that each needs for the target,
    which is the mean AUC of random films in the middle round.
    """
    random, middle = followed.curves["random"], (rounds + 1) // 2
    auc, drawn = random.mean()
    target = float(auc[middle])
    return {
        "target": target,
        "target_round": middle,
        "arms": {
            name: _arm(curve, random, followed.positives[name], target, drawn[middle])
            for name, curve in followed.curves.items()
        },
    }


def _labelled(folder: NihFolder, split: Split, part: str) -> list[str]:
    """The films of a part that are there and of which a label is known."""
    stems = part_stems(folder, split, part, skip_missing=True)
    has_label = np.asarray(known(folder.labels(stems)).any(axis=1))
    found = [stem for stem, one in zip(stems, has_label, strict=True) if one]
    if not found:
        raise DataError(
            f"no label of the {part} part of {split.id} is known: a study hides labels and asks for them in "
            "turn, so it takes a folder that is labelled"
        )
    return found


def _whole(classifier: Classifier, folder: NihFolder, stems: list[str], reading: Progress | None) -> Answers:
    """The model's answers to all of these films. Raises DataError if one cannot be read."""
    answers = read_answers(classifier, [(stem, folder.paths[stem]) for stem in stems], reading)
    assert answers is not None  # nobody stops it
    if lost := {*stems} - {*answers.stems}:
        raise DataError(f"{min(lost)} cannot be read; see `xlite data check {folder.root}`")
    return answers


def _arm(curve: Curve, random: Curve, positives: np.ndarray, target: float, targets: np.ndarray) -> Arm:
    return Arm(
        films=tuple(curve.sizes.tolist()),
        positives=tuple(positives.mean(axis=0).tolist()),
        auc=curve.estimates(),
        gains=() if curve is random else curve.gains(random),
        needed=curve.needed(target, targets),
    )
