"""A federation on the pages: the form that simulates one, and how its rounds go. Pages import it."""

import shlex
from functools import partial
from pathlib import Path
from typing import Any

import streamlit as st
from page_forecast import (
    concerns_of,
    end_probe,
    films_of,
    show_concerns,
    show_films,
    show_forecast,
    show_refusal,
)
from page_settings import default, setting_widget, settings_in_columns
from page_shared import QUIET_BAR, choose_next, say_unknown

from xlite.errors import XliteError
from xlite.federated import form
from xlite.federated.dealing import Deal, deal_by
from xlite.federated.federation import Federation
from xlite.federated.forecast import simulated, simulation_basis, simulation_facts
from xlite.federated.plan import OPTIONS, make_plan
from xlite.federated.simulation import config_of, lacking_flower, simulate_command, start_simulation
from xlite.messages import headline, literal, page_sentence, said
from xlite.runs.launch import federated_python
from xlite.runs.status import LIVE, facts

ONE_RUN, FEDERATION = "One run", "Simulated federation"
BOUND: Any = "query-params"
DIGITS = {
    **dict.fromkeys(("Validation AUC", "Validation loss", "Training loss"), "%.4f"),
    **dict.fromkeys(("Sent (MB)", "Received (MB)"), "%.2f"),
    "Seconds": "%.1f",
}


def choose_form() -> bool:
    """Whether the form is to plan a federation, and not one run."""
    chosen = st.segmented_control(
        "What to train", [ONE_RUN, FEDERATION], default=ONE_RUN, required=True, key="form", bind=BOUND
    )
    return chosen == FEDERATION


@st.cache_data(max_entries=4, show_spinner="Looking for Flower", ttl=60)
def _lacking(python: str) -> str | None:
    """Why no simulation can run in that Python."""
    return lacking_flower()


def new_simulation(data: str) -> None:
    """The form of a simulation, what matters of it, the command that does the same, and Start."""
    st.caption(
        "Patients of one folder are dealt out to clients, which train one student without sharing films, on "
        "this machine and one after the other: what federated training would reach, before hospitals meet."
    )
    if sentence := _lacking(federated_python()):
        st.info(said(sentence))
        return
    folder = st.empty()
    with folder:
        show_films(data, None)
    try:
        name, values, deal = choose_simulation(data)
        plan = make_plan(values)
        config = config_of(plan, name, values)
        films = films_of(config)
        with folder:
            show_films(data, films)
        concerns = concerns_of(config, films, partial(simulated, plan))
        show_concerns(concerns)
        show_refusal()
        refused = any(one.refuses for one in concerns)
        place, rest = st.columns([1, 4], vertical_alignment="top")
        with rest:
            show_forecast(config, refused, partial(simulation_facts, plan), simulation_basis(plan))
        if place.button(
            "Start the federation",
            type="primary",
            icon=":material/play_arrow:",
            disabled=refused,
            key="start",
        ):
            end_probe()
            with st.spinner("Starting", show_time=True):
                run = start_simulation(name, values, deal)
            choose_next("run", run.name)
            st.rerun(scope="app")
        with st.expander("The same from a terminal", icon=":material/terminal:"):
            words = simulate_command(name or "NAME", values, deal)
            st.code(shlex.join(words), language="bash", wrap_lines=True)
    except (XliteError, OSError) as error:
        st.error(page_sentence(error))


