from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st
from page_runs import watch
from page_shared import QUIET_BAR, choose_named, choose_next, say_unknown, table_height

from xlite.errors import XliteError
from xlite.evaluation.report import Comparison
from xlite.messages import literal, page_sentence
from xlite.paging import page, page_count
from xlite.places import checkpoints_dir
from xlite.public import is_public
from xlite.runs.charts import CURVES, MOST_RUNS, overlaid, pareto_figure
from xlite.runs.groups import GROUPS, difference_rows, differing, group_rows, grouped, in_groups
from xlite.runs.listing import Listing, RunFacts, names_of
from xlite.runs.paired import compare_runs
from xlite.runs.pareto import COSTS, judged_on, plot_of, unknown_sentence
from xlite.runs.results import to_csv
from xlite.runs.rows import A_PAGE, experiment_rows, of_words
from xlite.runs.status import LIVE
from xlite.runs.table import (
    COLUMNS,
    FORMATS,
    OLD_COLUMNS,
    SHOWN,
    Wanted,
    after_ticks,
    choices,
    table_csv,
    table_rows,
    told_columns,
)
from xlite.text import counted

if TYPE_CHECKING:
    from xlite.data.folder import NihFolder

FILTER_TITLES = {
    "states": "State",
    "backbones": "Backbone",
    "teachers": "Teacher",
    "splits": "Split",
    "tags": "Tag",
}


@st.cache_resource
def listing(folder: Path) -> Listing:
    """What all visitors share of the runs in a home: files are read anew only if they have changed."""
    return Listing(folder)


def known_runs() -> list[RunFacts]:
    """All runs, newest first."""
    return listing(checkpoints_dir()).runs()[0]


def several(label: str, options: Sequence[str], key: str, default: Sequence[str] | None = None) -> list[str]:
    """A choice of several that the address has; what is chosen stays an option while it is."""
    kept = [one for one in st.session_state.get(key, []) if one not in options]
    return st.multiselect(label, [*options, *kept], default=default, key=key, bind="query-params")


def controls(runs: Sequence[RunFacts]) -> tuple[Wanted, str | None, list[str]]:
    """Which runs to show, by what to group them, and in which columns."""
    say_unknown("group", list(GROUPS), "group")
    say_unknown("columns", [*COLUMNS, *OLD_COLUMNS], "column")
    for key in FILTER_TITLES:
        say_unknown(key, choices(runs, key), FILTER_TITLES[key].lower())
    search, group, narrow, columns = st.columns([5, 3, 2, 2], vertical_alignment="bottom")
    text = search.text_input(
        "Search",
        key="search",
        bind="query-params",
        placeholder="words of name, tags, note, settings; seed=3",
        help="Runs that have all the words. A setting is found by its value, or as NAME=VALUE: lr=0.001.",
    )
    by = group.selectbox(
        "Group by", list(GROUPS), index=None, placeholder="nothing", key="group", bind="query-params"
    )
    with narrow.popover("Filter", icon=":material/filter_list:", width="stretch"):
        chosen = [
            (key, tuple(several(title, choices(runs, key), key))) for key, title in FILTER_TITLES.items()
        ]
    with columns.popover("Columns", icon=":material/view_column:", width="stretch"):
        shown = ask_columns()
    return Wanted(text or "", tuple(chosen)), by, shown


def ask_columns() -> list[str]:
    """The columns of the table; an address with a column's old name gets the new one."""
    if "columns" in st.session_state:
        held = st.session_state["columns"]
        st.session_state["columns"] = list(dict.fromkeys(OLD_COLUMNS.get(one, one) for one in held))
    old = [one for one in st.query_params.get_all("columns") if one in OLD_COLUMNS]
    shown = several("Column", [*COLUMNS, *old], "columns", SHOWN)
    if set(shown) & set(old):  # seeded by the address, which only the next run may correct
        st.rerun()
    return shown


def compared_names() -> list[str]:
    """The runs that are laid over each other, also before the choice of them is drawn."""
    kept: list[str] = st.session_state.get("compare", st.query_params.get_all("compare"))
    return kept


@st.fragment(run_every=5)
def runs_table(wanted: Wanted, by: str | None, columns: list[str]) -> None:
    """The runs that are wanted, renewed while one looks; rows that are ticked are laid over each other."""
    if st.session_state.pop("runs-ticked", False):
        st.rerun(scope="app")
    runs, damaged = listing(checkpoints_dir()).runs()
    for error in damaged:
        st.warning(page_sentence(error), icon=":material/warning:")
    if not runs:
        st.caption(
            "No run yet." if is_public() else "No run yet: start one on the Train page, or by `xlite train`."
        )
        return
    shown = wanted.of(runs)
    if not shown:
        st.info("No run fits: take words out of the search, or filters away.")
        return
    titles, shown = in_groups(shown, by)
    rows = table_rows(shown, told_columns(shown) if columns == list(SHOWN) else columns)
    if by:
        rows = [{"Run": row["Run"], "Group": title, **row} for row, title in zip(rows, titles, strict=True)]
    names = tuple(names_of(shown))
    chosen = compared_names()
    ticked = [place for place, name in enumerate(names) if name in chosen]
    key = table_key(names, ticked)
    st.dataframe(
        rows,
        hide_index=True,
        placeholder="–",
        column_config={name: st.column_config.NumberColumn(format=text) for name, text in FORMATS.items()},
        on_select=lambda: tick(names, key),
        selection_mode="multi-row",
        selection_default={"selection": {"rows": ticked, "columns": [], "cells": []}},
        key=key,
        alt="Table of runs with their states, validation and test AUC, and settings",
    )
    hidden = len(runs) - len(names)
    st.caption(
        f"{counted(len(names), 'run')}{f', {hidden:,} hidden' if hidden else ''}. Tick rows to lay their "
        "curves over each other; the one ticked last is open below. AUCs are means over all findings that "
        "have one on the films. No test AUC stands here if what a run learned from knows test films."
    )


