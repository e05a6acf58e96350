"""The three phases of the design document: students alone, distillation, the winner on all films.

Phases 1 and 2 train on a share of the train part. Phase 2 begins from what phase 1 fixed and the attention
that it chose, phase 3 from the winner of phase 2, or of phase 1 if there is no phase 2. What is given wins.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

from xlite.errors import RunError, Setting
from xlite.places import sweeps_dir
from xlite.sweeps.leaderboard_sentences import verdict
from xlite.sweeps.plan import Design, Plan, make_plan
from xlite.sweeps.sweep import Sweep

Phase = Literal["phase1", "phase2", "phase3"]
BACKBONES = ("efficientnet_b0", "mobilenetv3_small_100")
ATTENTIONS = ("none", "mhsa")
# Of the design document's {2, 4, 6, 8} and {.5, .7, .9}, two each around the defaults, 4 and .7.
TEMPERATURES = (2.0, 6.0)
ALPHAS = (0.5, 0.9)
SHARE = 0.2
SHARE_TEXT = f"{100 * SHARE:g} %"
"""Of the train part, as people read it."""

SEEDS = 3
"""With how many each configuration is trained."""

_DESIGN = Design(seeds=SEEDS)


def plan_phase(
    phase: Phase,
    given: Mapping[str, object],
    design: Design = _DESIGN,
    backbones: Sequence[str] = (),
) -> Plan:
    """The plan of a phase with the settings that were given; the study is called as the phase by default.

    Phases 2 and 3 follow the study that the design names, else the one of the phase before. Raises RunError
    if that has no winner yet, if phase 2 lacks a teacher or phase 1 has one, or if a setting is wrong.
    """
    vary: dict[str, object] = {}
    after = design.after
    if phase == "phase1":
        if given.get("teacher"):
            alone = "phase 1 trains the students alone, so it takes no "
            raise RunError(alone, Setting("teacher"), ": phase 2 distils")
        if after:
            raise RunError("phase 1 is the first, so it comes after no other study")
        fixed = {"train_share": SHARE, **given}
        vary = {"backbone": list(backbones or BACKBONES), "attention": list(ATTENTIONS)}
    elif phase == "phase2":
        after, fixed, vary = _phase2(given, backbones, after)
    else:
        after = after or _last_study()
        _, winner = _winner(after)
        fixed = {**winner, "train_share": 1.0, **given}
        if backbones:
            raise RunError(
                "phase 3 trains the one winner, so it takes no list of backbones: ",
                Setting("backbone"),
                " gives it another",
            )
    return make_plan(phase, fixed, vary, replace(design, study=design.study or phase, after=after))


def _phase2(
    given: Mapping[str, object], backbones: Sequence[str], after: str
) -> tuple[str, dict[str, object], dict[str, object]]:
    """(study that it follows, what is fixed, what varies) of phase 2."""
    if not given.get("teacher"):
        raise RunError("phase 2 distils, so it needs a teacher: give ", Setting("teacher"))
    fixed: dict[str, Any] = {"train_share": SHARE, **given}
    tried: Sequence[str] = BACKBONES
    if after or "attention" not in given:
        after = after or "phase1"
        plan, winner = _winner(after)
        fixed = {**plan.fixed, "attention": winner["attention"], **given}
        compared = plan.vary.get("backbone")
        tried = list(map(str, compared)) if isinstance(compared, list) else [winner["backbone"]]
        if backbones and "backbone" not in given:
            fixed.pop("backbone", None)
    vary = {"backbone": list(backbones or tried), "temperature": list(TEMPERATURES), "alpha": list(ALPHAS)}
    return after, fixed, vary


def waits_for(phase: Phase, after: str = "") -> tuple[str, ...]:
    """Why a phase cannot begin yet, if the study that it follows has no winner: the words of a sentence."""
    if phase == "phase1":
        return ()
    try:
        _winner(after or ("phase1" if phase == "phase2" else _last_study()))
    except RunError as error:
        return error.words
    return ()


def _last_study() -> str:
    """The study that phase 3 follows if none is named."""
    return "phase2" if (sweeps_dir() / "phase2" / Sweep.settings_file).is_file() else "phase1"


def _winner(study: str) -> tuple[Plan, dict[str, Any]]:
    """A study's plan, and the settings of its winner without the seed; RunError if there is none yet."""
    sweep = Sweep.named(study)
    status, leaderboard = sweep.status(), sweep.leaderboard()
    if status.state == "finished" and leaderboard and leaderboard.winner is None:
        raise RunError(f"study {study!r} has no winner in this home. {verdict(leaderboard)}")
    if status.state != "finished" or leaderboard is None or leaderboard.winner is None:
        raise RunError(
            f"study {study!r} has no winner yet ({status.count('finished')} of {status.total} trials have "
            f"finished, it is {status.state}): go on with `xlite sweep resume {study}`"
        )
    plan = sweep.plan()
    values = leaderboard.rows[leaderboard.winner].values
    defaults = plan.config(values | {"seed": 0})
    chosen = {name: getattr(defaults, name) for name in ("backbone", "attention")}
    return plan, {**plan.fixed, **chosen, **values}
