"""The YAML at the head of a README by which a model hub knows what a repository is."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from xlite.models.available import SHIPPED, TINY
from xlite.places import bundled

LICENSE = "apache-2.0"
UNKNOWN_LICENSE = "unknown"
ATTRIBUTES = "".join(
    f"*.{suffix} filter=lfs diff=lfs merge=lfs -text\n" for suffix in ("onnx", "safetensors", "png")
)
"""`.gitattributes` of a repository: a hub takes binary files by git-lfs only."""


def with_front_matter(fields: Mapping[str, Any], text: str) -> bytes:
    """A README: the fields as YAML, then the text. Each value is JSON, which YAML is a superset of."""
    lines = [f"{name}: {json.dumps(value, ensure_ascii=False)}" for name, value in fields.items()]
    return "\n".join(["---", *lines, "---", "", text]).encode()


def license_of(source: Path) -> str:
    """The licence of a model file: X-Lite's own of the shipped models; nobody told that of another."""
    shipped = {bundled("checkpoints", name).resolve() for name in (SHIPPED, TINY)}
    return LICENSE if source.resolve().parent in shipped else UNKNOWN_LICENSE
