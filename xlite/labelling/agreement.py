"""How far readers agree on the films that two of them read: per pair of readers and finding."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from xlite.findings import FINDINGS
from xlite.labelling.entry import Answer, Entry
from xlite.labelling.state import LogState


@dataclass(frozen=True)
class FindingAgreement:
    """Of one finding: the films that both answered with yes or no, on how many of them they agree, kappa.

    disagree: on how many films their answers differ, unsure ones included; kappa is None if there are no
    films, or if both gave every film the same answer, so that chance alone would agree as well.
    """

    films: int
    agree: int
    disagree: int
    kappa: float | None

    @property
    def is_told(self) -> bool:
        """Whether the answers say anything of agreement: there is a kappa, or a film on which they differ."""
        return self.kappa is not None or self.disagree > 0


@dataclass(frozen=True)
class PairAgreement:
    """Two readers in the order of their names and each finding's agreement.

    films: those that both read before either had seen a model's opinion of them.
    """

    readers: tuple[str, str]
    films: int
    findings: dict[str, FindingAgreement]


def agreement(state: LogState, films: Iterable[str]) -> list[PairAgreement]:
    """Of each pair of readers who read films of the list in common, by their answers before any opinion.

    A film that one of them answered again after the opinion is left out: that answer may be the model's.
    """
    pairs: dict[tuple[str, str], list[tuple[Entry, Entry]]] = defaultdict(list)
    for film in films:
        first, second = (*state.film(film).readings[:2], None, None)[:2]
        if first and second and not (first.after_opinion or second.after_opinion):
            one, other = sorted((first, second), key=lambda entry: entry.reader)
            pairs[one.reader, other.reader].append((one, other))
    return [
        PairAgreement(
            readers,
            len(both),
            {
                finding: of_finding([(one.answers[finding], other.answers[finding]) for one, other in both])
                for finding in FINDINGS
            },
        )
        for readers, both in sorted(pairs.items())
    ]


def of_finding(answers: Sequence[tuple[Answer, Answer]]) -> FindingAgreement:
    """How two readers agree, by their answers to one finding of the same films."""
    known = [pair for pair in answers if "unsure" not in pair]
    return FindingAgreement(
        films=len(known),
        agree=sum(one == other for one, other in known),
        disagree=sum(one != other for one, other in answers),
        kappa=_kappa(known),
    )


def _kappa(answers: Sequence[tuple[Answer, Answer]]) -> float | None:
    """Cohen's kappa; None without films, and if there is but one answer."""
    if len({answer for pair in answers for answer in pair}) < 2:
        return None
    from sklearn.metrics import cohen_kappa_score  # takes a second

    first, second = zip(*answers, strict=True)
    return float(cohen_kappa_score(first, second, labels=["yes", "no"]))