def table_key(names: tuple[str, ...], ticked: list[int]) -> str:
    """The table's key: another one if its rows, or what is ticked, changed in any other way than by a tick.

    What is ticked is known to the browser by its row, which would then be another run.
    """
    drawn = (names, tuple(names[place] for place in ticked))
    version, before = st.session_state.get("runs-drawn", (0, None))
    if before is not None and (before[0] != names or set(before[1]) != set(drawn[1])):
        version += 1
    st.session_state["runs-drawn"] = (version, drawn)
    return f"runs-{version}"


def tick(names: tuple[str, ...], key: str) -> None:
    """Takes over which rows are ticked; runs that are not in the table stay chosen."""
    before = compared_names()
    chosen, new = after_ticks(names, st.session_state[key]["selection"]["rows"], before)
    st.session_state["compare"] = chosen[-MOST_RUNS:]
    if new:
        choose_next("run", new[-1])
    version, _ = st.session_state["runs-drawn"]
    st.session_state["runs-drawn"] = (version, (names, tuple(name for name in chosen if name in names)))
    st.session_state["runs-ticked"] = True


def show_groups(runs: Sequence[RunFacts], by: str) -> None:
    """What the runs of each group reach: mean and standard deviation of those that have finished."""
    groups = grouped(runs, by)
    table = group_rows(groups)
    if table:
        with st.container(key="groups"):
            st.table(table, border="horizontal", height=table_height(len(table), 45))
    st.caption(
        "Mean ± standard deviation of the runs that have finished; a single one has no spread. Test AUC only "
        "of runs judged on the same films; struck through if what one of them learned from knows test films."
    )


@st.cache_data(max_entries=64, show_spinner="Comparing on the same films")
def compared(
    _first: RunFacts, _second: RunFacts, _folder: "NihFolder | None", key: tuple[object, ...]
) -> Comparison:
    """The paired test of two runs; `key`, of runs, their reports and the data folder, renews the cache."""
    return compare_runs(_first, _second, _folder)


def show_pair(runs: Sequence[RunFacts]) -> None:
    """The paired test of two of the runs, or why there is none."""
    from page_results import folder_of_labels  # with pandas, which the table of runs does without

    from xlite.report.sentences import comparison_sentence

    named = {one.name: one for one in runs}
    left, right = st.columns(2)
    first = left.selectbox("Compare", list(named), key="pair-first")
    second = right.selectbox("with", [name for name in named if name != first], key="pair-second")
    a, b = named[first], named[second]
    try:
        folder, changed = folder_of_labels(*(one.run.evaluation("test") for one in (a, b)))
        found = compared(a, b, folder, (a.run.folder, b.run.folder, a.judged, b.judged, changed))
        text = comparison_sentence(found, (f"**{literal(first)}**", literal(second)))
        st.info(f"{text}.", icon=":material/balance:")
    except (XliteError, OSError) as error:
        st.warning(page_sentence(error), icon=":material/warning:")


def together(chosen: Sequence[RunFacts]) -> None:
    """Curves of the chosen runs over each other, what differs in their settings, a test of two."""
    found = listing(checkpoints_dir())
    epochs = {}
    for one in chosen:
        try:
            table = found.epochs(one.run)
            if len(table):
                epochs[one.name] = table
        except (XliteError, OSError) as error:
            st.warning(page_sentence(error), icon=":material/warning:")
    if untrained := [one.name for one in chosen if one.name not in epochs]:
        st.caption(f"No epoch to draw yet: {literal(', '.join(untrained))}.")
    if epochs:
        weight = st.slider(
            "Smoothing",
            0.0,
            0.95,
            0.0,
            0.05,
            key="smooth",
            bind="query-params",
            help="Weight of the past in an exponential moving average, bias corrected; the raw curves stay.",
        )
        panels = zip(st.columns(2) + st.columns(2)[:1], CURVES, strict=True)
        for column, kind in panels:
            figure = overlaid(epochs, kind, weight)
            told = f"{CURVES[kind].capitalize()} by epoch of {', '.join(epochs)}"
            column.plotly_chart(figure, key=f"overlaid-{kind}", config=QUIET_BAR, alt=told)
    if len(chosen) < 2:
        return
    if rows := difference_rows(names_of(chosen), differing(chosen)):
        st.markdown("**Settings that differ**")
        with st.container(key="differences"):
            st.table(rows, border="horizontal")
    else:
        st.caption("No setting differs between them but the name.")
    show_pair(chosen)


