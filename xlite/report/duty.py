"""How good a model on duty is, and one that might be, in words."""

from typing import Any

from xlite.evaluation.report import Report
from xlite.metrics.estimate import Estimate
from xlite.models.duty import Duty
from xlite.report.means import mean_auc
from xlite.report.sentences import clean_in_short, known_films, source
from xlite.text import capital, number


def trusted_auc(report: Report) -> tuple[str, Estimate] | None:
    """The mean AUC on films that the model does not know, and over what it is; None if there is none.

    That nobody can tell whether it knows some does not count as knowing: `warning` says so.
    """
    found = report.contamination
    if found is None or not report.contaminated:
        return mean_auc(report)
    return None if found.clean is None else mean_auc(found.clean)


def score(report: Report | None) -> str:
    """What a model scored, in a few words: `test AUC 0.812`."""
    if report is None:
        return "not measured"
    trusted = trusted_auc(report)
    if trusted is None:
        return "its test films are known to it"
    clean_alone = " on clean films" if report.contaminated else ""
    return f"test AUC {number(trusted[1].value)}{clean_alone}"


def warning(report: Report | None) -> str:
    """Why nobody should rely on what a model scored, in sentences; nothing if they may."""
    if report is None:
        return "How good it is is not known: it has no report on test films. The Results page measures it."
    known = known_films(report)
    return " ".join(f"{capital(said)}." for said in (known, clean_in_short(report)) if said)


def lines(on_duty: Duty, report: Report | None) -> list[str]:
    """The model on duty and how good it is, for a terminal."""
    if on_duty.path is None:
        return ["No model is on duty: this machine has none."]
    why = "by choice" if on_duty.chosen else "as nobody chose another"
    said = [f"{on_duty.name} is on duty, {why} ({on_duty.path})."]
    trusted = report and trusted_auc(report)
    if report and trusted:
        where = "on clean films, " if report.contaminated else ""
        said.append(f"Mean AUC {trusted[1]}, {where}{trusted[0]}; {source(report)}.")
    return [*said, *filter(None, [warning(report)])]


def facts(on_duty: Duty, report: Report | None) -> dict[str, Any]:
    """The same as values for JSON."""
    trusted = report and trusted_auc(report)
    auc = vars(trusted[1]) if trusted else dict.fromkeys(("value", "low", "high"))
    return {
        "model": on_duty.name or None,
        "file": None if on_duty.path is None else str(on_duty.path),
        "chosen": on_duty.chosen,
        "fault": on_duty.fault or None,
        "test_auc": auc["value"],
        "test_auc_low": auc["low"],
        "test_auc_high": auc["high"],
        "split": report and report.split.id,
        "warning": (warning(report) or None) if on_duty.path else None,
    }
