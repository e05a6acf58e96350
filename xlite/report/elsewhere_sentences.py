"""What a model's report elsewhere means beside that on its own test films, as whole sentences. No torch."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Literal

from xlite.evaluation.elsewhere.elsewhere_report import (
    AppearanceShift,
    Distances,
    Elsewhere,
    FindingElsewhere,
    Guarded,
    Quantity,
    Shift,
    Side,
)
from xlite.findings import spoken
from xlite.guards.verdict import sentence_of
from xlite.metrics.estimate import Estimate
from xlite.metrics.intervals import LEAST_FOR_MEAN, LEAST_IN_MEAN, wilson
from xlite.text import are, counted, films_judged, labels_of, verb

ATTRIBUTES = {"view": "view", "sex": "sex", "age": "age band"}
Topic = Literal["sides", "ranking", "calibration", "calls", "mix", "guards", "distances", "appearance"]
_OTHER_MIX = 0.1
"""Of this share of the films one would have to change the group, to have the mix of the other side."""


def elsewhere_sentences(found: Elsewhere) -> list[str]:
    """What was compared, what came of it and what it means."""
    return [sentence for said in by_topic(found).values() for sentence in said]


def by_topic(found: Elsewhere) -> dict[Topic, list[str]]:
    """The same by what it is about."""
    return {
        "sides": [*_sides(found), *_labels(found)],
        "ranking": list(_ranking(found)),
        "calibration": list(_calibration(found)),
        "calls": list(_calls(found)),
        "mix": list(_mixes(found.mix)),
        "guards": [_guards(found.guards, found.there), *_guards_here(found.guards_here)],
        "distances": [_unlike(found.distances), *_unlike_here(found.distances_here)],
        "appearance": list(_appearance(found.appearance)),
    }


def _sides(found: Elsewhere) -> Iterator[str]:
    yield (
        f"Here is the model's own test part, {_films(found.here)}; there are the films judged, "
        f"{_films(found.there)}. As they are films of other patients, no test is paired: a difference, there "
        "minus here, has the 95 % interval that follows from those of both sides. Of so many, some lie "
        "beyond theirs by chance."
    )
    if found.same_names:
        yield (
            f"{counted(found.same_names, 'film')} there {verb(found.same_names, 'has', 'have')} the name of "
            "one here. If they are the same films, this is not another hospital, and the sides are not "
            "independent."
        )
    for name, side in (("Here", found.here), ("There", found.there)):
        if side.left_out:
            films = counted(side.left_out, "film")
            yield f"{name}, {films} of patients that the model knows {are(side.left_out)} left out."
        if side.contaminated:
            yield (
                f"{name}, the model knows some of the films, and which others are new to it cannot be told: "
                "no difference is to be relied on."
            )


def _films(side: Side) -> str:
    which = films_judged(f"split {side.split_id}", side.split_id, side.data)
    return (
        f"{counted(side.films, 'film')} of {counted(side.patients, 'patient')} ({which}, "
        f"{labels_of(side.label_version)})"
    )


def _labels(found: Elsewhere) -> Iterator[str]:
    if found.only_here:
        yield f"Not labelled there: {_names(found.only_here)}."
    if found.only_there:
        yield f"Not labelled here: {_names(found.only_there)}."
    if not found.per_class:
        yield "No finding is labelled on both sides, so that nothing is compared."


def _ranking(found: Elsewhere) -> Iterator[str]:
    """AUC: the mean, then the findings beyond their interval."""
    if not found.per_class:
        return
    mean = found.mean_auc
    if mean.difference.value is None:
        yield (
            f"There is no mean AUC to compare: no finding has {LEAST_IN_MEAN} patients with it and as many "
            "without it on both sides."
        )
    else:
        yield (
            f"The mean AUC of {counted(len(found.mean_findings), 'finding')} is {mean.there} there and "
            f"{mean.here} here, a difference of {mean.difference.signed}: {_ranks(found)}."
        )
    yield from _beyond(found, "AUC", lambda one: one.auc)


def _ranks(found: Elsewhere) -> str:
    change = found.mean_auc.difference
    if change.low is None or change.high is None:
        return f"without an interval{_why_none(found)} nobody can tell whether that is chance"
    if change.high < 0:
        return "it tells films apart worse there"
    return "it tells films apart better there" if change.low > 0 else "no difference beyond chance"


def _why_none(found: Elsewhere) -> str:
    """Why a mean has no interval: too few patients on a side, or the films here are not known one by one."""
    if min(found.here.patients, found.there.patients) < LEAST_FOR_MEAN:
        return f", which takes {LEAST_FOR_MEAN} patients a side,"
    if found.mean_auc.here.low is None and found.mean_auc.there.low is not None:
        return " here, as no labels lie beside the model's own report,"
    return ""


def _beyond(found: Elsewhere, metric: str, shift: Callable[[FindingElsewhere], Shift]) -> Iterator[str]:
    """The findings whose difference of a metric does not reach 0."""
    changes = {name: shift(one).difference for name, one in found.per_class.items()}
    known = {name: one for name, one in changes.items() if one.low is not None}
    lower, higher = _apart(known)
    if not known:
        yield f"{metric}: no finding has patients enough on both sides for an interval."
        return
    said = [f"{word} for {_names(names)}" for word, names in (("lower", lower), ("higher", higher)) if names]
    yield (
        f"{metric} there, of {counted(len(known), 'finding')} with an interval: "
        f"{'; '.join(said) or 'no difference beyond chance'}."
    )


def _calibration(found: Elsewhere) -> Iterator[str]:
    """Whether probabilities are too low or too high there, beyond chance, and more so than here."""
    lines = {name: one.intercept for name, one in found.per_class.items()}
    known = {name: one for name, one in lines.items() if one.there.low is not None}
    if not known:
        return
    high, low = _apart({name: one.there for name, one in known.items()})
    said = [f"too {word} for {_names(names)}" for word, names in (("high", high), ("low", low)) if names]
    advice = " Calibration and thresholds can be fitted to films from there." if said else ""
    yield (
        f"Probabilities there, of {counted(len(known), 'finding')} with a calibration intercept: "
        f"{'; '.join(said) or 'neither too high nor too low beyond chance'}.{advice}"
    )
    higher, lower = _apart({name: one.difference for name, one in known.items()})
    moved = [
        f"{word} than here for {_names(names)}"
        for word, names in (("higher", higher), ("lower", lower))
        if names
    ]
    if moved:
        yield f"Against the labels they lie {'; '.join(moved)}."


def _apart(estimates: Mapping[str, Estimate]) -> tuple[list[str], list[str]]:
    """Whose interval lies below 0, and whose above."""
    below = [name for name, one in estimates.items() if one.high is not None and one.high < 0]
    return below, [name for name, one in estimates.items() if one.low is not None and one.low > 0]


def _calls(found: Elsewhere) -> Iterator[str]:
    """What the model's thresholds give there."""
    if not any(one.threshold is not None for one in found.per_class.values()):
        return
    yield from _beyond(found, "Sensitivity at the model's thresholds", lambda one: one.sensitivity)
    yield from _beyond(found, "Specificity at the model's thresholds", lambda one: one.specificity)


