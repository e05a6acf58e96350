"""What limits the worth of a report's metrics: one class a fact, put into words by `xlite.report`.

A caveat with `known` > 0 makes a report contaminated; one of which `not_known` has a fact, none clean.
Imports pydantic only.
"""

from collections.abc import Iterable
from typing import Annotated, Literal, TypeGuard

from pydantic import BaseModel, ConfigDict, Field

from xlite.evaluation.contamination.source_facts import SeenByTeacher, TeacherFact


class _Fact(BaseModel):
    """What all caveats share.

    known: how many of the films judged are known to the model or its teacher, by themselves or by their
    patients; stems: which these are, fewer than `known` if nobody can tell, and never written to a file.
    """

    model_config = ConfigDict(frozen=True, defer_build=True)  # no command needs all of them

    known: int = 0
    stems: frozenset[str] = Field(default=frozenset(), exclude=True)


class MissingFilms(_Fact):
    """Films of the part that the folder lacks and that were left out."""

    kind: Literal["missing_films"] = "missing_films"
    missing: int
    films: int


class FlatFilms(_Fact):
    """Films without contrast (blank, black or white), which count like any other."""

    kind: Literal["flat_films"] = "flat_films"
    flat: int
    films: int


class OtherSplit(_Fact):
    """The films are of another split than the model's; `learned` of them were trained or validated on.

    learned: None if the folder lacks the model's split, so that nobody can tell. whole_folder: the films are
    all that the folder has, and `split_id` says so in words.
    """

    kind: Literal["other_split"] = "other_split"
    split_id: str
    own_split_id: str
    films: int
    learned: int | None
    whole_folder: bool = False


class TrainedOn(_Fact):
    """The films are of the train part of the model's own split: `known` of `films` were trained on."""

    kind: Literal["trained_on"] = "trained_on"
    films: int


class ChosenOn(_Fact):
    """The films are the validation part by which the model was chosen and calibrated.

    epochs: how many it is the best of, None if the model's file does not say.
    """

    kind: Literal["chosen_on"] = "chosen_on"
    epochs: int | None = None


class AdaptedOn(_Fact):
    """`known` of the films are among those to which the model's calibrator and thresholds were fitted."""

    kind: Literal["adapted_on"] = "adapted_on"
    films: int
    data: str


class SharedPatients(_Fact):
    """The model's own split shares patients: `known` of the films are of patients trained or validated on."""

    kind: Literal["shared_patients"] = "shared_patients"
    films: int


class OtherEdition(_Fact):
    """The model learned one edition of the labels and is judged by another, or nobody can tell."""

    kind: Literal["other_edition"] = "other_edition"
    learned: str
    judged: str


class NotProbabilities(_Fact):
    """Scores of these findings, maybe all 14, are not probabilities: distorted in training, not calibrated.

    causes: the loss by its name, "balanced sampler".
    """

    kind: Literal["not_probabilities"] = "not_probabilities"
    causes: tuple[str, ...]
    findings: tuple[str, ...]


class TeacherKnows(_Fact):
    """What the model's teachers, and what it started from, know of the films judged, a fact each."""

    kind: Literal["teacher_knows"] = "teacher_knows"
    teachers: tuple[TeacherFact, ...]


class UnknownFilms(_Fact):
    """Predictions left out, as the table lacks their films; validation: they were to choose thresholds."""

    kind: Literal["unknown_films"] = "unknown_films"
    films: int
    validation: bool = False


class SwappedColumns(_Fact):
    """Pairs of findings that each other's scores tell much better than their own."""

    kind: Literal["swapped_columns"] = "swapped_columns"
    pairs: tuple[tuple[str, str], ...]


class Listed(_Fact):
    """A list of what the model, or its teacher, learned from: `inside` of the films are in it.

    `known` of them are of patients who have films in it. outside: how many films of the list the table lacks;
    untold: how many of these nobody can tell the patient of. An old report lacks both.
    """

    kind: Literal["listed"] = "listed"
    list_name: str
    films: int
    inside: int
    outside: int | None = None
    untold: int = 0


class NotListed(_Fact):
    """Nobody has said what the model behind some predictions, or its teacher, learned from."""

    kind: Literal["not_listed"] = "not_listed"


class SharedWithValidation(_Fact):
    """Patients with films both here and among the validation predictions, the file `name`."""

    kind: Literal["shared_with_validation"] = "shared_with_validation"
    patients: int
    name: str


class NoThresholds(_Fact):
    """No thresholds were given, so 0.5 is used for every finding."""

    kind: Literal["no_thresholds"] = "no_thresholds"


class WithheldThresholds(_Fact):
    """Findings whose threshold is withheld: their validation patients with the finding and without it."""

    kind: Literal["withheld_thresholds"] = "withheld_thresholds"
    positive: dict[str, int]
    negative: dict[str, int]


class ChosenThresholds(_Fact):
    """Findings whose threshold a person chose; here: those chosen on the very films that are judged."""

    kind: Literal["chosen_thresholds"] = "chosen_thresholds"
    findings: tuple[str, ...]
    here: tuple[str, ...] = ()


class OtherPrevalence(_Fact):
    """Findings that are much more or less frequent here than on NIH's films: their prevalences, 0-1."""

    kind: Literal["other_prevalence"] = "other_prevalence"
    here: dict[str, float]
    nih: dict[str, float]


