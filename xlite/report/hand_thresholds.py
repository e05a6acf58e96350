"""The thresholds of a model file that a person chose, in words. No torch."""

from xlite.findings import spoken
from xlite.models.info import ModelInfo
from xlite.text import counted, number

BY_HAND_TITLE = "## Thresholds chosen by hand"


def by_hand_section(info: ModelInfo) -> list[str]:
    """The thresholds that a person chose, as a Markdown section; nothing without any."""
    chosen = info.notes.thresholds_by_hand
    if not chosen:
        return []
    thresholds = info.thresholds or {}
    lines = [
        f"- {spoken(finding)}: {number(thresholds.get(finding), 'none')}, {one}, in the place of "
        f"{number(one.before, 'none')} ({counted(one.positive, 'patient')} with it, {one.negative:,} without)"
        for finding, one in chosen.items()
    ]
    said = (
        "Not by validation films but by a person. Calls by them on the films that they were chosen on look "
        "better than they are; tables made before are of the thresholds before."
    )
    return [BY_HAND_TITLE, "", said, "", *lines, ""]
