"""Which labels are in doubt, in words and as a table. No torch."""

from collections.abc import Iterator

from xlite.evaluation.doubts import FindingDoubts, LabelDoubts
from xlite.findings import spoken
from xlite.metrics.linear_probe import FOLDS
from xlite.report.caveat_sentences import sentence
from xlite.report.document import Table
from xlite.text import capital, counted, number, of_edition


def sentences(found: LabelDoubts) -> Iterator[str]:
    """How many labels are in doubt, by what, and what that may be taken for, as whole sentences."""
    findings = found.findings.values()
    yes, no = sum(one.doubtful_yes for one in findings), sum(one.doubtful_no for one in findings)
    of = f" of the train part of {found.split}" if found.split else ""
    yield (
        f"{counted(found.films, 'film')} of {counted(found.patients, 'patient')}{of}, labels "
        f"{of_edition(found.label_version)}: {counted(yes + no, 'label')} in doubt, {yes:,} that say yes and "
        f"{no:,} that say no."
    )
    if found.model:
        yield (
            f"By the features of {found.model}: a logistic regression a finding, cross-fitted in {FOLDS} "
            "folds of whole patients, so that none knew the patient that it speaks of."
        )
    else:
        yield (
            f"By the predictions {found.predictions}. Nobody can check that they are out of fold: a model "
            "that learned from a wrong label repeats it. `xlite sweep crossfit` makes some that are."
        )
    for caveat in found.caveats:
        yield f"{capital(sentence(caveat))}."
    yield (
        "What the probabilities cannot tell counts as wrong, too: if the AUC is low, the estimate is far too "
        "high, and the ranking little better than chance."
    )
    if found.not_judged:
        names = ", ".join(map(spoken, found.not_judged))
        yield f"Not looked at, as that takes {FOLDS} patients with the finding and as many without: {names}."


def findings_table(found: LabelDoubts) -> Table:
    """A row a finding: its labels, and the estimated share of wrong ones of both kinds."""
    rows = [_row(finding, one) for finding, one in found.findings.items()]
    header = ["finding", "films", "say yes", "AUC", "wrong", "yes in doubt", "no in doubt"]
    return Table(header, rows)


def _row(finding: str, one: FindingDoubts) -> list[str]:
    return [
        spoken(finding),
        f"{one.films:,}",
        f"{one.positives:,}",
        number(one.auc),
        f"{one.noise:.1%}",
        f"{one.doubtful_yes:,} ({one.wrong_yes:.1%})",
        f"{one.doubtful_no:,} ({one.wrong_no:.1%})",
    ]
