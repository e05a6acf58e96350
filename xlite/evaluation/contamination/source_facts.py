"""What is known of a source, a teacher or a model to start from: which of the films judged it has seen.

Imports pydantic only.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SerializerFunctionWrapHandler, model_serializer


class _Sparse(BaseModel):
    """What is written without `start` and `untold` unless they say something: older files lack them."""

    model_config = ConfigDict(frozen=True)

    @model_serializer(mode="wrap")
    def _as_written(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        content = handler(self)
        return {name: value for name, value in content.items() if value or name not in ("start", "untold")}


class TeacherSeen(_Sparse):
    """How many of `films` a teacher knows; `known` is False if nobody can tell, and the counts say nothing.

    trained: it was trained on; with_val: trained on or chosen by; patients: it knows the patients of. untold:
    how many films it learned from are of patients that nobody can tell, and that may be judged too.
    """

    films: int
    trained: int
    with_val: int
    patients: int
    known: bool = True
    untold: int = 0


class _OfSource(_Sparse):
    """A fact on a model that what is judged learned from: a teacher, or one that it started from."""

    start: bool = False


class SeenByTeacher(_OfSource):
    """What a source knows of the films of a part, counted as in `TeacherSeen`."""

    kind: Literal["seen"] = "seen"
    split_id: str
    part: str
    films: int
    trained: int
    with_val: int
    patients: int
    untold: int = 0


class TeacherUnknown(_OfSource):
    """Nobody can tell what a source has seen; `name` is what is behind it.

    That is a predictions file, a split, a list, or weights that came without their films.
    """

    kind: Literal["predictions", "split", "list", "weights"]
    name: str


class TeacherSaid(_OfSource):
    """All that is known of a source is a sentence: of a public model, or in an old model file.

    counted_on: the split whose test part the sentence counts, if other films are judged.
    """

    kind: Literal["said"] = "said"
    text: str
    counted_on: str = ""


TeacherFact = Annotated[SeenByTeacher | TeacherUnknown | TeacherSaid, Field(discriminator="kind")]
