from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st
from page_explore_charts import show_charts
from page_explore_embedding import EMBEDDING, Placed, place_films, show_embedding
from page_explore_film import show_film
from page_explore_filters import ask_filter, change, current, fit, show_chips
from page_explore_import import show_import
from page_explore_list import ask_order, show_list
from page_explore_splits import show_editions, show_leakage, show_weights
from page_shared import being_drawn, data_folder, offer_phantom, say_unknown

from xlite.data.eda import captions, charts, filters
from xlite.data.eda.coded import CodedFilms
from xlite.data.eda.doubted import Doubted
from xlite.data.eda.filters import Filter, Selection
from xlite.data.eda.ranking import ORDERS, ModelProbabilities, shows_models
from xlite.data.film_names import stem_of
from xlite.data.folder import Changes, NihFolder, changes
from xlite.data.joined import doubtful_patients, open_data
from xlite.errors import DataError, RunError
from xlite.messages import literal, page_sentence, said
from xlite.public import is_public

LEAKAGE, WEIGHTS, EDITIONS = "Leakage", "Class weights", "Editions"
TABS = [*charts.TABS, EMBEDDING, LEAKAGE, WEIGHTS, EDITIONS]


@dataclass(frozen=True, eq=False)
class Opened:
    """A data folder, its films as numbers, and its boxes. Shared by all visitors, never mutated."""

    folder: NihFolder
    films: CodedFilms
    boxes: pd.DataFrame


@st.cache_resource(max_entries=2, show_spinner="Reading the table")
def open_folder(root: str, changed: Changes) -> Opened:
    """What a folder holds; `changed` renews the cache."""
    folder = open_data(root)
    boxes = folder.boxes()
    parts, doubted = filters.parts_of(folder), Doubted.of(folder)
    return Opened(folder, CodedFilms.code(folder.table, boxes, parts, doubted), boxes)


@st.cache_resource(max_entries=2, show_spinner="Reading what models said")
def cached_judged(
    root: str, changed: Changes, found: list[tuple[str, Path, int]]
) -> tuple[dict[str, ModelProbabilities], list[str]]:
    """What saved evaluations say of the folder's films; they and the folder renew the cache."""
    from xlite.report.film_probabilities import probabilities_by_model

    return probabilities_by_model(open_folder(root, changed).folder, found)


def judged_if_asked(root: str, changed: Changes, film: str) -> Mapping[str, ModelProbabilities]:
    """What models said of the films, read when an order or an open film asks for it."""
    keys = {words: key for key, words in ORDERS.items()}  # an address has the words
    if not shows_models(st.session_state.get("order", keys.get(st.query_params.get("order", ""))), film):
        return {}
    from xlite.report.film_probabilities import prediction_files

    judged, damaged = cached_judged(root, changed, prediction_files())
    for sentence in damaged:
        st.warning(literal(sentence))
    return judged


def offer_data() -> None:
    """What to do if no data folder is named."""
    if is_public():
        st.info("No data folder is named.")
        return
    st.info("No data folder is named. Give one in the NIH layout in the sidebar, or draw synthetic films:")
    st.code(
        "xlite data phantom data/phantom --images 600 --patients 200 --size 512 --seed 42", language="bash"
    )
    offer_phantom()


def show_headline(selection: Selection) -> None:
    """Films, patients, and the shares that matter."""
    with st.container(horizontal=True):
        for label, value in captions.headline(selection.films.facts(selection.keep)).items():
            st.metric(label, value, border=True, width=170)
    if unknown := captions.unknown_sentence(selection.films, selection.keep):
        st.caption(unknown)


def choose(field: str, value: Any) -> None:
    """What a click on a chart does: it asks for what the mark stands for, or takes it away."""
    change(filters.clicked(current(), field, value))


def show_tabs(opened: Opened, placed: Placed, selection: Selection, changed: Changes) -> None:
    """The charts of the open tab, each of which is a filter; the others are not computed."""

    fit("charts", TABS, {name: name for name in TABS})
    tabs = st.tabs(TABS, key="charts", bind="query-params", on_change="rerun")
    for name, tab in zip(TABS, tabs, strict=True):
        if not tab.open:
            continue
        with tab:
            if name == EMBEDDING:
                show_embedding(placed, selection, choose)
            elif name == LEAKAGE:
                show_leakage(opened.folder, opened.films, changed)
            elif name == WEIGHTS:
                show_weights(opened.films, selection)
            elif name == EDITIONS:
                show_editions(opened.folder, changed)
            else:
                shown = [chart for draw in charts.TABS[name] if (chart := draw(selection)).rows]
                if name == "Together":
                    shown = [charts.cooccurrence(selection, ask_colour(selection))]
                show_charts(shown, f"marks-{name}", choose)
                show_more(name, selection)


def ask_colour(selection: Selection) -> str:
    """By what the chart of findings together is coloured, and what that means."""
    by = st.segmented_control(
        "Colour by",
        ["lift", "films"],
        default="lift",
        required=True,
        key="by",
        bind="query-params",
        label_visibility="collapsed",
    )
    st.caption(captions.cooccurrence_caption(by))
    return str(by)


def show_more(name: str, selection: Selection) -> None:
    """What stands below the charts of a tab."""
    films, keep = selection.films, selection.keep
    if name == "Patients":
        st.caption(captions.patients_caption(films.facts(keep)))
    if name == "Ages and views":
        with st.expander("Prevalence by view, sex and age band"):
            groups = (films.views, films.sexes, films.age_groups(), films.folders)
            table = captions.prevalence_table([films.prevalence(keep, one) for one in groups if one])
            st.dataframe(table, height="content", alt="Prevalence by view, sex and age band")


def show_folder(root: Path) -> None:
    """Everything about one data folder."""
    changed = changes(root)
    opened = open_folder(str(root), changed)
    st.caption(captions.folder_caption(opened.folder, is_public()))
    if sentence := doubtful_patients(opened.folder):
        st.warning(said(sentence), icon=":material/warning:")
    placed = place_films(opened.films, opened.folder, changed)
    wanted: Filter = ask_filter(placed.films)
    selection = Selection(placed.films, wanted)
    film = stem_of(st.session_state.get("film") or "")
    row = opened.films.row_of(film) if film else None
    if film and row is None:
        st.info(f"This folder has no film {literal(film)}.")
    judged = judged_if_asked(str(root), changed, film if row is not None else "")
    show_chips(selection)
    if row is not None:
        bar = st.container(horizontal=True, vertical_alignment="bottom")
        rows = ask_order(opened.films, selection.rows(), judged, bar)
        show_film(opened.folder, opened.films, opened.boxes, row, rows, judged)
        return
    if not selection.keep.any():
        st.warning("No film fits. Take a filter away.")
        return
    show_headline(selection)
    show_tabs(opened, placed, selection, changed)
    show_list(opened.folder, opened.films, opened.boxes, selection, judged)


st.title("Explore the data")
try:
    folder = data_folder()
    if folder is None:
        say_unknown("film", (), "film")
        offer_data()
    elif not being_drawn(str(folder)):
        show_folder(folder)
except (DataError, RunError, OSError) as error:
    st.error(page_sentence(error))
# With a key: by its place alone it would change places with the charts, and these lose the focus.
with st.container(key="import"):
    show_import()
