"""What a model and its teachers learned from, beside the films that they are judged on, in words."""

from typing import assert_never

from xlite.evaluation.contamination.caveats import (
    AdaptedOn,
    ChosenOn,
    Listed,
    NotKnown,
    NotListed,
    OtherEdition,
    OtherSplit,
    SharedPatients,
    SharedWithValidation,
    TeacherKnows,
    TrainedOn,
)
from xlite.evaluation.contamination.source_facts import (
    SeenByTeacher,
    TeacherFact,
    TeacherSaid,
    TeacherUnknown,
)
from xlite.text import UNKNOWN_EDITION, are, counted, labels_of, verb


def of_learning(
    caveat: OtherSplit
    | TrainedOn
    | ChosenOn
    | AdaptedOn
    | SharedPatients
    | OtherEdition
    | TeacherKnows
    | Listed
    | NotListed
    | SharedWithValidation,
) -> str:
    """What the model, or its teacher, learned from."""
    match caveat:
        case OtherSplit():
            return _other_split(caveat)
        case TrainedOn(known=known, films=films):
            some = "" if known == films else f"{known:,} of "
            return f"the model was trained on {some}these films"
        case ChosenOn(epochs=epochs):
            best = "" if epochs is None else f", as the best of {counted(epochs, 'epoch')},"
            return f"the model was chosen{best} and calibrated on these films"
        case AdaptedOn(known=known, films=films, data=data):
            return (
                f"calibrator and thresholds were fitted to {known:,} of the {counted(films, 'film')}, when "
                f"the model was adapted to {data}"
            )
        case SharedPatients(known=known, films=films):
            return (
                f"the split shares patients: {known:,} of {counted(films, 'film')} ({known / films:.1%}) "
                f"{are(known)} of patients the model was trained on"
            )
        case OtherEdition(learned=learned, judged=judged) if UNKNOWN_EDITION in (learned, judged):
            both = f"the model learned {labels_of(learned)}, and these are {labels_of(judged)}"
            return f"{both}: whether they are the same cannot be told"
        case OtherEdition(learned=learned, judged=judged):
            return f"the model learned the {learned} labels, these are the {judged} ones"
        case TeacherKnows(teachers=teachers):
            whose = "" if any(fact.start for fact in teachers) else "teacher "
            return f"{whose}contamination: " + "; ".join(map(teacher_sentence, teachers))
        case Listed():
            return _listed(caveat)
        case NotListed():
            return "what the model, or its teacher, learned from is not known, so films may not be new to it"
        case SharedWithValidation(patients=patients, name=name):
            have = "has" if patients == 1 else "have"
            return f"{counted(patients, 'patient')} {have} films both here and in {name}"
        case _:
            assert_never(caveat)


def _other_split(caveat: OtherSplit) -> str:
    own = caveat.own_split_id
    if caveat.whole_folder:
        first = f"these are all films of the folder, not a part of the model's own split, {own}: "
    else:
        first = f"split {caveat.split_id} is not the model's own, {own}: "
    if caveat.learned is None:
        return (
            f"{first}this folder does not have that split, so whether it was trained on these patients is "
            "not known"
        )
    learned, known = caveat.learned, caveat.known
    if not learned and not known:  # films that were renamed since are not found
        return (
            f"{first}by their names none of these {counted(caveat.films, 'film')} is among those that the "
            "model itself learned from"
        )
    return (
        f"{first}{learned:,} of these {counted(caveat.films, 'film')} {'was' if learned == 1 else 'were'} in "
        f"its training or validation part, {known:,} {are(known)} of patients who were"
    )


def _listed(caveat: Listed) -> str:
    known, inside, outside = caveat.known, caveat.inside, caveat.outside
    found = (
        f"contamination: {inside:,} of these {counted(caveat.films, 'film')} {are(inside)} in "
        f"{caveat.list_name}, and {known:,} {are(known)} of patients who are"
    )
    if outside is None:
        return found
    lacking = f"{counted(outside, 'listed film')} {are(outside)} not in the table"
    more = f", and the patients of {caveat.untold:,} of them cannot be told" if caveat.untold else ""
    return f"{found}: {known:,} of {caveat.films:,} known; {lacking}{more}"


def why_not_known(fact: NotKnown) -> str:
    """Why nobody can tell which of the films judged are clean."""
    match fact:
        case OtherSplit(own_split_id=own):
            return f"this folder does not have the model's own split, {own}, so what it knows cannot be told"
        case NotListed():
            return "without a list of its training films (--trained-on) it cannot be told which those are"
        case Listed(list_name=name, untold=untold):
            return _whose(untold, name)
        case SeenByTeacher(untold=0):
            whose = "the training films of the model that it started from"
            named = whose if fact.start else "its teacher's training films"
            return f"without a list of {named} it cannot be told which those are"
        case TeacherSaid():
            said = teacher_sentence(fact)
            return (
                f"{said}, and without a list of its training films it cannot be told which of these it knows"
            )
        case _:
            return teacher_sentence(fact)


def _whose(films: int, name: str) -> str:
    """That nobody can tell the patients of films of a list."""
    which = verb(films, "which", "all of which")
    return f"the patients of {counted(films, 'film')} of {name}, {which} the table lacks, cannot be told"


def teacher_sentence(fact: TeacherFact) -> str:
    """What one source of a model knows of the films judged."""
    who = "a model that training started from" if fact.start else "a teacher"
    match fact:
        case SeenByTeacher():
            films = f"the {counted(fact.films, f'{fact.part} film')} of split {fact.split_id}"
            more = f" ({fact.with_val:,} counting validation)" if fact.with_val > fact.trained else ""
            untold = f"; {_whose(fact.untold, 'its list')}" if fact.untold else ""
            return (
                f"{who} was trained on {fact.trained:,} of {films}{more}, and knows the patients of "
                f"{fact.patients:,} of them{untold}"
            )
        case TeacherUnknown(kind="predictions", name=name):
            return (
                f"what the model behind the predictions {name} was trained on is not known: a list of its "
                "training films would tell"
            )
        case TeacherUnknown(kind="weights", name=name):
            return (
                f"which films the starting weights ({name}) were trained on is not known: a list of these "
                "would tell"
            )
        case TeacherUnknown(kind="split", name=name):
            return (
                f"{who} learned from split {name}, which this folder does not have, so whether it knows "
                "these films is not known"
            )
        case TeacherUnknown(name=name):
            return (
                f"{who} was trained on the films of a list, {name}, which is not on this machine, so "
                "whether it knows these films is not known: a list of its training films would tell"
            )
        case TeacherSaid(text=text, counted_on=counted_on):
            return f"{text} (counted on the test part of {counted_on})" if counted_on else text
        case _:
            assert_never(fact)