class NotLabelled(_Fact):
    """Findings whose label is known of no film, of which nothing can be said."""

    kind: Literal["not_labelled"] = "not_labelled"
    findings: tuple[str, ...]


class UnknownLabels(_Fact):
    """Findings whose label is unknown on some of the films, which are left out: on how many it is known."""

    kind: Literal["unknown_labels"] = "unknown_labels"
    labelled: dict[str, int]
    films: int


class NeverPositive(_Fact):
    """Findings that no film has, of those whose label is known."""

    kind: Literal["never_positive"] = "never_positive"
    findings: tuple[str, ...]


class AlwaysPositive(_Fact):
    """Findings that every film has, of those whose label is known."""

    kind: Literal["always_positive"] = "always_positive"
    findings: tuple[str, ...]


class NeverCalled(_Fact):
    """Findings that no film reaches the threshold of."""

    kind: Literal["never_called"] = "never_called"
    findings: tuple[str, ...]


class FewPositives(_Fact):
    """Findings with too few positive patients: their positive films and patients (an old report lacks these).

    auc_without: the mean AUC without them, None if none is left.
    """

    kind: Literal["few_positives"] = "few_positives"
    positives: dict[str, int]
    patients: dict[str, int] = {}
    auc_without: float | None


class BelowChance(_Fact):
    """Findings whose whole interval lies below 0.5, with their AUC."""

    kind: Literal["below_chance"] = "below_chance"
    auc: dict[str, float]


class OnePatient(_Fact):
    """All films are of one patient, so nothing can be resampled."""

    kind: Literal["one_patient"] = "one_patient"


class MostlyOnePatient(_Fact):
    """More than half of the films are of one patient: `most` of `films`, of so many patients."""

    kind: Literal["mostly_one_patient"] = "mostly_one_patient"
    most: int
    films: int
    patients: int


class BoxesWithoutFilm(_Fact):
    """Only `boxes` of `given` boxes are on films of this part that are in the folder."""

    kind: Literal["boxes_without_film"] = "boxes_without_film"
    boxes: int
    given: int


class UnchangedMap(_Fact):
    """A method's maps hardly change when the model forgets: `stage` one of `localisation_report.STAGES`."""

    kind: Literal["unchanged_map"] = "unchanged_map"
    method: str
    stage: str
    correlation: float


class NotAboveBaseline(_Fact):
    """A method does not point into more boxes than maps of `baseline` do, beyond chance.

    baseline: one of `metrics.localisation.BASELINES`.
    """

    kind: Literal["not_above_baseline"] = "not_above_baseline"
    method: str
    baseline: str


class SmallBoxes(_Fact):
    """Most boxes of a finding are smaller than one cell of a map, `cell` of the film (0-1)."""

    kind: Literal["small_boxes"] = "small_boxes"
    finding: str
    boxes: int
    small: int
    cell: float


class FewBoxes(_Fact):
    """Findings of which fewer than `metrics.localisation.FEW_BOXES` patients have a box."""

    kind: Literal["few_boxes"] = "few_boxes"
    findings: tuple[str, ...]


class Said(_Fact):
    """A warning in words alone, as old reports have them; `by_teacher` if it tells of a teacher.

    known: if it is a reason for contamination, the films that all reasons count together.
    """

    kind: Literal["said"] = "said"
    text: str
    by_teacher: bool = False


Caveat = Annotated[
    MissingFilms
    | FlatFilms
    | OtherSplit
    | TrainedOn
    | ChosenOn
    | AdaptedOn
    | SharedPatients
    | OtherEdition
    | NotProbabilities
    | TeacherKnows
    | UnknownFilms
    | SwappedColumns
    | Listed
    | NotListed
    | SharedWithValidation
    | NoThresholds
    | WithheldThresholds
    | ChosenThresholds
    | OtherPrevalence
    | NotLabelled
    | UnknownLabels
    | NeverPositive
    | AlwaysPositive
    | NeverCalled
    | FewPositives
    | BelowChance
    | OnePatient
    | MostlyOnePatient
    | BoxesWithoutFilm
    | UnchangedMap
    | NotAboveBaseline
    | SmallBoxes
    | FewBoxes
    | Said,
    Field(discriminator="kind"),
]


def is_of_teacher(caveat: Caveat) -> TypeGuard[TeacherKnows | Said]:
    """Whether it tells what a teacher knows of the films judged."""
    return isinstance(caveat, TeacherKnows) or (isinstance(caveat, Said) and caveat.by_teacher)


NotKnown = Annotated[OtherSplit | Listed | NotListed | TeacherFact, Field(discriminator="kind")]
"""Why nobody can tell which of the films judged are clean."""


def not_known(caveats: Iterable[Caveat]) -> tuple[NotKnown, ...]:
    """What the caveats leave open of who knows the films judged: nothing if all of it is known."""
    return tuple(fact for caveat in caveats for fact in _left_open(caveat))


def _left_open(caveat: Caveat) -> Iterable[NotKnown]:
    match caveat:
        case OtherSplit(learned=None) | NotListed():
            return [caveat]
        case Listed() if caveat.untold:
            return [caveat]
        case TeacherKnows(teachers=teachers):
            unsure = [fact for fact in teachers if not isinstance(fact, SeenByTeacher) or fact.untold]
            uncounted = caveat.known > len(caveat.stems)  # only noted as numbers, not which films
            return unsure or (teachers if uncounted else ())
        case _:
            return ()
