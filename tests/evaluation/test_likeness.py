"""A model's likeness, measured by its own engine."""

from pathlib import Path

import numpy as np
import pytest
from judged import save_tiny_model

from xlite.classify import Classifier
from xlite.data.folder import NihFolder
from xlite.evaluation import evaluate, likeness
from xlite.evaluation.evaluate import judge_model
from xlite.evaluation.likeness import measured
from xlite.evaluation.options import KEEP, JudgeOptions
from xlite.guards.likeness import LEAST_TRAINING, LEAST_VALIDATION, fit


@pytest.fixture
def classifier(own_home: Path, tiny_folder: Path) -> Classifier:
    return Classifier.load(save_tiny_model(own_home, tiny_folder))


def noise(count: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (count, 32, 32), dtype=np.uint8)


@pytest.mark.slow
def test_it_is_that_of_the_pooled_features(classifier: Classifier, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of no more films than FILMS, spread over the part."""
    monkeypatch.setattr(likeness, "FILMS", 210)
    training, validation = noise(418, 0), noise(LEAST_VALIDATION, 1)
    found = measured(classifier.engine, training, validation)
    chosen = np.linspace(0, 417, 210).astype(int)
    features = [
        np.stack([classifier.output(classifier.input(film), None).features[0] for film in films])
        for films in (training[chosen], validation)
    ]
    wanted = fit(*features)
    assert found is not None and found.films == LEAST_VALIDATION
    # A network's last digits depend on what it reads together; the distance enlarges them.
    assert found.limit == pytest.approx(wanted.limit, rel=5e-3)
    np.testing.assert_allclose(found.distance(features[1]), wanted.distance(features[1]), rtol=5e-3)


@pytest.mark.parametrize(
    ("training", "validation"), [(LEAST_TRAINING - 1, 100), (LEAST_TRAINING, LEAST_VALIDATION - 1), (0, 0)]
)
def test_too_few_films_measure_nothing(classifier: Classifier, training: int, validation: int) -> None:
    assert measured(classifier.engine, noise(training, 0), noise(validation, 1)) is None


@pytest.mark.slow
def test_an_evaluation_that_keeps_what_validation_says_keeps_the_likeness_too(
    classifier: Classifier, tiny_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the model's own train and val part; what was there stays if they are too few."""
    options = JudgeOptions(resamples=20, calibration=KEEP)
    assert (
        judge_model(classifier.path, tiny_folder, "patient", "test", options).classifier.info.likeness is None
    )
    given = []
    made = fit(*(np.random.default_rng(seed).random((200, 5)) for seed in (0, 1)))
    monkeypatch.setattr(evaluate, "measured", lambda engine, *films: given.extend(films) or made)
    kept = judge_model(classifier.path, tiny_folder, "patient", "test", options).classifier.info
    split = evaluate.own_split(classifier.info, NihFolder.open(tiny_folder))
    assert split is not None and kept.likeness == made
    assert [len(films) for films in given] == [len(split.stems(part)) for part in ("train", "val")]
