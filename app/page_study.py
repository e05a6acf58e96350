"""The form of a study as the Sweeps page shows it: short first, all else folded away."""

from collections.abc import Sequence
from typing import Any

import streamlit as st
from page_settings import default, setting_widget
from page_shared import say_unknown

from xlite.config import MOST_FOLDS, TrainConfig, choices_of
from xlite.messages import field_title
from xlite.models.available import model_files
from xlite.runs import form
from xlite.sweeps import space
from xlite.sweeps.crossfit import FOLDS
from xlite.sweeps.kinds import KINDS, lacking, plan_of
from xlite.sweeps.phases import BACKBONES
from xlite.sweeps.plan import Design, Kind, Plan, Range
from xlite.sweeps.sweep import Sweep

BOUND: Any = "query-params"
COMMON = ["image_size", "batch_size"]
_OWN = ("data", "name", "split", "teacher", "epochs", "fold", "backbone")
"""Settings that the form of a study asks for elsewhere, or not at all."""


def take_kind() -> None:
    """Has the name and the seeds follow the kind of study, unless somebody has named it."""
    if (kind := st.session_state["kind"]) is not None:
        st.session_state["seeds"] = KINDS[kind].seeds
        if st.session_state.get("planned") in KINDS:
            st.session_state["planned"] = kind


def choose_kind() -> Kind | None:
    """The kind of study that is planned."""
    return st.segmented_control(
        "Kind",
        list(KINDS),
        default="phase1",
        format_func=lambda kind: KINDS[kind].title,
        label_visibility="collapsed",
        key="kind",
        bind=BOUND,
        on_change=take_kind,
    )


def choose_plan(kind: Kind, data: str) -> Plan | None:
    """The form of one kind of study; None, with a line on what it waits for, before there is a plan.

    RunError if what was chosen is not a study.
    """
    trials, varying = choose_space() if kind == "search" else (0, {})
    given: dict[str, Any] = {"data": data}
    about = KINDS[kind]
    shares = [4, 3, 1.5, 2] if about.teaches else [5, 0.01, 1.5, 2]
    first, second, third, fourth = st.columns(shares, vertical_alignment="bottom")
    backbones: list[str] = []
    after = ""
    with first:
        if about.follows:
            after = choose_after()
        elif kind == "phase1":
            backbones = choose_values("backbone", BACKBONES, "Students")
        elif "backbone" not in varying:
            given |= choose_one("backbone")
    with second:
        if about.teaches and "teacher" not in varying:
            given |= choose_one("teacher")
    with third:
        if not about.follows and "epochs" not in varying:
            given |= {"epochs": default("epochs")} | choose_one("epochs")
    study = fourth.text_input("Name", kind, key="planned", bind=BOUND)
    folds = choose_folds() if kind == "crossfit" else FOLDS
    with st.expander("All other settings", icon=":material/tune:"):
        left, right, _ = st.columns([2, 1, 3])
        with left:
            given["split"] = setting_widget("split", default("split"))
        seeds = 1 if trials else choose_seeds(kind, right)
        given |= choose_fixed(varying, about.follows)
    given = {name: given[name] for name in TrainConfig.model_fields if name in given}
    if sentence := lacking(kind, given, varying, after):
        st.info(sentence)
        return None
    design = Design(study, seeds, trials, prune=kind == "search", after=after)
    return plan_of(kind, given, design, varying=varying, backbones=backbones, folds=folds)


def choose_one(name: str) -> dict[str, Any]:
    """A setting of all runs as one of a plan; empty if it is at its default, which a plan need not name."""
    value = setting_widget(name, default(name))
    return {} if value == default(name) else {name: value}


def choose_after() -> str:
    """The study that a phase follows; empty for that of the phase before."""
    studies = ["", *(sweep.name for sweep in Sweep.list())]
    say_unknown("after", studies, "study")
    return st.selectbox(
        "After", studies, format_func=lambda name: name or "the phase before", key="after", bind=BOUND
    )


