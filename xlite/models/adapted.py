"""That a model file's calibrator and thresholds were fitted to films of another hospital. No torch."""

import hashlib
from collections.abc import Iterable
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from xlite.text import counted

_MARK = 12


class AdaptedTo(BaseModel):
    """To which films a model was adapted: `films` of `patients` of the folder `data`, on a day (ISO).

    findings: whose threshold these films chose; that of the others only moved with the probabilities.
    film_marks: by which the films are known again in that folder, and from which nobody can tell their names.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    data: Annotated[str, Field(max_length=200)]
    day: Annotated[str, Field(max_length=10)]
    films: Annotated[int, Field(ge=1)]
    patients: Annotated[int, Field(ge=1)]
    findings: tuple[str, ...]
    film_marks: tuple[str, ...]

    @property
    def fitted_to(self) -> str:
        """`60 films of 30 patients of HOSPITAL on 2026-11-28`."""
        people = f"{counted(self.films, 'film')} of {counted(self.patients, 'patient')}"
        return f"{people} of {self.data} on {self.day}"

    def __str__(self) -> str:
        return f"adapted to {self.fitted_to}"


def film_marks(fingerprint: str, stems: Iterable[str]) -> list[str]:
    """A mark for each film of a folder with that fingerprint: hex digits of a digest."""
    return [hashlib.sha256(f"{fingerprint} {stem}".encode()).hexdigest()[:_MARK] for stem in stems]
