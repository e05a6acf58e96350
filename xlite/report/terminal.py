"""The report for a terminal."""

from xlite.report.sentences import clean
from xlite.text import counted, number


def summary(report: dict) -> str:
    """A table of AUC with interval, AP, F1 and positives, then gaps between groups, and the warnings.

    report as `full_report` returns it.
    """
    lines = [f"{'':<20}{'AUC':>6}  {'95 % interval':<17}{'AP':>6}{'F1':>7}{'positives':>11}"]
    for finding, figures in report["per_class"].items():
        lines.append(
            _line(finding, figures["auc"], figures["ap"]["value"], figures["f1"], figures["positives"])
        )
    mean, split = report["macro"], report["split"]
    lines.append(_line("Mean", mean["auc"], mean["ap"]["value"], mean["f1"]["value"], ""))
    lines.append(
        f"{counted(split['images'], 'film')} of {counted(split['patients'], 'patient')}, split "
        f"{split['id']}, part {split['part']}, labels {split['label_version']}"
    )
    spoiled = report["contamination"]
    if spoiled:
        lines.append(
            f"Contaminated: {spoiled['films']:,} of {counted(spoiled['of'], 'film')}; none of these figures "
            "is that of a clean test"
        )
        lines.append(clean(report))
    gaps = [gap for one in report["subgroups"].values() for gap in one["gaps"] if not gap["finding"]]
    lines += [gap["sentence"] for gap in gaps if gap["sentence"]]
    return "\n".join([*lines, *(f"Warning: {text}" for text in report["warnings"])])


def _line(title: str, auc: dict, ap: float | None, f1: float | None, positives: int | str) -> str:
    value, low, high, precision, rate = (
        number(figure, absent="–") for figure in (auc["value"], auc["low"], auc["high"], ap, f1)
    )
    return f"{title:<20}{value:>6}  {low + ' to ' + high:<17}{precision:>6}{rate:>7}{positives:>11}"