def choose_seeds(kind: Kind, place: Any) -> int:
    """With how many seeds each configuration is trained."""
    return int(place.number_input("Seeds", 1, value=KINDS[kind].seeds, key="seeds", bind=BOUND))


def choose_folds() -> int:
    """How many runs leave a fold out."""
    left, _ = st.columns([1, 4])
    return int(left.number_input("Folds", 2, MOST_FOLDS, FOLDS, key="folds", bind=BOUND))


def choose_fixed(varying: dict[str, Any], follows: bool) -> dict[str, Any]:
    """The settings that every trial shares; a phase that follows another takes over what is not given."""
    names = [name for name in TrainConfig.model_fields if name not in (*_OWN, *varying)]
    chosen = st.multiselect(
        "Settings that stay fixed",
        names,
        default=[] if follows else [name for name in COMMON if name in names],
        format_func=field_title,
        help="All others are at their defaults, or as in the study that this one follows.",
        key="fixes",
        bind=BOUND,
    )
    fixed = {}
    for place, name in enumerate(chosen):
        if place % 3 == 0:
            columns = st.columns(3)
        with columns[place % 3]:
            fixed[name] = setting_widget(name, default(name))
            st.caption(form.help_sentence(name))
    return fixed


def choose_space() -> tuple[int, dict[str, Any]]:
    """How many configurations a search picks (0: it tries all), and what varies over what."""
    left, right = st.columns([5, 1.5], vertical_alignment="bottom")
    names = left.multiselect(
        "What varies",
        space.can_vary(),
        default=["lr"],
        format_func=field_title,
        placeholder="Choose settings",
        key="varies",
        bind=BOUND,
    )
    help = "So many are picked by Optuna's TPE; 0 tries all combinations."
    trials = int(right.number_input("Trials", 0, value=20, help=help, key="trials", bind=BOUND))
    return trials, {name: choose_range(name, is_grid=not trials) for name in names}


def choose_range(name: str, is_grid: bool) -> Any:
    """What a setting varies over: a range of a number that TPE picks from, else a list of values."""
    if is_grid or not space.is_number(name):
        return choose_values(name, space.usual_values(name), field_title(name))
    usual = space.usual_range(name)
    title, first, second, third = st.columns([2, 2, 2, 2], vertical_alignment="bottom")
    title.markdown(f"**{field_title(name)}**  \n:gray[{form.help_sentence(name)}]")
    step: Any = 1 if isinstance(usual.low, int) else (usual.low or usual.high / 10)
    shown: Any = {"step": step, "bind": BOUND} | ({} if isinstance(step, int) else {"format": "%g"})
    low = first.number_input("From", value=usual.low, key=f"{name}_low", **shown)
    high = second.number_input("To", value=usual.high, key=f"{name}_high", **shown)
    log = third.toggle("Logarithmic", usual.log, key=f"{name}_log", bind=BOUND)
    return Range(low=low, high=high, log=log)


def choose_values(name: str, values: Sequence[Any], title: str) -> list[Any]:
    """Some values of a setting: of a few words or on and off those, else any that somebody types."""
    key = f"{name}_values"
    if choices := choices_of(name):
        return st.multiselect(title, choices, default=choices, format_func=form.choice, key=key, bind=BOUND)
    if space.is_switch(name):
        on_off = {"On": True, "Off": False}
        chosen = st.multiselect(title, list(on_off), default=list(on_off), key=key, bind=BOUND)
        return [on_off[one] for one in chosen]
    texts = [f"{value:g}" if isinstance(value, float) else str(value) for value in values]
    offered = list(model_files()) if name == "teacher" else form.SUGGESTIONS.get(name, texts)
    options = list(dict.fromkeys([*filter(None, texts), *offered]))
    first = texts if len(texts) > 1 else options[:2]
    more: dict[str, Any] = {"key": key, "bind": BOUND, "help": "Choose some, or type others."}
    return st.multiselect(title, options, default=first, accept_new_options=True, **more)
