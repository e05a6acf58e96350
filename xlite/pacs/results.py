"""From a film that was read to its DICOM objects: the report, and an image for each map.

film = read_source(data)
answer = reader.read(read_image(data))
for dataset in objects(Outcome(film, answer, Reader.of(…), Wanted(), when)):
    to_bytes(dataset)
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from pydicom.dataset import Dataset

from xlite.guarded import GuardedReader, GuardedReading
from xlite.images import read_image
from xlite.pacs.capture import captures
from xlite.pacs.film_objects import Wanted
from xlite.pacs.outcome import Outcome, Reader
from xlite.pacs.source import Source, read_source
from xlite.pacs.structured import structured_report


def objects(outcome: Outcome) -> list[Dataset]:
    """The report first, then the images of maps, all in the film's own study."""
    return [structured_report(outcome), *captures(outcome)]


@dataclass(frozen=True, eq=False)
class ObjectMaker:
    """Makes the objects of films with one model behind the gate. Threads may share one."""

    reader: GuardedReader
    wanted: Wanted

    @cached_property
    def named(self) -> Reader:
        """What reads, as objects name it."""
        return Reader.of(self.reader.classifier, self.reader.gate.digest, self.wanted)

    def key(self, source: Source) -> str:
        """What a film that is read so is known by: 32 digits, from which nobody tells whose it is."""
        return hashlib.sha256("\0".join((source.sop, *self.named.words)).encode()).hexdigest()[:32]

    def read(self, data: bytes, when: datetime) -> list[Dataset]:
        """The objects of the film in the bytes of a DICOM file. Raises ImageError, CheckpointError."""
        source = read_source(data)
        answer = self.reader.read(read_image(data), self.wanted.method, self.wanted.fix)
        return self.of(source, answer, when)

    def of(self, source: Source, answer: GuardedReading, when: datetime) -> list[Dataset]:
        """The objects of a film that was read already."""
        return objects(Outcome(source, answer, self.named, self.wanted, when))