def _mixes(mix: Mapping[str, Mapping[str, tuple[int, int]]]) -> Iterator[str]:
    """The attributes in which the films differ, or which are not known on a side."""
    other, unknown = [], []
    for attribute, groups in mix.items():
        shares = mix_shares(groups)
        if shares is None:
            unknown.append(ATTRIBUTES[attribute])
            continue
        apart = sum(abs(here - there) for here, there in shares.values()) / 2
        if apart >= _OTHER_MIX:
            name, (here, there) = max(shares.items(), key=lambda one: abs(one[1][0] - one[1][1]))
            other.append(f"{ATTRIBUTES[attribute]} ({name}: {here:.0%} here, {there:.0%} there)")
    if other:
        yield (
            f"The mix of films differs: {', '.join(other)}. A difference may be of that, and not of the "
            "hospital."
        )
    if unknown:
        yield f"Not known on both sides: {', '.join(unknown)}."


def mix_shares(groups: Mapping[str, tuple[int, int]]) -> dict[str, tuple[float, float]] | None:
    """The shares of groups here and there, of the films whose group is known; None if a side has none."""
    here, there = (sum(counts[side] for counts in groups.values()) for side in (0, 1))
    if not here or not there:
        return None
    return {name: (counts[0] / here, counts[1] / there) for name, counts in groups.items()}