def choose_simulation(data: str) -> tuple[str, dict[str, Any], Deal]:
    """Name, settings and dealing of the simulation that is planned."""
    values: dict[str, Any] = {"data": Path(data)}
    first, second, third = st.columns([2, 3, 3], vertical_alignment="bottom")
    with first:
        values["clients"] = plan_number("clients")
    with second:
        say_unknown("deal", list(form.DEALS.values()), "way to deal out")
    by = second.selectbox("Dealt out", list(form.DEALS), 0, form.DEALS.__getitem__, key="deal", bind=BOUND)
    alpha = Deal.alpha
    if by == "prevalence":
        alpha = third.number_input(
            "Dirichlet number", 0.001, value=alpha, step=0.1, format="%g", key="dirichlet", bind=BOUND
        )
    st.caption(form.ABOUT_DEALS[by])
    values |= choose_rounds()
    left, middle, right = st.columns([3, 2, 2])
    with left:
        values["backbone"] = setting_widget("backbone", default("backbone"))
    with middle:
        values["weights"] = setting_widget("weights", default("weights"))
    with right:
        name = setting_widget("name", default("name"))
    with st.expander("All other settings of the student", icon=":material/tune:"):
        values |= settings_in_columns(form.SETTINGS, {one: default(one) for one in form.SETTINGS})
    return name, values, deal_by(by, alpha)


def choose_rounds() -> dict[str, Any]:
    """How the server makes one student of many, and in how many rounds."""
    values: dict[str, Any] = {}
    first, second, third, fourth = st.columns([2, 2, 1.5, 1.5], vertical_alignment="top")
    with first:
        values["strategy"] = plan_choice("strategy", form.FLOWER_STRATEGIES)
        if number := form.OF_STRATEGY.get(values["strategy"]):
            values[number] = plan_number(number)
    with second:
        values["norms"] = plan_choice("norms", form.NORMS)
    with third:
        values["rounds"] = plan_number("rounds")
    with fourth:
        values["local_epochs"] = plan_number("local_epochs")
    return values


def plan_choice(name: str, words: dict[str, str]) -> str:
    """The widget of a field that has a few values."""
    say_unknown(name, list(words.values()), form.title(name).lower())
    return st.selectbox(
        form.title(name),
        list(words),
        0,
        words.__getitem__,
        key=name,
        bind=BOUND,
        help=form.help_sentence(name),
    )


def plan_number(name: str) -> Any:
    """The widget of a field that is a number; its limits are the plan's to refuse."""
    value = OPTIONS[name].default
    shown: dict[str, Any] = {"step": 1} if isinstance(value, int) else {"step": value / 10, "format": "%g"}
    return st.number_input(
        form.title(name), value=value, key=name, bind=BOUND, help=form.help_sentence(name), **shown
    )


def show_rounds(folder: Path) -> bool:
    """How the rounds of a federation went, as far as it has come; whether there are any."""
    from xlite.federated.charts import figure_told, refusals, round_facts, round_rows, rounds_figure

    found = Federation(folder)
    rounds = found.rounds()
    if not len(rounds):
        return False
    metrics = found.metrics()
    with st.container(horizontal=True, gap="large"):
        for title, text in round_facts(rounds).items():
            st.markdown(f":gray[{title}]  \n**{literal(text)}**", width="content")
    if sentences := refusals(rounds):
        st.warning("  \n".join(map(literal, sentences)), icon=":material/person_off:")
    alt = figure_told(rounds, metrics)
    st.plotly_chart(rounds_figure(rounds, metrics), key="rounds-drawn", config=QUIET_BAR, alt=alt)
    st.caption(
        "After each round every client judges the server's student on its own validation films: a line "
        "each. The thick line is their mean, by how many films they train on."
    )
    with st.expander("Rounds as a table", icon=":material/table_rows:"):
        st.dataframe(
            round_rows(rounds),
            hide_index=True,
            placeholder="–",
            column_config={name: st.column_config.NumberColumn(format=text) for name, text in DIGITS.items()},
            alt="What each client did in each round, the last round first",
        )
    return True


@st.fragment(run_every=2)
def watch_served(name: str) -> None:
    """The server of a federation, read anew from its files every two seconds."""
    try:
        federation = Federation.named(name)
        status = federation.status()
        st.markdown(headline(name, status.state, status.said))
        st.caption("  ·  ".join(f"{title} {literal(text)}" for title, text in facts(status).items()))
        if not show_rounds(federation.folder):
            st.caption("The curves begin after the first round.")
        if status.state in LIVE:
            st.caption("It was started in a terminal, and Ctrl-C ends it there.")
    except (XliteError, OSError) as error:
        st.error(page_sentence(error))
