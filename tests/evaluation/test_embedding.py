"""Films laid out by a model's features: which are drawn, what stays together, what is left out."""

from pathlib import Path

import numpy as np
import pytest
from demo_home import save_demo_model

from xlite.classify import Classifier
from xlite.data.folder import NihFolder
from xlite.errors import DataError
from xlite.evaluation.embedding import SIDE, Embedding, clusters_of, drawn, embed, lay_out
from xlite.images import read_image


def test_all_films_are_drawn_or_as_many_as_asked_for_the_same_each_time():
    stems = [f"{number:05d}" for number in range(1000)]
    assert drawn(stems, 1000) == stems
    some = drawn(stems, 100)
    assert some == drawn(stems, 100) == sorted(set(some)) and len(some) == 100


@pytest.mark.slow
def test_films_alike_stay_together_and_the_map_is_the_same_each_time():
    rng = np.random.default_rng(0)
    kinds = np.repeat(np.arange(3), 40)
    features = (10 * np.eye(3, 64)[kinds] + rng.normal(0, 1, (120, 64))).astype(np.float32)
    points = lay_out(features)
    assert points.dtype == np.int16 and points.min() >= 0 and points.max() <= SIDE
    assert np.ptp(points, axis=0).max() == SIDE
    apart = np.linalg.norm(points[:, None].astype(float) - points, axis=2) + 1e9 * np.eye(120)
    assert (kinds[apart.argmin(axis=1)] == kinds).mean() > 0.98
    np.testing.assert_array_equal(points, lay_out(features))
    clusters = clusters_of(points)
    counts = np.bincount(clusters)
    assert len(counts) == 12 and (np.diff(counts) <= 0).all()
    assert all(len(set(kinds[clusters == one].tolist())) == 1 for one in range(12))


def test_few_or_equal_films_have_few_clusters():
    assert set(clusters_of(np.zeros((30, 2), np.int16)).tolist()) == {0}
    assert len(set(clusters_of(np.arange(24).reshape(12, 2)).tolist())) == 2


@pytest.fixture
def classifier(own_home: Path) -> Classifier:
    return Classifier.load(save_demo_model(own_home))


@pytest.mark.slow
def test_a_map_has_the_films_that_can_be_read_with_their_probabilities(
    classifier: Classifier, tiny_folder: Path, tmp_path: Path
):
    paths = NihFolder.open(tiny_folder).paths
    broken = sorted(paths)[3]
    paths[broken].write_bytes(b"no film")
    said: list[tuple[int, int]] = []
    found = embed(classifier, paths, progress=lambda done, films: said.append((done, films)))
    assert found is not None and said == [(16, 24), (24, 24)]
    assert found.stems == [stem for stem in sorted(paths) if stem != broken] and found.films == 24
    assert found.points.shape == (23, 2) and len(found.clusters) == 23
    wanted = [classifier.predict(read_image(paths[stem])) for stem in found.stems]
    np.testing.assert_allclose(found.probs, wanted, atol=1e-5)
    found.write(tmp_path / "points.npz")
    again = Embedding.read(tmp_path / "points.npz")
    assert (again.stems, again.films) == (found.stems, 24)
    for name in ("points", "clusters", "probs"):
        np.testing.assert_array_equal(getattr(again, name), getattr(found, name))


def test_a_map_of_too_few_films_is_refused_and_one_that_is_stopped_is_none(
    classifier: Classifier, tiny_folder: Path
):
    paths = NihFolder.open(tiny_folder).paths
    few = dict(list(paths.items())[:9])
    with pytest.raises(DataError, match="an embedding needs 10 films at least, and 9 could be read"):
        embed(classifier, few)
    assert embed(classifier, paths, is_stopped=lambda: True) is None


def test_a_damaged_map_is_refused(tmp_path: Path):
    path = tmp_path / "points.npz"
    one = np.zeros((1, 2), np.int16)
    Embedding(["a", "b"], one, np.zeros(2, np.int8), np.zeros((2, 14), np.float32), 2).write(path)
    for content in (path.read_bytes(), path.read_bytes()[:-40], b"", b"PK"):
        path.write_bytes(content)
        with pytest.raises(DataError, match="is damaged"):
            Embedding.read(path)
