"""What limits the worth of a report's metrics, in words: a sentence for each class of `caveats.py`."""

from collections.abc import Iterable
from typing import assert_never

from xlite.evaluation.contamination.caveats import (
    AlwaysPositive,
    BelowChance,
    BoxesWithoutFilm,
    Caveat,
    ChosenThresholds,
    FewBoxes,
    FewPositives,
    FlatFilms,
    MissingFilms,
    MostlyOnePatient,
    NeverCalled,
    NeverPositive,
    NotAboveBaseline,
    NoThresholds,
    NotLabelled,
    NotProbabilities,
    OnePatient,
    OtherPrevalence,
    Said,
    SmallBoxes,
    SwappedColumns,
    UnchangedMap,
    UnknownFilms,
    UnknownLabels,
    WithheldThresholds,
)
from xlite.explain.methods import METHODS
from xlite.findings import FEW_POSITIVES, FINDINGS, spoken
from xlite.metrics.localisation import FEW_BOXES
from xlite.metrics.thresholds import PLAIN_THRESHOLD
from xlite.report.learned_sentences import of_learning
from xlite.text import are, counted, few_patients, verb

_FORGOTTEN = {
    "head": "the classifier forgets what it learned: it shows where films have structure as much as findings",
    "half": "the later half of the model forgets what it learned",
    "all": "the whole model forgets what it learned: it is not a map of the model",
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
        case UnknownFilms(films=films, validation=validation):
            kind = "validation film" if validation else "film"
            return f"{counted(films, kind)} that the table lacks {are(films)} left out"
        case SwappedColumns(pairs=pairs):
            named = ", ".join(f"{spoken(first)} and {spoken(second)}" for first, second in pairs)
            return f"columns may be swapped, each tells the other finding better: {named}"
        case NotProbabilities(causes=causes, findings=findings):
            whose = "" if len(findings) == len(FINDINGS) else f" of {_list(findings)}"
            how = " and ".join(causes)
            return f"scores{whose} are not probabilities: trained with {how}, not calibrated"
        case Said(text=text):
            return text
        case BoxesWithoutFilm() | UnchangedMap() | NotAboveBaseline() | SmallBoxes() | FewBoxes():
            return _of_maps(caveat)
        case NoThresholds() | WithheldThresholds() | ChosenThresholds() | NeverCalled():
            return _of_thresholds(caveat)
        case (
            NotLabelled()
            | UnknownLabels()
            | NeverPositive()
            | AlwaysPositive()
            | FewPositives()
            | OtherPrevalence()
            | BelowChance()
            | OnePatient()
            | MostlyOnePatient()
        ):
            return _of_labels(caveat)
        case _:
            return of_learning(caveat)


def _of_thresholds(caveat: NoThresholds | WithheldThresholds | ChosenThresholds | NeverCalled) -> str:
    """Which thresholds there are, and what they call."""
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
        case NeverCalled(findings=findings):
            return (
                "never called at its threshold, so without precision and left out of its mean: "
                f"{_list(findings)}"
            )
        case _:
            assert_never(caveat)


def _of_labels(
    caveat: NotLabelled
    | UnknownLabels
    | NeverPositive
    | AlwaysPositive
    | FewPositives
    | OtherPrevalence
    | BelowChance
    | OnePatient
    | MostlyOnePatient,
) -> str:
    """What the labels and patients of these films cannot tell."""
    match caveat:
        case NotLabelled(findings=findings):
            return f"not labelled here, so without any metric and left out of all means: {_list(findings)}"
        case UnknownLabels():
            return _unknown_labels(caveat)
        case NeverPositive(findings=findings):
            return f"never positive, so without AUC, AP and F1 and left out of their means: {_list(findings)}"
        case AlwaysPositive(findings=findings):
            return f"always positive, so without AUC and left out of its mean: {_list(findings)}"
        case FewPositives(positives=positives, patients=patients, auc_without=without):
            few = ", ".join(f"{spoken(finding)} ({n})" for finding, n in (patients or positives).items())
            who = "patients with the finding" if patients else "positives"
            said = f"fewer than {FEW_POSITIVES} {who}, so hardly known, yet counted in the means: {few}"
            return said if without is None else f"{said}; without them the mean AUC is {without:.3f}"
        case OtherPrevalence(here=here, nih=nih):
            named = ", ".join(
                f"{spoken(finding)} {share:.1%} (NIH {nih[finding]:.1%})" for finding, share in here.items()
            )
            return (
                "precision, PPV and average precision hold at the prevalence of these films only, which is "
                f"more than twice, or less than half, that of all of NIH's films: {named}"
            )
        case BelowChance(auc=auc):
            low = ", ".join(f"{spoken(finding)} ({value:.3f})" for finding, value in auc.items())
            return f"AUC below chance, so the scores may be turned round: {low}"
        case OnePatient():
            return "all films are of one patient, so there are no intervals"
        case MostlyOnePatient(most=most, films=films, patients=patients):
            return (
                f"{most:,} of {counted(films, 'film')} are of one patient, of {counted(patients, 'patient')} "
                "in all, so that most metrics are about that one"
            )
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
