"""What limits the worth of a report's metrics, in words: a sentence a class of `evaluation.caveats`."""

from collections.abc import Iterable
from typing import assert_never

from xlite.evaluation.caveats import (
    AdaptedOn,
    AlwaysPositive,
    BelowChance,
    BoxesWithoutFilm,
    Caveat,
    ChosenOn,
    ChosenThresholds,
    FewBoxes,
    FewPositives,
    FlatFilms,
    Listed,
    MissingFilms,
    NeverCalled,
    NeverPositive,
    NotAboveBaseline,
    NoThresholds,
    NotKnown,
    NotLabelled,
    NotListed,
    NotProbabilities,
    OnePatient,
    OtherEdition,
    OtherPrevalence,
    OtherSplit,
    Said,
    SharedPatients,
    SharedWithValidation,
    SmallBoxes,
    SwappedColumns,
    TeacherKnows,
    TrainedOn,
    UnchangedMap,
    UnknownFilms,
    UnknownLabels,
    WithheldThresholds,
)
from xlite.evaluation.source_facts import SeenByTeacher, TeacherFact, TeacherSaid, TeacherUnknown
from xlite.explain.methods import METHODS
from xlite.findings import FEW_POSITIVES, FINDINGS, spoken
from xlite.metrics.localisation import FEW_BOXES
from xlite.metrics.thresholds import PLAIN_THRESHOLD
from xlite.text import UNKNOWN_EDITION, are, counted, few_patients, labels_of, verb

_FORGOTTEN = {
    "head": "the classifier forgets what it learned: it shows where films have structure as much as findings",
    "half": "the later half of the model forgets what it learned",
    "all": "the whole model forgets what it learned: it is no map of the model",
}
_BASELINES = {"random": "a random map", "centre": "a map of the film's centre"}


def map_name(method: str) -> str:
    """What people call a kind of map: its title in METHODS; `Random` or `Centre` if it knows nothing."""
    return METHODS[method].title if method in METHODS else method.capitalize()


def sentence(caveat: Caveat) -> str:
    """A caveat in words, without a capital and a full stop."""
    match caveat:
        case MissingFilms(missing=missing, films=films):
            return f"{missing:,} of {counted(films, 'film')} {are(missing)} missing and left out"
        case FlatFilms(flat=flat, films=films):
            have = verb(flat, "has", "have")
            return (
                f"{flat:,} of {counted(films, 'film')} {have} no contrast (blank, black or white); "
                "`xlite data check` lists them"
            )
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
        case NotProbabilities(causes=causes, findings=findings):
            whose = "" if len(findings) == len(FINDINGS) else f" of {_list(findings)}"
            how = " and ".join(causes)
            return f"scores{whose} are not probabilities: trained with {how}, not calibrated"
        case TeacherKnows(teachers=teachers):
            whose = "" if any(fact.start for fact in teachers) else "teacher "
            return f"{whose}contamination: " + "; ".join(map(teacher_sentence, teachers))
        case UnknownFilms(films=films, validation=validation):
            kind = "validation film" if validation else "film"
            return f"{counted(films, kind)} that the table lacks {are(films)} left out"
        case SwappedColumns(pairs=pairs):
            named = ", ".join(f"{spoken(first)} and {spoken(second)}" for first, second in pairs)
            return f"columns may be swapped, each tells the other finding better: {named}"
        case Listed():
            return _listed(caveat)
        case NotListed():
            return "what the model, or its teacher, learned from is not known, so films may not be new to it"
        case SharedWithValidation(patients=patients, name=name):
            have = "has" if patients == 1 else "have"
            return f"{counted(patients, 'patient')} {have} films both here and in {name}"
        case Said(text=text):
            return text
        case BoxesWithoutFilm() | UnchangedMap() | NotAboveBaseline() | SmallBoxes() | FewBoxes():
            return _of_maps(caveat)
        case _:
            return _of_metrics(caveat)


