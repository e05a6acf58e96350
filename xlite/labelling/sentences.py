"""What commands and the Label page say of a labelling."""

from collections.abc import Mapping

from xlite.findings import FINDINGS, spoken
from xlite.labelling.agreement import PairAgreement
from xlite.labelling.due import Task
from xlite.labelling.entry import Answer
from xlite.labelling.export import Exported
from xlite.labelling.labelling import LabellingSettings
from xlite.labelling.summary import Summary
from xlite.reading import Reading
from xlite.text import counted, number, percent, verb

Table = tuple[tuple[str, ...], list[tuple[str | int, ...]]]
"""A header and rows."""


def progress_sentences(summary: Summary) -> list[str]:
    """How many films are done, read twice, and in dispute."""
    done = f"{summary.done:,} of {counted(summary.films, 'film')} {verb(summary.films, 'is', 'are')} done."
    if not summary.double:
        return [done]
    disputes = (
        f"{counted(summary.double, 'film')} {verb(summary.double, 'is', 'are')} to be read twice; readers "
        f"disagree on {summary.disputes + summary.settled:,}, of which {summary.settled:,} "
        f"{verb(summary.settled, 'was', 'were')} settled."
    )
    return [done, disputes]


def reader_rows(summary: Summary) -> Table:
    """What each reader did."""
    rows: list[tuple[str | int, ...]] = [
        (
            one.reader,
            one.films,
            one.settled,
            number(one.median_s, "–", 0),
            one.changed,
            one.after_opinion,
        )
        for one in summary.readers
    ]
    return ("Reader", "Films", "Settled", "Median s a film", "Changed minds", "After an opinion"), rows


def agreement_rows(pair: PairAgreement) -> Table:
    """How two readers agree on each finding of which their answers say anything."""
    rows: list[tuple[str | int, ...]] = []
    for finding, one in pair.findings.items():
        if not one.is_told:
            continue
        rows.append((spoken(finding), one.films, one.agree, one.disagree, number(one.kappa, "undefined", 2)))
    return ("Finding", "Both yes or no", "Agree", "Disagree", "Kappa"), rows


def untold_sentence(pair: PairAgreement) -> str:
    """Of how many findings there is no agreement to tell, and why; empty if there is none."""
    untold = sum(not one.is_told for one in pair.findings.values())
    if not untold:
        return ""
    which = ("all " if untold == len(FINDINGS) else "") + counted(untold, "finding")
    return f"Kappa is undefined for {which}: both gave all films the same answer."


def disputed(task: Task) -> list[str]:
    """The findings that an adjudicator is asked about; none for a reader."""
    if not task.others:
        return []
    first, second = task.others
    return [finding for finding in FINDINGS if first.answers[finding] != second.answers[finding]]


def nothing_left(summary: Summary, reader: str) -> str:
    """What a reader is told if no film is left for them."""
    if summary.done == summary.films:
        return "All films are done. The labels can be taken along below."
    waiting = summary.films - summary.done
    return (
        f"No film is left for {reader}: {counted(waiting, 'film')} {verb(waiting, 'waits', 'wait')} for "
        "another reader."
    )


def left_out_sentence(settings: LabellingSettings) -> str:
    """That films of the worklist have no picture; empty if all have one."""
    if not settings.left_out:
        return ""
    return f"{counted(settings.left_out, 'film')} of the worklist left out: no picture in the data folder."


def opinion_words(reading: Reading) -> dict[str, tuple[str, bool]]:
    """What a model says of each finding, and whether its probability is above its threshold."""
    return {
        finding: (percent(reading.probability(finding)), reading.is_above(finding)) for finding in FINDINGS
    }


def doubts_sentence(doubts: Mapping[str, str], answers: Mapping[str, Answer]) -> str:
    """How answers compare with the labels of a film that are in doubt, as `doubts_of_film` gives them.

    Empty if none is.
    """
    if not doubts:
        return ""
    yours = {"yes": "you say yes", "no": "you say no", "unsure": "you are unsure"}
    said = "; ".join(f"{words} ({yours[answers[finding]]})" for finding, words in doubts.items())
    return f"In doubt in the data folder: {said}."


def exported_sentence(made: Exported) -> str:
    """What was written."""
    return (
        f"{counted(made.films, 'film')} in {made.folder}, {made.labelled:,} of them labelled here: "
        f"{counted(made.known, 'known label')}, {counted(made.boxes, 'box', 'boxes')}"
    )
