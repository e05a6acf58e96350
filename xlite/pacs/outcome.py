"""What was found in one film by one model, with all that its DICOM objects say of it."""

from dataclasses import dataclass
from datetime import datetime

import numpy as np

from xlite import __version__
from xlite.classify import Classifier
from xlite.findings import FINDINGS
from xlite.guarded import GuardedReading
from xlite.guards.verdict import sentence_of
from xlite.pacs.film_objects import Wanted
from xlite.pacs.regions import peak_box, turned_back
from xlite.pacs.source import Source
from xlite.pacs.uids import derived_uid
from xlite.report.film_sentences import guard_alert

NOTICE = (
    "Research software, not for clinical use: no medical device, examined by no authority. What it says may "
    "be wrong, even if it looks sure. Do not decide about a patient by it."
)
SHORT_NOTICE = "Research, not for clinical use"


@dataclass(frozen=True)
class Reader:
    """What read a film, as the objects name it; `words` are all that their content depends on."""

    model: str
    digest: str
    about: str
    words: tuple[str, ...]

    @classmethod
    def of(cls, classifier: Classifier, gate_digest: str, wanted: Wanted) -> "Reader":
        """A loaded model with its gate, asked for these objects."""
        asked = (str(wanted.maps), wanted.method, str(wanted.fix), str(wanted.three_d), classifier.tta or "")
        words = (classifier.digest, gate_digest, __version__, *asked)
        return cls(classifier.name, classifier.digest, classifier.about, words)


@dataclass(frozen=True, eq=False)
class Outcome:
    """A film's source, its answer, what read it, and when: two that are equal give the same objects."""

    source: Source
    answer: GuardedReading
    reader: Reader
    wanted: Wanted
    when: datetime

    def uid(self, *words: str) -> str:
        """The UID of a part of this: of the same film, read by the same model in the same way, the same."""
        return derived_uid(self.source.sop, *self.reader.words, *words)

    @property
    def mapped(self) -> list[str]:
        """The findings whose maps are shown: the likeliest whose map shows a place; none if it is refused."""
        reading = self.answer.reading
        if reading is None:
            return []
        top = [finding for finding, _ in reading.top(self.wanted.maps)]
        return [finding for finding in top if reading.fault(finding) is None]

    def box(self, finding: str) -> np.ndarray:
        """Where the map of a finding peaks, in the frame of the film's file: corners (5, 2)."""
        reading, film = self.answer.reading, self.answer.film
        if reading is None:
            raise ValueError("a film that was refused has no maps")
        place = peak_box(reading.maps[FINDINGS.index(finding)], film.shape)
        return turned_back(place, film.shape, self.answer.undone)

    def guard_sentences(self) -> list[str]:
        """What the guards say of the picture, and what follows."""
        alert = guard_alert(self.answer)
        if alert is None:
            return ["The guards found nothing to say: a frontal chest film, the right way up."]
        return [f"{alert.title}.", *alert.sentences]


def reasons_of(answer: GuardedReading) -> list[tuple[str, str]]:
    """Code and sentence of each reason that the guards gave."""
    return [(reason, sentence_of(reason)) for reason in answer.said.reasons]