def _of_metrics(
    caveat: NoThresholds
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
    | OnePatient,
) -> str:
    """What these films cannot tell."""
    match caveat:
        case NoThresholds():
            return f"no thresholds given; {PLAIN_THRESHOLD} used for every finding"
        case WithheldThresholds(positive=positive, negative=negative):
            few = ", ".join(
                f"{spoken(finding)} ({few_patients(count, negative[finding])})"
                for finding, count in positive.items()
            )
            return (
                f"no threshold below {FEW_POSITIVES} validation patients with the finding or without it, so "
                f"nothing is called and its rates are undefined: {few}"
            )
        case ChosenThresholds(findings=findings, here=chosen_here):
            said = f"thresholds chosen by hand, not by validation films: {_list(findings)}"
            if not chosen_here:
                return said
            return (
                f"{said}. Chosen on the very films that are judged here: {_list(chosen_here)}, so that F1, "
                "precision, sensitivity and specificity are better than other films will have them"
            )
        case OtherPrevalence(here=here, nih=nih):
            named = ", ".join(
                f"{spoken(finding)} {share:.1%} (NIH {nih[finding]:.1%})" for finding, share in here.items()
            )
            return (
                "precision, PPV and average precision hold at the prevalence of these films only, which is "
                f"more than twice, or less than half, that of all of NIH's films: {named}"
            )
        case NotLabelled(findings=findings):
            return f"not labelled here, so without any metric and left out of all means: {_list(findings)}"
        case UnknownLabels():
            return _unknown_labels(caveat)
        case NeverPositive(findings=findings):
            return f"never positive, so without AUC, AP and F1 and left out of their means: {_list(findings)}"
        case AlwaysPositive(findings=findings):
            return f"always positive, so without AUC and left out of its mean: {_list(findings)}"
        case NeverCalled(findings=findings):
            return (
                "never called at its threshold, so without precision and left out of its mean: "
                f"{_list(findings)}"
            )
        case FewPositives(positives=positives, patients=patients, auc_without=without):
            few = ", ".join(f"{spoken(finding)} ({n})" for finding, n in (patients or positives).items())
            who = "patients with the finding" if patients else "positives"
            said = f"fewer than {FEW_POSITIVES} {who}, so hardly known, yet counted in the means: {few}"
            return said if without is None else f"{said}; without them the mean AUC is {without:.3f}"
        case BelowChance(auc=auc):
            low = ", ".join(f"{spoken(finding)} ({value:.3f})" for finding, value in auc.items())
            return f"AUC below chance, so the scores may be turned round: {low}"
        case OnePatient():
            return "all films are of one patient, so there are no intervals"
        case _:
            assert_never(caveat)


def _of_maps(caveat: BoxesWithoutFilm | UnchangedMap | NotAboveBaseline | SmallBoxes | FewBoxes) -> str:
    """What the metrics of maps do not allow one to say."""
    match caveat:
        case BoxesWithoutFilm(boxes=boxes, given=given):
            every = counted(given, "box", "boxes")
            return f"only {boxes:,} of {every} {are(boxes)} on films of this part that are in the folder"
        case UnchangedMap(method=method, stage=stage, correlation=kept):
            return f"{map_name(method)} hardly changes (rank correlation {kept:.2f}) when {_FORGOTTEN[stage]}"
        case NotAboveBaseline(method=method, baseline=baseline):
            other = _BASELINES[baseline]
            return f"{map_name(method)} does not point into more boxes than {other}, beyond chance"
        case SmallBoxes(finding=finding, boxes=boxes, small=small, cell=cell):
            return (
                f"{spoken(finding)}: {small:,} of {counted(boxes, 'box', 'boxes')} {are(small)} smaller than "
                f"one cell of a map, {cell:.1%} of the film"
            )
        case FewBoxes(findings=findings):
            return (
                f"under {FEW_BOXES} patients with a box, so read no metric of theirs alone: {_list(findings)}"
            )
        case _:
            assert_never(caveat)


def _unknown_labels(caveat: UnknownLabels) -> str:
    groups: dict[int, list[str]] = {}
    for finding, films in caveat.labelled.items():
        groups.setdefault(films, []).append(finding)
    named = "; ".join(f"{_list(findings)} known on {films:,}" for films, findings in groups.items())
    return (
        f"labels are unknown on some of the {counted(caveat.films, 'film')}, and each finding is judged by "
        f"the films whose label of it is known: {named}"
    )


def _list(names: Iterable[str]) -> str:
    return ", ".join(map(spoken, names))


def _other_split(caveat: OtherSplit) -> str:
    named = caveat.split_id if caveat.whole_folder else f"split {caveat.split_id}"
    first = f"{named} is not the model's own, {caveat.own_split_id}: "
    if caveat.learned is None:
        return (
            f"{first}this folder does not have that split, so whether it was trained on these patients is "
            "not known"
        )
    learned, known = caveat.learned, caveat.known
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
                f"{who} was trained on the films of {name}, which is not here, so whether it knows these "
                "films is not known: a list of its training films would tell"
            )
        case TeacherSaid(text=text, counted_on=counted_on):
            return f"{text} (counted on the test part of {counted_on})" if counted_on else text
        case _:
            assert_never(fact)
