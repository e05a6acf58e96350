"""Published AUCs to stand beside one's own: only those of the same films may be compared."""

import hashlib
from collections.abc import Sequence

from xlite.evaluation.report import Reference
from xlite.findings import FINDINGS

# The first 8 hex digits of the SHA-256 of a test list's sorted stems, a line each.
TEST_LISTS = {"7519b729": "official", "8b08042d": "chexnet"}
_PER_CLASS = {
    "CheXNet": "8094 9248 8638 7345 8676 7802 7680 8887 7901 8878 9371 8047 8062 9164",
    "jrzech": "8180 9090 8827 7156 8377 7756 7617 8776 8002 8945 9316 8251 7889 9175",
    "DenseNet-121, 448 px": "7798 8759 8327 7004 8249 8003 7325 8600 7463 8440 9212 8433 7966 9240",
}
# Name, test films ("random": of a random patient split of the authors'), mean of 14 AUCs as published
# (None: the mean of its findings).
_PUBLISHED = (
    ("Wang 2017", "official", 0.745),
    ("DenseNet-121, 224 px (AE-CNN's re-run)", "official", 0.807),
    ("DenseNet-121, 224 px (MoCo v2)", "official", 0.808),
    ("DenseNet-121, 224 px (Medical-MAE)", "official", 0.813),
    ("DenseNet-121, 448 px", "official", None),
    ("DenseNet-121, 512 px", "official", 0.8171),
    ("DenseNet-121, 224 px (Goel 2024)", "official", 0.820),
    ("XProtoNet", "official", 0.822),
    ("EVA-X-Ti, 6 M", "official", 0.824),
    ("EVA-X-B, 86 M", "official", 0.835),
    ("jrzech", "chexnet", 0.838),
    ("CheXNet", "random", 0.841),
    ("arnoweng", "random", 0.843),
    ("zoogzog", "random", 0.851),
)


def films_digest(stems: Sequence[str]) -> str:
    """8 hex digits that stand for a set of films, whatever their order."""
    return hashlib.sha256("\n".join(sorted(stems)).encode()).hexdigest()[:8]


def published_references(stems: Sequence[str], drawn: bool = False) -> tuple[Reference, ...]:
    """Each published result; comparable are those measured on exactly the films `stems`. If `drawn`, none."""
    if drawn:
        return ()
    mine = TEST_LISTS.get(films_digest(stems))
    return tuple(_reference(name, films, mean, mine) for name, films, mean in _PUBLISHED)


def _reference(name: str, films: str, mean: float | None, mine: str | None) -> Reference:
    values = [int(digits) / 1e4 for digits in _PER_CLASS.get(name, "").split()]
    return Reference(
        name=name,
        auc=round(sum(values) / len(FINDINGS), 4) if mean is None else mean,
        per_class=dict(zip(FINDINGS, values, strict=True)) if values else None,
        comparable=films == mine,
        films=films,
    )
