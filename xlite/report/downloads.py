"""A saved evaluation as files to take away: each is made when it is asked for."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import NamedTuple

from xlite.data.predictions import PREDICTIONS_FILE
from xlite.report.document import to_html, to_markdown
from xlite.report.metrics_json import report_json
from xlite.report.saved import Evaluation
from xlite.report.sections.whole import whole
from xlite.report.view import View


class Download(NamedTuple):
    """A file that is made when somebody wants it."""

    title: str
    name: str
    kind: str
    make: Callable[[], bytes]


def downloads(evaluation: Evaluation) -> list[Download]:
    """The report as HTML and as PDF with charts, as Markdown and as JSON, and the probabilities as CSV."""
    one = evaluation
    split, part, _ = one.group
    stem = f"{one.model}-{split}-{part}"
    view = View(one.report, one.curves)
    found = [
        Download("HTML", f"{stem}.html", "text/html", lambda: to_html(*whole(view)).encode()),
        Download("PDF", f"{stem}.pdf", "application/pdf", lambda: _pdf(view)),
        Download("Markdown", f"{stem}.md", "text/markdown", lambda: to_markdown(*whole(view)).encode()),
        Download("JSON", f"{stem}.json", "application/json", lambda: _json(one)),
    ]
    predictions = one.folder / PREDICTIONS_FILE
    if predictions.is_file():
        found.append(Download("Probabilities (CSV)", f"{stem}.csv", "text/csv", predictions.read_bytes))
    return found


def _pdf(view: View) -> bytes:
    from xlite.report.document_pdf import to_pdf

    return to_pdf(*whole(view), datetime.now(UTC))


def _json(evaluation: Evaluation) -> bytes:
    return (json.dumps(report_json(evaluation.report), indent=1, allow_nan=False) + "\n").encode()
