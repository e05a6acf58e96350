"""Two models on one film: their probabilities beside each other, and what differs, in words. No torch."""

from dataclasses import dataclass

from xlite.findings import FINDINGS, spoken
from xlite.guarded import GuardedReading
from xlite.models.info import ModelInfo
from xlite.reading import Reading
from xlite.report.document import Table
from xlite.report.model_words import calibration_words, of_findings
from xlite.text import labels_of, percent

NAMED = 3
"""So many of the largest differences are told in words."""


@dataclass(frozen=True, eq=False)
class Side:
    """A model's name, what its file says, and its reading of the film."""

    name: str
    info: ModelInfo
    reading: Reading

    def call(self, finding: str) -> str:
        """`above` or `below` its own threshold; `none` without one."""
        return self.reading.worth(finding).side or "none"


@dataclass(frozen=True, eq=False)
class Pair:
    """Two models on one film: the one whose page it is, and the one beside it."""

    one: Side
    other: Side

    @property
    def changed(self) -> list[str]:
        """The findings that one calls and the other does not, both by a threshold, in NIH order."""
        calls = {finding: {self.one.call(finding), self.other.call(finding)} for finding in FINDINGS}
        return [finding for finding, both in calls.items() if both == {"above", "below"}]

    def difference(self, finding: str) -> float:
        """How much higher the other's probability is, -1 to 1."""
        return self.other.reading.probability(finding) - self.one.reading.probability(finding)

    def largest(self, count: int = NAMED) -> list[str]:
        """The findings that the probabilities of the two differ most in."""
        return sorted(FINDINGS, key=lambda finding: -abs(self.difference(finding)))[:count]


def pair_sentences(pair: Pair) -> list[str]:
    """Which calls change, where the probabilities differ most, and why they may differ beside the film."""
    one, other = pair.one, pair.other
    calls = [
        f"{spoken(finding)} ({one.call(finding)} in {one.name}, {other.call(finding)} in {other.name})"
        for finding in pair.changed
    ]
    both = [finding for finding in FINDINGS if "none" not in (one.call(finding), other.call(finding))]
    said = []
    if calls:
        said.append(f"Calls that change: {', '.join(calls)}.")
    elif both:
        said.append(
            f"No call changes: for {of_findings(len(both))} both have a threshold, and are on one side of it."
        )
    else:
        said.append("No calls can be compared: no finding has a threshold in both.")
    most = [
        f"{spoken(finding)} {percent(one.reading.probability(finding))} and "
        f"{percent(other.reading.probability(finding))}"
        for finding in pair.largest()
    ]
    said.append(f"Largest differences, {one.name} first: {', '.join(most)}.")
    return said + _why(one, other)


def unread_sentence(name: str, answer: GuardedReading | None) -> str:
    """Why there is no second reading beside the first."""
    why = " ".join(answer.said.sentences) if answer else "the file could not be read"
    return f"{name} has no reading of this film: {why}"


def pair_table(pair: Pair) -> Table:
    """A row a finding, by the first model's probability: both probabilities, thresholds and calls."""
    one, other = pair.one, pair.other
    rows = [
        [
            spoken(finding),
            percent(p),
            _threshold(one, finding),
            percent(other.reading.probability(finding)),
            _threshold(other, finding),
            f"{100 * pair.difference(finding):+.1f}",
            "changes" if finding in pair.changed else "",
        ]
        for finding, p in one.reading.top(len(FINDINGS))
    ]
    header = ["Finding", one.name, "Its threshold", other.name, "Its threshold", "Points apart", "Call"]
    note = "Each model's thresholds are its own. Points apart: percentage points that the second is higher."
    return Table(header, rows, note, (2, 4, 6))


def _threshold(side: Side, finding: str) -> str:
    worth = side.reading.worth(finding)
    mark = "" if worth.calibrated else ", not calibrated"
    return ("none" if worth.threshold is None else f"{worth.side} {percent(worth.threshold)}") + mark


def _why(one: Side, other: Side) -> list[str]:
    """What sets the two scales and the two trainings apart; nothing that is the same in both."""
    said = []
    if (a := calibration_words(one.info)) != (b := calibration_words(other.info)):
        said.append(
            f"Their probabilities are not on one scale: those of {one.name} are {a}, those of {other.name} "
            f"{b}."
        )
    if one.info.split_id != other.info.split_id:
        said.append(
            f"They learned from different films ({one.name}: split {one.info.split_id}, {other.name}: split "
            f"{other.info.split_id}): which is right on this film, the difference does not say."
        )
    if (a := one.info.label_version) != (b := other.info.label_version):
        said.append(f"They learned from different labels: {labels_of(a)} and {labels_of(b)}.")
    if (a := str(one.info.preprocess.size)) != (b := str(other.info.preprocess.size)):
        said.append(f"They see the film at {a} and {b} px.")
    if one.reading.void != other.reading.void:
        void = one if one.reading.void else other
        said.append(f"For {void.name} a guard fires on this film, so that no guarantee of its zones holds.")
    return said
