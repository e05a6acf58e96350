"""Published AUCs to stand beside one's own: only those of the same films may be compared."""

import hashlib
from collections.abc import Sequence

from xlite.findings import FINDINGS

# The first 8 hex digits of the SHA-256 of a test list's sorted stems, a line each.
TEST_LISTS = {"7519b729": "official", "8b08042d": "chexnet"}
_SPLITS = {
    "official": "NIH's official test list",
    "chexnet": "the chexnet 70/10/20 test list",
    "random": "a random patient split of their own",
}
_PER_CLASS = {
    "CheXNet": "8094 9248 8638 7345 8676 7802 7680 8887 7901 8878 9371 8047 8062 9164",
    "jrzech": "8180 9090 8827 7156 8377 7756 7617 8776 8002 8945 9316 8251 7889 9175",
    "DenseNet-121, 448 px": "7798 8759 8327 7004 8249 8003 7325 8600 7463 8440 9212 8433 7966 9240",
}
# Name, test films, mean of 14 AUCs as published (None: the mean of its findings).
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


def published_references(stems: Sequence[str]) -> list[dict]:
    """Each published result: "name", "auc" (mean of 14), "per_class" or None, "comparable", "reason".

    Comparable are those measured on exactly the films `stems`; "reason" says why or why not.
    """
    mine = TEST_LISTS.get(films_digest(stems))
    return [_reference(name, split, mean, mine) for name, split, mean in _PUBLISHED]


def _reference(name: str, split: str, mean: float | None, mine: str | None) -> dict:
    digits = _PER_CLASS.get(name)
    per_class = dict(zip(FINDINGS, (int(d) / 1e4 for d in digits.split()), strict=True)) if digits else None
    comparable = split == mine
    return {
        "name": name,
        "auc": mean if mean is not None else round(sum(per_class.values()) / len(FINDINGS), 4),
        "per_class": per_class,
        "comparable": comparable,
        "reason": f"measured on {_SPLITS[split]}, "
        + ("as here" if comparable else "and these are other films"),
    }
