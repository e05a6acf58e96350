"""A typed report as two files: its values as JSON, its document as Markdown. No torch."""

import json
from collections.abc import Sequence
from pathlib import Path

from xlite.errors import DataError, sentence
from xlite.evaluation.report_base import ReportModel
from xlite.files import write_atomic
from xlite.report.document import Block, to_markdown


def write_typed(
    out: Path, found: ReportModel, names: tuple[str, str], document: tuple[str, Sequence[Block]]
) -> None:
    """Writes values and document (title, blocks) under both names, JSON and Markdown, into `out`.

    Raises DataError if that cannot be done.
    """
    facts = json.dumps(found.model_dump(mode="json"), indent=1, allow_nan=False) + "\n"
    try:
        out.mkdir(parents=True, exist_ok=True)
        write_atomic(out / names[1], to_markdown(*document).encode())
        write_atomic(out / names[0], facts.encode())
    except OSError as error:
        raise DataError(f"the report cannot be written: {sentence(error, out)}") from error
