"""Facts out of the sentences that X-Lite wrote when it kept nothing else."""

import re
from collections.abc import Mapping
from typing import Any

_OF_TEACHER = "teacher contamination: "
"""How a warning of a teacher began."""


def said_caveats(content: Mapping[str, Any]) -> Mapping[str, Any]:
    """The content of a file, with a `Said` caveat for each of its "warnings" if it has no "caveats"."""
    if "caveats" in content or "warnings" not in content:
        return content
    caveats = [
        {"kind": "said", "text": text, "by_teacher": text.startswith(_OF_TEACHER)}
        for text in content["warnings"]
    ]
    return {**content, "caveats": caveats}


def count_in_sentence(text: str) -> int:
    """The test films known to a teacher: the oldest model files have the count in their sentence alone."""
    pattern = r"trained on (\d+) of the \d+ test films|on patients of (\d+) of them"
    counts = [int(count) for pair in re.findall(pattern, text) for count in pair if count]
    return max(counts, default=0)


def starts_without_films(text: str) -> bool:
    """Whether a model began at random or with ImageNet's weights, by the sentence of a model file of old.

    Of a file that notes nothing it is taken for granted.
    """
    ends = r"( starts from random weights| starts from ImageNet weights \(.*\)|: training from scratch)"
    return not text or re.fullmatch(rf".*{ends}", text) is not None
