"""What limits the worth of a report's metrics: one class a fact, put into words by `xlite.report.sentences`.

A caveat that counts films which what is judged has met before (`known` > 0) makes a report contaminated.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field


class _Fact(BaseModel):
    """What all caveats share.

    known: how many of the films judged are of patients that what is judged, or its teacher, knows; stems: which
    they are, empty if it cannot be told; never written to a file.
    """

    model_config = ConfigDict(frozen=True)

    known: int = 0
    stems: frozenset[str] = Field(default=frozenset(), exclude=True)


class MissingFilms(_Fact):
    """Films of the part that the folder lacks and that were left out."""

    kind: Literal["missing_films"] = "missing_films"
    missing: int
    films: int


class OtherSplit(_Fact):
    """The films are of another split than the model's; `learned` of them were trained or validated on.

    learned is None if the folder lacks the model's split, so that nobody can tell.
    """

    kind: Literal["other_split"] = "other_split"
    split_id: str
    own_split_id: str
    films: int
    learned: int | None


class TrainedOn(_Fact):
    """The films are of the train part of the model's own split: `known` of them were trained on."""

    kind: Literal["trained_on"] = "trained_on"
    films: int


class ChosenOn(_Fact):
    """The films are the validation part by which the model was chosen and calibrated."""

    kind: Literal["chosen_on"] = "chosen_on"


class SharedPatients(_Fact):
    """The model's own split shares patients: `known` of the films are of patients trained or validated on."""

    kind: Literal["shared_patients"] = "shared_patients"
    films: int


class OtherEdition(_Fact):
    """The model learned one edition of the labels and is judged by another."""

    kind: Literal["other_edition"] = "other_edition"
    learned: str
    judged: str


class NotProbabilities(_Fact):
    """Scores of these findings are no probabilities: a loss or sampler distorts them, nothing calibrates them."""

    kind: Literal["not_probabilities"] = "not_probabilities"
    causes: tuple[str, ...]
    findings: tuple[str, ...]


class SeenByTeacher(BaseModel):
    """Films that a teacher was trained on (`trained`), or chosen by too (`with_val`), and of known patients."""

    model_config = ConfigDict(frozen=True)
    kind: Literal["seen"] = "seen"
    split_id: str
    part: str
    films: int
    trained: int
    with_val: int
    patients: int


class TeacherSeen(BaseModel):
    """Of so many test `films`: how many a teacher was trained on, how many with those that it was chosen by,
    and of how many it knows the patient; `known` is False if nobody can tell.
    """

    model_config = ConfigDict(frozen=True)
    films: int
    trained: int
    with_val: int
    patients: int
    known: bool = True


class TeacherUnknown(BaseModel):
    """Nobody can tell what a teacher has seen; `name` is the predictions file, split or list behind it."""

    model_config = ConfigDict(frozen=True)
    kind: Literal["predictions", "split", "list"]
    name: str


class TeacherSaid(BaseModel):
    """All that is known of a teacher is a sentence: of a public model, or in a model file of old."""

    model_config = ConfigDict(frozen=True)
    kind: Literal["said"] = "said"
    text: str
    counted_on: str = ""


TeacherFact = Annotated[SeenByTeacher | TeacherUnknown | TeacherSaid, Field(discriminator="kind")]


class TeacherKnows(_Fact):
    """What the model's teachers know of the films judged, a fact a teacher."""

    kind: Literal["teacher_knows"] = "teacher_knows"
    teachers: tuple[TeacherFact, ...]


class UnknownFilms(_Fact):
    """Predictions for films that the table lacks, left out; `validation` if they were to choose thresholds."""

    kind: Literal["unknown_films"] = "unknown_films"
    films: int
    validation: bool = False


class SwappedColumns(_Fact):
    """Pairs of findings of which each is told better by the other's column."""

    kind: Literal["swapped_columns"] = "swapped_columns"
    pairs: tuple[tuple[str, str], ...]


class Listed(_Fact):
    """Films in a list of what the model, or its teacher, learned from; `known` are of patients in it."""

    kind: Literal["listed"] = "listed"
    list_name: str
    films: int
    inside: int


class SharedWithValidation(_Fact):
    """Patients with films both here and among the validation predictions."""

    kind: Literal["shared_with_validation"] = "shared_with_validation"
    patients: int
    name: str


class NoThresholds(_Fact):
    """No thresholds were given, so 0.5 is used for every finding."""

    kind: Literal["no_thresholds"] = "no_thresholds"


class NeverPositive(_Fact):
    """Findings that no film has."""

    kind: Literal["never_positive"] = "never_positive"
    findings: tuple[str, ...]


class AlwaysPositive(_Fact):
    """Findings that every film has."""

    kind: Literal["always_positive"] = "always_positive"
    findings: tuple[str, ...]


class NeverCalled(_Fact):
    """Findings that no film reaches the threshold of."""

    kind: Literal["never_called"] = "never_called"
    findings: tuple[str, ...]


class FewPositives(_Fact):
    """Findings with too few positives, and how many; the mean AUC without them, None if none is left."""

    kind: Literal["few_positives"] = "few_positives"
    positives: dict[str, int]
    auc_without: float | None


class BelowChance(_Fact):
    """Findings whose whole interval lies below 0.5, with their AUC."""

    kind: Literal["below_chance"] = "below_chance"
    auc: dict[str, float]


class OnePatient(_Fact):
    """All films are of one patient, so nothing can be resampled."""

    kind: Literal["one_patient"] = "one_patient"


class Said(_Fact):
    """A warning in words alone, as reports of old have them; `by_teacher` if it told of a teacher."""

    kind: Literal["said"] = "said"
    text: str
    by_teacher: bool = False


Caveat = Annotated[
    MissingFilms
    | OtherSplit
    | TrainedOn
    | ChosenOn
    | SharedPatients
    | OtherEdition
    | NotProbabilities
    | TeacherKnows
    | UnknownFilms
    | SwappedColumns
    | Listed
    | SharedWithValidation
    | NoThresholds
    | NeverPositive
    | AlwaysPositive
    | NeverCalled
    | FewPositives
    | BelowChance
    | OnePatient
    | Said,
    Field(discriminator="kind"),
]
