"""The paired test of two runs, and why there is none. No torch."""

from typing import TYPE_CHECKING

from xlite.errors import RunError
from xlite.evaluation.report import Comparison
from xlite.runs.judged import Judgement
from xlite.runs.listing import RunFacts
from xlite.text import labels_of

if TYPE_CHECKING:
    from xlite.data.folder import NihFolder


def check_comparable(first: RunFacts, second: RunFacts) -> None:
    """Raises RunError with the reason unless two runs were judged on the same films, by the same labels."""
    (a, name), (b, other) = ((_judgement(one), one.name) for one in (first, second))
    if a.group != b.group:
        raise RunError(
            f"{name!r} and {other!r} were not judged on the same films: {name!r} on {_films(a)}, "
            f"{other!r} on {_films(b)}; evaluate both on one split to compare them"
        )


def compare_runs(first: RunFacts, second: RunFacts, folder: "NihFolder | None" = None) -> Comparison:
    """The paired test of two runs on the test films. RunError or DataError with why there is none.

    folder: the data folder whose labels are taken if none lie beside the reports.
    """
    check_comparable(first, second)
    from xlite.report.judged import compare_judged  # with pandas, which the table of runs does without
    from xlite.report.saved import read_evaluation

    one, other = (read_evaluation(run.name, run.run.evaluation("test")) for run in (first, second))
    found = compare_judged(one, other, folder)
    return found.model_copy(update={"names": (first.name, second.name)})


def _judgement(one: RunFacts) -> Judgement:
    if one.judged is None:
        raise RunError(
            f"run {one.name!r} has not been judged on a test part, so it cannot be compared: a run is judged "
            "when it finishes"
        )
    return one.judged


def _films(judged: Judgement) -> str:
    return f"split {judged.split_id} with {labels_of(judged.label_version)}"
