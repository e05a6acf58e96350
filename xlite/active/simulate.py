"""Opens what a study of selecting films needs, goes through it, and gives its report."""

from pathlib import Path

import numpy as np

from xlite.active import Training
from xlite.active.curves import Curve
from xlite.active.heads import Heads
from xlite.active.lesson import Learner, Lesson
from xlite.active.retrained import Retrained
from xlite.active.study import StudyFilms, StudyOptions, follow
from xlite.active.study_report import Arm, SelectStudy
from xlite.classify import Classifier
from xlite.data.folder import NihFolder
from xlite.data.part_films import part_stems
from xlite.data.split_files import load_split
from xlite.data.splits import Split
from xlite.errors import DataError
from xlite.evaluation.answers import Answers, read_answers
from xlite.evaluation.base import Bootstrap
from xlite.evaluation.film_learned import Learned
from xlite.files import Progress
from xlite.findings import FINDINGS
from xlite.labels import known
from xlite.metrics.bootstrap import SEED
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
    classifier, folder = Classifier.load(spec, device), NihFolder.open(data)
    chosen = load_split(folder, split)
    pool, test = (_labelled(folder, chosen, part) for part in ("train", "test"))
    if training == "head" or options.own_start:
        wanted = [*pool, *(test if training == "head" else [])]
        answers = _whole(classifier, folder, wanted, reading)
        before = Lesson(answers.probs[:0], answers.probs, answers.features[: len(pool)], answers.disagreement)
    else:
        answers, nothing = None, np.empty((len(pool), 0), np.float32)
        before = Lesson(nothing[:0], nothing, nothing)
    learner: Learner
    if training == "head":
        assert answers is not None
        features = answers.features
        learner = Heads(features[: len(pool)], folder.labels(pool), features[len(pool) :])
    else:
        settings = (
            Run.named(spec)
            .config()
            .model_copy(update={"device": device, "teacher": "", "teacher_list": "", "allow_leakage": False})
        )
        learner = Retrained(settings, folder, chosen, pool, test, out.absolute())
    films = StudyFilms(folder.labels(pool), folder.patients(pool), folder.labels(test), folder.patients(test))
    followed = follow(learner, before, films, options, progress)
    learned, random = Learned.of(classifier.info, folder), followed.curves["random"]
    middle = (options.rounds + 1) // 2
    auc, drawn = random.mean()
    target = float(auc[middle])
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
        pool_known=sum(bool(learned.facts(stem)) for stem in pool),
        test=len(test),
        test_patients=len({*films.test_patients}),
        test_known=sum(bool(learned.facts(stem)) for stem in test),
        findings=tuple(name for name, one in zip(FINDINGS, followed.judged, strict=True) if one),
        bootstrap=Bootstrap(resamples=options.resamples, seed=SEED),
        target=target,
        target_round=middle,
        whole=followed.whole,
        arms={
            name: _arm(curve, random, followed.positives[name], target, drawn[middle])
            for name, curve in followed.curves.items()
        },
    )


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
