"""What was judged, what is contaminated, and the means over the findings."""

from xlite.evaluation.report import Metrics
from xlite.findings import FEW_POSITIVES, spoken
from xlite.metrics.per_finding import ECE_BINS
from xlite.report.document import Alert, Block, Row, Table, Text
from xlite.report.sentences import as_sentence, clean, contaminated_films, mean_of, sentence, source
from xlite.report.view import View
from xlite.text import number


def overall(view: View) -> list[Block]:
    """What was judged on what, what to be warned of, and the means beside their baselines."""
    report = view.report
    base, counts = report.baseline, report.macro_findings
    rows: list[Row] = [
        [title, view.cell(report.macro.estimate(name)), beside, str(counts[name])]
        for name, title, beside in (
            ("auc", "AUC", "0.5 by chance"),
            ("ap", "Average precision", f"{number(base.prevalence)} (prevalence)"),
            ("f1", "F1 at the thresholds", f"{number(base.always_yes_f1)} (always yes)"),
            ("ece", f"Calibration error ({ECE_BINS} bins)", "0 is best"),
            ("brier", "Brier score", "0 is best"),
        )
    ]
    always_no = f"{number(base.always_no_accuracy)} (always no)"
    rows.insert(3, ["Accuracy", view.cell(base.accuracy), always_no, "14"])
    return [
        Text(as_sentence(view.source)),
        *_contamination(view),
        *mild_alerts(view),
        Table(["Mean over findings", "Value (95 % interval)", "Baseline", "Findings"], rows),
        *clean_films(view),
    ]


def grave_blocks(view: View) -> list[Block]:
    """Of a contaminated report its count and a sentence on the clean films; else nothing."""
    return [*_contamination(view), *clean_films(view)[:1]]


def mild_alerts(view: View) -> list[Alert]:
    """The caveats that leave the metrics standing, if there are any."""
    reasons = view.report.contamination.reasons if view.report.contamination else ()
    others = [as_sentence(sentence(caveat)) for caveat in view.report.caveats if caveat not in reasons]
    return [Alert("To keep in mind", others)] if others else []


def _contamination(view: View) -> list[Block]:
    found = view.report.contamination
    if found is None:
        return []
    reasons = [as_sentence(sentence(reason)) for reason in found.reasons]
    return [Alert(f"{contaminated_films(found)}. Metrics are struck through.", reasons, grave=True)]


def clean_films(view: View) -> list[Block]:
    """Of a contaminated report a sentence and a table on the films that are new; else nothing."""
    found = view.report.contamination
    if found is None:
        return []
    said = Text(as_sentence(clean(view.report)))
    return [said] if found.clean is None else [said, _clean_table(found.clean)]


def _clean_table(metrics: Metrics) -> Table:
    names = ("auc", "ap", "f1", "ece", "brier")
    mean = [mean_of(metrics).capitalize(), *(str(metrics.macro.estimate(name)) for name in names)]
    rows = [
        [f"{spoken(name)} ({one.positives} positives)", *(str(one.estimate(metric)) for metric in names)]
        for name, one in metrics.per_class.items()
        if not one.few_positives
    ]
    caption = f"Findings with at least {FEW_POSITIVES} positives among them. {source(metrics)}"
    header = ["Clean films alone", "AUC", "Average precision", "F1", "Calibration error", "Brier score"]
    return Table(header, [mean, *rows], caption)
