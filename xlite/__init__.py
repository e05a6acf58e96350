"""X-Lite: light chest X-ray students, 14 findings and a map for each. Research, never a diagnosis.

from xlite import Classifier, read_image

film = read_image("film.png")
reading = Classifier.load("demo").read(film)
print(reading.top(3))
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from xlite.classify import Classifier as Classifier
    from xlite.errors import CheckpointError as CheckpointError
    from xlite.errors import DataError as DataError
    from xlite.errors import ImageError as ImageError
    from xlite.errors import RunError as RunError
    from xlite.errors import XliteError as XliteError
    from xlite.findings import FINDINGS as FINDINGS
    from xlite.images import read_image as read_image
    from xlite.reading import Reading as Reading

__version__ = "0.2.0.dev0"

# Imported when first asked for: torch alone takes seconds.
_HOMES = {
    "Classifier": "xlite.classify",
    "Reading": "xlite.reading",
    "read_image": "xlite.images",
    "FINDINGS": "xlite.findings",
    "XliteError": "xlite.errors",
    "CheckpointError": "xlite.errors",
    "DataError": "xlite.errors",
    "ImageError": "xlite.errors",
    "RunError": "xlite.errors",
}
__all__ = [
    "FINDINGS",
    "CheckpointError",
    "Classifier",
    "DataError",
    "ImageError",
    "Reading",
    "RunError",
    "XliteError",
    "__version__",
    "read_image",
]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
