"""The kinds of study, the same for pages and terminals: their names, what each tries, how many seeds it has,
and the plan of one from what was chosen. No streamlit.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from xlite.errors import RunError
from xlite.messages import page_sentence
from xlite.sweeps.crossfit import FOLDS, plan_crossfit
from xlite.sweeps.phases import (
    ALPHAS,
    ATTENTIONS,
    BACKBONES,
    SEEDS,
    SHARE_TEXT,
    TEMPERATURES,
    plan_phase,
    waits_for,
)
from xlite.sweeps.plan import Design, Kind, Plan, make_plan


@dataclass(frozen=True)
class About:
    """What is known of a kind of study.

    title: what its form calls it; told: what it tries, as the form says it; help: as `xlite sweep` says it;
    seeds: how many a configuration is trained with if nobody says; follows: whether another study comes
    first, which decides what is not given; teaches: whether its students may have a teacher.
    """

    title: str
    told: str
    help: str
    seeds: int = 1
    follows: bool = False
    teaches: bool = True


KINDS: dict[Kind, About] = {
    "phase1": About(
        "Phase 1",
        f"Students alone: each backbone with and without attention, on {SHARE_TEXT} of the train part.",
        f"""Students alone: {len(BACKBONES)} backbones x {len(ATTENTIONS)} attentions on {SHARE_TEXT}
of train.

Options as in `xlite train`; a setting that is given does not vary.
""",
        seeds=SEEDS,
        teaches=False,
    ),
    "phase2": About(
        "Phase 2",
        f"Distillation: each backbone with two temperatures and two alphas, on {SHARE_TEXT} of the train "
        "part, with the attention that phase 1 chose and all that phase 1 was given.",
        f"""Distillation, on {SHARE_TEXT} of train.

{len(BACKBONES)} backbones x {len(TEMPERATURES)} temperatures x {len(ALPHAS)} alphas. Needs a --teacher. What
phase 1 was given, and the attention that it chose, hold here too.
""",
        seeds=SEEDS,
        follows=True,
    ),
    "phase3": About(
        "Phase 3",
        "The winner of phase 2, or of phase 1 if there is no phase 2, on the whole train part.",
        """The winner, on all of train.

That of phase 2, or of phase 1 if there is no phase 2.
""",
        seeds=SEEDS,
        follows=True,
        teaches=False,
    ),
    "search": About(
        "Search",
        "Any settings of a run: a grid of all combinations, or so many that Optuna's TPE picks.",
        """Any search over settings of a run.

A grid, or Optuna's TPE with --trials. Options as in `xlite train`; a setting that is given does not vary.
""",
    ),
    "crossfit": About(
        "Cross-fit",
        "A teacher for all training films: each run leaves one fold of the train part out and answers for "
        "its films, so that none teaches what it knows by heart.",
        """A teacher of models that each leave a fold out.

Each run leaves one fold of the train part out and answers for it; joined, the answers are in
experiments/sweeps/STUDY/predictions.csv. Options as in `xlite train`. On 2,016 real films a student of
five such models was as good as their average. It was .029 of AUC above a plain fine-tune (p .006), but
learned from a DenseNet's predictions too, with mixup, stronger augmentation and dropout, the full rate
and more epochs: what such teachers alone are worth is not measured.
""",
    ),
}


def plan_of(
    kind: Kind,
    given: Mapping[str, object],
    design: Design,
    *,
    varying: Mapping[str, object] | None = None,
    backbones: Sequence[str] = (),
    folds: int = FOLDS,
) -> Plan:
    """The plan of a study of any kind with the settings that were given; RunError if it is none.

    varying: of a search; backbones: those that a phase tries, its own if none; folds: of a cross-fit.
    """
    if kind == "search":
        return make_plan("search", given, varying or {}, design)
    if kind == "crossfit":
        return plan_crossfit(given, folds, design)
    return plan_phase(kind, given, design, backbones)


def lacking(kind: Kind, given: Mapping[str, object], varying: Mapping[str, object], after: str) -> str:
    """What a form still has to have before there is a plan, in Markdown; empty if nothing."""
    if kind == "phase2" and "teacher" not in given:
        return "Phase 2 distils: choose a teacher above, and the plan is here."
    if (kind == "phase2" or kind == "phase3") and (words := waits_for(kind, after)):
        return f"This phase follows another one, which comes first. {page_sentence(RunError(*words))}"
    if kind == "search" and not varying:
        return "Choose above what varies, and the plan is here."
    return ""
