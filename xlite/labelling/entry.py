"""One line of a labelling's log: what a reader did with a film, and when."""

from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, model_validator

from xlite.errors import DataError, objection
from xlite.findings import FINDINGS
from xlite.pixels import RELEASE_SIDE

Answer = Literal["yes", "no", "unsure"]
Act = Literal["opened", "reading", "adjudication", "changed", "opinion", "undone"]
"""What a reader did: `changed` is a changed mind after the model's opinion, `undone` takes the last back."""
ANSWERED: tuple[Act, ...] = ("reading", "adjudication", "changed")
"""The acts that have an answer to each finding."""
_Side = Annotated[float, Field(ge=0, le=RELEASE_SIDE)]
_Length = Annotated[float, Field(gt=0, le=RELEASE_SIDE)]


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class DrawnBox(_Strict):
    """A box around a finding, in px of the 1024 x 1024 frame that NIH's boxes have."""

    finding: str
    x: _Side
    y: _Side
    w: _Length
    h: _Length


class Given(_Strict):
    """What a reader says of a film: an answer to each of the 14 findings, boxes, and how long it took in s.

    Boxes are of findings that are not answered with no.
    """

    answers: dict[str, Answer]
    boxes: tuple[DrawnBox, ...] = ()
    seconds: Annotated[float, Field(ge=0, le=1e6)] = 0.0

    @model_validator(mode="after")
    def _is_whole(self) -> "Given":
        if set(self.answers) != set(FINDINGS):
            raise ValueError("each of the 14 findings needs an answer, and nothing else")
        for box in self.boxes:
            if self.answers.get(box.finding, "no") == "no":
                raise ValueError(f"a box is around {box.finding}, which the film is said not to have")
        return self

    @classmethod
    def checked(cls, value: Any) -> "Given":
        """What a browser sent. Raises DataError if it is not a whole answer."""
        try:
            return cls.model_validate(value)
        except ValidationError as error:
            raise DataError(f"the answer cannot be kept: {objection(error)}") from error

    def says_the_same(self, other: "Given") -> bool:
        """Whether answers and boxes are equal, however long they took."""
        return self.answers == other.answers and self.boxes == other.boxes


class Entry(_Strict):
    """A line of the log. `given` goes with the acts of ANSWERED, `model` with an opinion.

    after_opinion: whether the reader had seen a model's opinion of the film when they answered.
    """

    act: Act
    film: Annotated[str, Field(min_length=1)]
    reader: Annotated[str, Field(min_length=1)]
    when: AwareDatetime
    given: Given | None = None
    after_opinion: bool = False
    model: str = ""

    @model_validator(mode="after")
    def _has_what_it_needs(self) -> "Entry":
        if (self.given is not None) != (self.act in ANSWERED):
            raise ValueError(f"an entry {self.act!r} is with an answer, or without one, against the rule")
        return self

    @property
    def answers(self) -> dict[str, Answer]:
        """The answer to each finding; none if the act has none."""
        return self.given.answers if self.given else {}