def _guards(found: Guarded, there: Side) -> str:
    films, said = found.films, found.verdicts
    sample = "" if films == there.films else f", spread over all {there.films:,}"
    reasons = [f"{sentence_of(name)} ({count:,})" for name, count in found.reasons.items()]
    why = f" Why: {'; '.join(reasons)}." if reasons else ""
    return (
        f"Of {counted(films, 'film')} there{sample}, the guards pass {_part(said['pass'], films)}, warn of "
        f"{_part(said['caution'], films)}, would turn or invert {_part(said['offer'], films)} and refuse "
        f"{_part(said['refuse'], films)}. The metrics are of all of them.{why}"
    )


def _guards_here(found: Guarded | None) -> Iterator[str]:
    if found is not None:
        passed = _part(found.verdicts["pass"], found.films)
        yield f"Of {counted(found.films, 'film')} here they pass {passed}."


def _part(count: int, films: int) -> str:
    return f"{count:,} ({count / films:.1%})"


def _unlike(found: Distances | None) -> str:
    if found is None:
        return (
            "How unlike those of training the films there are cannot be told: the model file does not say "
            "how near those are."
        )
    usual, films = 1 - found.quantile, counted(found.usual_films, "validation film")
    return (
        f"In the model's features half of {counted(found.films, 'film')} there are further than "
        f"{found.median:.2f} from those of training, of which a usual one is about 1 away. Beyond "
        f"{found.usual:.2f}, as {usual:.0%} of the model's own {films}, {are(found.unusual)} "
        f"{_part(found.unusual, found.films)}; beyond {found.limit:.2f}, where the guard warns, "
        f"{_part(found.beyond, found.films)}. {_likeness(found, usual)}"
    )


def _unlike_here(found: Distances | None) -> Iterator[str]:
    if found is not None:
        yield (
            f"Of {counted(found.films, 'film')} of its own test part half are further than "
            f"{found.median:.2f}, beyond {found.usual:.2f} {are(found.unusual)} "
            f"{_part(found.unusual, found.films)}, beyond "
            f"{found.limit:.2f} {_part(found.beyond, found.films)}."
        )


def _likeness(found: Distances, usual: float) -> str:
    """Whether more films are unusual than of the model's own, if a patient's films count as one."""
    interval = wilson(found.unusual / found.films, found.patients)
    if interval is not None and interval[0] > usual:
        return "These are other films than those that it learned from."
    return "That is no more than chance may bring about: by its features these are films as it learned from."


def _appearance(found: Mapping[Quantity, AppearanceShift]) -> Iterator[str]:
    """Grey, contrast and grain there, with those here as the reference if these films were at hand."""
    if not found:
        return
    medians = ", ".join(f"{name} {one.there:.1f}" for name, one in found.items())
    yield f"Medians of the films there as the model gets them, of 255 greys: {medians}."
    beside = {name: one for name, one in found.items() if one.here is not None}
    if not beside:
        yield "Whether that is usual could not be told without the films of its own test part."
        return
    medians = ", ".join(f"{name} {one.here:.1f}" for name, one in beside.items())
    more = ", ".join(f"{name} {one.more}" for name, one in beside.items())
    yield (
        f"Here: {medians}. The chance that a film there has more than one here, .5 if they are alike: {more}."
    )
    other = [name for name, one in beside.items() if _beyond_half(one.more)]
    if other:
        yield (
            f"Beyond chance: {', '.join(other)}. These films are of another exposure, machine or processing, "
            "also if the distance of their features is usual."
        )
    else:
        yield "No difference beyond chance."


def _beyond_half(more: Estimate) -> bool:
    return more.low is not None and more.high is not None and not more.low <= 0.5 <= more.high


def _names(findings: Iterable[str]) -> str:
    return ", ".join(map(spoken, findings))
