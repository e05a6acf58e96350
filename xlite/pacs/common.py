"""What all objects of a film share: whose they are, which study they are in, and when they were made."""

from pydicom.config import IGNORE
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset

from xlite.pacs.outcome import Outcome
from xlite.pacs.source import TYPE_2, TYPE_3

SR_SERIES, CAPTURE_SERIES = 9101, 9102
"""Series numbers; 9000 and above is where results of processing use to stand."""


def stamp(dataset: Dataset, outcome: Outcome) -> None:
    """Writes patient and study as the film's file has them, and the time of the outcome as that of all."""
    for keyword, value in outcome.source.identity.items():
        _put(dataset, keyword, {**TYPE_2, **TYPE_3}[keyword], value)
    day, time = outcome.when.strftime("%Y%m%d"), outcome.when.strftime("%H%M%S")
    for kind in ("InstanceCreation", "Content", "Series"):
        _put(dataset, f"{kind}Date", "DA", day)
        _put(dataset, f"{kind}Time", "TM", time)


def _put(dataset: Dataset, keyword: str, vr: str, value: str) -> None:
    """Sets a value as it is: pydicom would warn of one that the standard does not allow, and say it."""
    dataset[keyword] = DataElement(keyword, vr, value, validation_mode=IGNORE)