def show_together(runs: Sequence[RunFacts]) -> None:
    """The choice of runs to lay over each other, and these."""
    named = {one.name: one for one in runs}
    say_unknown("compare", named, "run")
    if not runs:
        return
    st.subheader("Runs beside each other")
    if gone := [name for name in st.session_state.get("compare", []) if name not in named]:
        st.session_state["compare"] = [name for name in st.session_state["compare"] if name in named]
        st.warning(f"Renamed or deleted: {literal(', '.join(gone))}.", icon=":material/warning:")
    chosen = st.multiselect(
        "Runs",
        list(named),
        key="compare",
        bind="query-params",
        max_selections=MOST_RUNS,
        placeholder="tick rows of the table, or choose here",
    )
    beside = [named[name] for name in chosen]
    if beside:
        live = any(one.status.state in LIVE for one in beside)
        st.fragment(run_every=10 if live else None)(together)(beside)


@st.fragment
def show_pareto(runs: Sequence[RunFacts]) -> None:
    """Test AUC against what models cost, of the runs that were judged on the same films."""
    groups = judged_on(runs)
    if not groups:
        st.caption("No run here has been judged on a test part yet: runs are judged when they finish.")
        return
    left, right = st.columns([3, 2], vertical_alignment="bottom")
    films = left.selectbox("Judged on", list(groups), help="Only runs judged on the same films compare.")
    cost = right.segmented_control("against", COSTS, default=COSTS[0], required=True)
    plot = plot_of(groups[films], cost, listing(checkpoints_dir()))
    if plot.points:
        told = f"Test AUC against {cost} of {counted(len(plot.points), 'run')}"
        figure = pareto_figure(plot, cost, films)
        st.plotly_chart(figure, key="pareto", config=QUIET_BAR, alt=told)
        named = ", ".join(point.run for point in plot.front) or "none"
        bars = ""
        if any(point.auc.low is not None for point in plot.points):
            bars = "Bars are 95 % intervals: if they overlap, a run may be there by chance. "
        st.caption(
            f"On the front: {literal(named)}. {bars}Latency was measured when a run ended, on the machine "
            "that trained it."
        )
    if sentence := unknown_sentence(plot, cost):
        st.caption(literal(sentence))


def experiments_table(search: str) -> None:
    """experiments/results.csv, a row a finished experiment, the newest first and some at a time."""
    try:
        experiments, damage = listing(checkpoints_dir()).experiments()
    except XliteError as error:
        st.error(page_sentence(error))
        return
    if damage:
        st.warning(page_sentence(damage), icon=":material/warning:")
    if not experiments:
        st.caption("Finished runs are logged here (`experiments/results.csv`).")
        return
    wanted = of_words(experiments, search)[::-1]
    pages, number = page_count(len(wanted), A_PAGE), 1
    if pages > 1:
        number = st.number_input(f"Page, 1 to {pages}", 1, pages, width=160)
    if not wanted:
        st.caption("No experiment has all the words of the search.")
        return
    # Not a data frame: that strikes nothing through, and cuts the notes off.
    table = experiment_rows(wanted[page(number, A_PAGE)])
    with st.container(key="experiments"):
        st.table(table, border="horizontal", height=table_height(len(table), 70))
    st.caption(
        f"{len(wanted):,} of {counted(len(experiments), 'experiment')}, newest first. "
        "Struck through: the teacher knows test films; “Known test films” says how many it was trained or "
        "chosen on. "
        "The notes name the split of a row. Metrics on different splits cannot be ranked against each other. "
        "The CSV has more columns: attention, training loss, size and time."
    )
    st.download_button(
        "Download CSV",
        lambda: to_csv(experiments),
        "results.csv",
        "text/csv",
        icon=":material/download:",
        on_click="ignore",
    )


st.title("Runs")
st.caption(
    "Runs are compared on the Results page."
    if is_public()
    else "The same as `xlite jobs`. Runs start on the Train page and are compared on the Results page."
)
runs = known_runs()
wanted, by, columns = controls(runs) if runs else (Wanted(), None, [*SHOWN])
runs_table(wanted, by, columns)
shown = wanted.of(runs)
if shown:
    st.download_button(
        "Download the table as CSV",
        lambda: table_csv(table_rows(shown, columns)),
        "runs.csv",
        "text/csv",
        icon=":material/download:",
        on_click="ignore",
    )
    if by:
        show_groups(shown, by)
show_together(runs)
if runs:
    st.subheader("One run")
if name := choose_named("Run", names_of(runs), "run"):
    live = any(one.name == name and one.status.state in LIVE for one in runs)
    st.fragment(run_every=2 if live else 10)(watch)(name, live, choices(runs, "tags"))
# With keys: by their places alone they would change places with what is drawn above, and lose the focus.
if shown:
    with st.container(key="costs"):
        st.subheader("AUC against size and latency")
        show_pareto(shown)
with st.container(key="finished"):
    st.subheader("Finished experiments")
    experiments_table(wanted.search)
