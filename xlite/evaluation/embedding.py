"""Films as a model sees them, in two dimensions: neighbours have features alike. No torch, no page.

found = embed(classifier, {"00000001_000": Path("00000001_000.png"), …})
found.write(path)
Embedding.read(path).points

Distances between far places, sizes of groups and the space between them mean nothing: t-SNE keeps neighbours.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from xlite.classify import Classifier
from xlite.config import SEED
from xlite.data.eda.embedded import SIDE
from xlite.errors import DataError
from xlite.evaluation.answers import read_answers
from xlite.files import Progress, read_file, write_atomic
from xlite.findings import FINDINGS

MOST = 10_000
"""So many films at most are in an embedding: more take long to draw, and points hide each other."""
LEAST = 10
"""So wide and so high is an embedding; places on it are whole numbers."""
_AXES, _PERPLEXITY = 50, 30
_CLUSTERS, _FILMS_A_CLUSTER = 12, 5


@dataclass(frozen=True, eq=False)
class Embedding:
    """Films laid out: stems (N), points int16 (N, 2) x and y in 0-SIDE, y upwards, clusters int8 (N,) from 0.

    Clusters are places in the embedding, the one with most films first. probs float32 (N, 14) are the model's
    calibrated probabilities. films: how many the folder has, of which N were drawn and could be read.
    """

    stems: list[str]
    points: np.ndarray
    clusters: np.ndarray
    probs: np.ndarray
    films: int

    def write(self, path: Path) -> None:
        """Writes the file whole."""
        out = BytesIO()
        np.savez_compressed(
            out,
            stems=np.array(self.stems),
            films=np.array(self.films),
            points=self.points,
            clusters=self.clusters,
            probs=self.probs,
        )
        write_atomic(path, out.getvalue())

    @classmethod
    def read(cls, path: Path) -> "Embedding":
        """What `write` wrote. Raises DataError if it is damaged."""
        try:
            with np.load(BytesIO(read_file(path)), allow_pickle=False) as file:
                stems = file["stems"].tolist()
                found = cls(stems, file["points"], file["clusters"], file["probs"], int(file["films"]))
        except (OSError, ValueError, KeyError, EOFError, BadZipFile) as error:
            raise DataError(
                f"{path} is damaged ({error}): delete its folder, and make the embedding again"
            ) from error
        count = len(found.stems)
        shapes = (found.points.shape, found.clusters.shape, found.probs.shape)
        if shapes != ((count, 2), (count,), (count, len(FINDINGS))):
            raise DataError(f"{path} is damaged: delete its folder, and make the embedding again")
        return found


def drawn(stems: Sequence[str], most: int = MOST) -> list[str]:
    """The films that are in an embedding: all, or `most` of them drawn at random, the same each time."""
    if len(stems) <= most:
        return list(stems)
    chosen = np.random.default_rng(SEED).choice(len(stems), most, replace=False)
    return [stems[place] for place in np.sort(chosen)]


def embed(
    classifier: Classifier,
    paths: Mapping[str, Path],
    most: int = MOST,
    progress: Progress | None = None,
    is_stopped: Callable[[], bool] = lambda: False,
) -> Embedding | None:
    """The embedding of films, files by stem, by a model's features; those that cannot be read are left out.

    None if it is stopped. Raises DataError as `read_answers`, and if fewer than LEAST can be read.
    """
    wanted = drawn(sorted(paths), most)
    found = read_answers(classifier, [(stem, paths[stem]) for stem in wanted], progress, is_stopped)
    if found is None:
        return None
    if len(found.stems) < LEAST:
        raise DataError(f"an embedding needs {LEAST} films at least, and {len(found.stems)} could be read")
    points = lay_out(found.features)
    return Embedding(found.stems, points, clusters_of(points), found.probs, len(paths))


def lay_out(features: np.ndarray) -> np.ndarray:
    """Features float32 (N, C) in an embedding: int16 (N, 2) in 0-SIDE; the same for the same features."""
    from sklearn.decomposition import PCA
    from sklearn.manifold import TSNE

    axes = min(_AXES, *features.shape)
    main = PCA(axes, random_state=SEED).fit_transform(features.astype(np.float64))
    perplexity = min(_PERPLEXITY, (len(features) - 1) / 3)
    points = TSNE(2, perplexity=perplexity, init="pca", random_state=SEED).fit_transform(main)
    middle = (points.max(0) + points.min(0)) / 2
    reach = max(float(np.ptp(points, axis=0).max()), 1e-9)
    placed: np.ndarray = np.rint(SIDE * ((points - middle) / reach + 0.5)).astype(np.int16)
    return placed


def clusters_of(points: np.ndarray) -> np.ndarray:
    """Which cluster each of the points (N, 2) is in: int8 (N,), 0 the one with most of them."""
    from sklearn.cluster import KMeans

    distinct = len(np.unique(points, axis=0))
    count = max(1, min(_CLUSTERS, len(points) // _FILMS_A_CLUSTER, distinct))
    labels = KMeans(count, n_init=4, random_state=SEED).fit_predict(points.astype(np.float64))
    order = np.argsort(-np.bincount(labels, minlength=count), kind="stable")
    ranks: np.ndarray = np.argsort(order).astype(np.int8)
    found: np.ndarray = ranks[labels]
    return found
