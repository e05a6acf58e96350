"""Films of a split's part beside what a model says of them."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from judged import save_tiny_model

from xlite.classify import Classifier
from xlite.data.folder import NihFolder
from xlite.data.split_files import load_split
from xlite.evaluation.options import JudgeOptions
from xlite.evaluation.read_films import beside_answers, read_films
from xlite.images import read_image


@pytest.mark.slow
def test_films_stand_beside_their_logits_in_the_splits_order(own_home: Path, tiny_folder: Path) -> None:
    classifier = Classifier.load(save_tiny_model(own_home, tiny_folder))
    folder = NihFolder.open(tiny_folder)
    split = load_split(folder, "patient")
    cv2.imwrite(str(folder.paths[split.stems("test")[1]]), np.zeros((64, 64), np.uint8))
    films, flat = read_films(classifier, folder, split, "test", JudgeOptions(batch_size=3))
    assert (films.names, films.stems, flat) == (split.parts["test"], split.stems("test"), 1)
    inputs = [classifier.input(read_image(folder.paths[stem])) for stem in films.stems]
    expected = np.concatenate([classifier.logits(one) for one in inputs])
    np.testing.assert_allclose(films.logits, expected, atol=1e-5)
    np.testing.assert_array_equal(films.probs, classifier.probabilities(films.logits))
    np.testing.assert_array_equal(films.labels, folder.labels(films.stems))
    one = beside_answers(classifier, folder, films.stems[2:3], films.logits[2:3])
    assert (one.names, one.patients.tolist()) == (films.names[2:3], films.patients[2:3].tolist())
