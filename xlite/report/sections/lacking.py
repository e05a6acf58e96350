"""What a section of the Results page lacks, and how one gets it there: sentences for people at the page."""

from collections.abc import Iterator

from xlite.evaluation.report import Report


def lacking(report: Report) -> dict[str, str]:
    """By the name of its tab, how to get what the section of a report does not have."""
    return dict(_lacking(report))


def _lacking(report: Report) -> Iterator[tuple[str, str]]:
    if report.localisation is None:
        yield (
            "Maps",
            "To have them judged, name in the sidebar a data folder with NIH's BBox_List_2017.csv and images "
            "of its films, and evaluate the model above on the test part of the official split, which holds "
            "all of these films. Films that X-Lite draws come with boxes too.",
        )
    if report.radiologists is None:
        yield (
            "Radiologists",
            "Google's readers marked 4,376 of NIH's films. Download their table yourself, name its file in "
            "the form above, and evaluate the model on a part that has these films.",
        )
    if report.operating_points is None:
        yield "Thresholds", _VALIDATION
        yield "Calibration", _VALIDATION


_VALIDATION = (
    "Thresholds and calibrators are chosen on validation films: evaluate the model above on the test part, "
    "with the data folder that it was trained on."
)
