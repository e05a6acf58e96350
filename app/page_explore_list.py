"""The films that the Explore page's filter lets through: in order, as pictures or rows, and to take along."""

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import streamlit as st
from page_explore_film import open_film, show_picture, show_rows
from page_explore_filters import fit
from page_shared import done, go_to

from xlite.config import SEED
from xlite.data.eda import captions, export, ranking
from xlite.data.eda.coded import CodedFilms
from xlite.data.eda.filters import Selection
from xlite.data.eda.ranking import BY_MODEL, DOUBT, ORDERS, ModelProbabilities
from xlite.data.folder import NihFolder
from xlite.data.random_split import SHARES
from xlite.data.split_files import write_split
from xlite.data.splits import split_of_films
from xlite.errors import DataError, RunError
from xlite.findings import FINDINGS, spoken
from xlite.labelling.labelling import Labelling
from xlite.messages import literal, page_sentence
from xlite.paging import page, page_count
from xlite.public import is_public, refuse_in_public
from xlite.text import counted

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

A_PAGE, A_PAGE_OF_ROWS = 12, 50
MIME = "text/csv"


def ask_order(
    films: CodedFilms, rows: np.ndarray, judged: Mapping[str, ModelProbabilities], bar: "DeltaGenerator"
) -> np.ndarray:
    """The fields that order the films, in the bar above them, and their rows in that order."""
    with bar:
        fit("order", list(ORDERS), ORDERS)
        order = st.selectbox(
            "Order", list(ORDERS), format_func=ORDERS.__getitem__, key="order", bind="query-params", width=240
        )
        by_model = order in BY_MODEL
        if by_model and judged:
            models = list(judged)
            if (other := st.session_state.get("model", models[0])) not in models:
                st.caption(f"{literal(other)} has not judged these films.")
            fit("model", models, {name: name for name in models})
            model = st.selectbox("Model", models, key="model", bind="query-params", width=220)
            if order == "probability":
                st.selectbox(
                    "Finding", FINDINGS, format_func=spoken, key="finding", bind="query-params", width=200
                )
    if order == DOUBT:
        if films.doubted and films.doubted.fault:
            st.warning(page_sentence(films.doubted.fault))
        else:
            st.caption(captions.doubts_sentence(films, rows))
    if not by_model:
        return ranking.ordered(rows, ranking.values(films, rows, order, None, ""), order)
    if not judged:
        st.info(captions.not_judged([]))
        return rows
    st.caption(captions.order_sentence(order, judged[model], rows, films))
    finding = st.session_state.get("finding", FINDINGS[0])
    return ranking.ordered(rows, ranking.values(films, rows, order, judged[model], finding), order)


def show_list(
    folder: NihFolder,
    films: CodedFilms,
    boxes: pd.DataFrame,
    selection: Selection,
    judged: Mapping[str, ModelProbabilities],
) -> None:
    """The films chosen, or their patients, and what can be taken along."""
    rows = selection.rows()
    st.subheader("Films")
    bar = st.container(horizontal=True, vertical_alignment="bottom")
    kinds = ["films", "patients"]
    fit("rows", kinds, {name: name.capitalize() for name in kinds})
    kind = bar.segmented_control(
        "List",
        kinds,
        format_func=str.capitalize,
        default=kinds[0],
        required=True,
        key="rows",
        bind="query-params",
    )
    if kind == "patients":
        _show_patients(films, rows, bar)
    else:
        _show_films(folder, films, boxes, ask_order(films, rows, judged, bar), judged, selection, bar)
    _offer_files(folder, films, rows, selection)


def _page_number(count: int, size: int, key: str, bar: "DeltaGenerator") -> int:
    pages = page_count(count, size)
    return int(bar.number_input(f"Page (of {pages:,})", 1, pages, key=key, width=150))


def _show_patients(films: CodedFilms, rows: np.ndarray, bar: "DeltaGenerator") -> None:
    table = export.patients_table(films, rows)
    number = _page_number(len(table), A_PAGE_OF_ROWS, f"patients-{len(table)}", bar)
    shown = table.iloc[page(number, A_PAGE_OF_ROWS)]
    st.dataframe(shown, hide_index=True, height=600 if len(shown) > 15 else "content", alt="Patients chosen")


def _show_films(
    folder: NihFolder,
    films: CodedFilms,
    boxes: pd.DataFrame,
    rows: np.ndarray,
    judged: Mapping[str, ModelProbabilities],
    selection: Selection,
    bar: "DeltaGenerator",
) -> None:
    """A page of films: pictures if the folder has images, rows that open them if not."""
    state = st.session_state
    order, finding = state.get("order", "table"), state.get("finding", FINDINGS[0])
    one = judged.get(state.get("model", "")) if order in BY_MODEL else None
    pictures = bool(folder.paths)
    if pictures:
        there = rows[folder.have_files(films.table["stem"].iloc[rows].tolist())]
        if lacking := len(rows) - len(there):
            st.caption(f"{counted(lacking, 'film')} of these have no image here.")
        rows = there
    else:
        st.caption("This folder holds tables only, so there are rows and no pictures. A row opens its film.")
    size = A_PAGE if pictures else A_PAGE_OF_ROWS
    key = f"page-{hash((selection.wanted, order, finding, len(rows)))}"
    number = _page_number(len(rows), size, key, bar)
    shown = rows[page(number, size)]
    said = captions.said_of_films(films, shown, one, order, finding)
    if not pictures:
        table = export.rows_table(films, shown)
        if said:
            table.insert(2, one.model if one else "In doubt", said)
        show_rows(table, f"films-{number}", "Films chosen")
        return
    with st.grid(min_column_width=160) as grid:
        for place, row in enumerate(shown):
            film = films.table.iloc[row]
            with grid.cell():
                show_picture(folder, film, boxes[boxes["stem"] == film["stem"]])
                st.caption(captions.film_caption(film, films.labelled))
                if said and said[place]:
                    st.caption(said[place])
                stem = film["stem"]
                st.button("Open", key=f"open-{stem}", help=f"Open {stem}", on_click=open_film, args=(stem,))


def _offer_files(folder: NihFolder, films: CodedFilms, rows: np.ndarray, selection: Selection) -> None:
    """The films chosen as a CSV, as a list and as a split, once somebody looks."""
    box = st.expander("Take these films along", key="take-along", on_change="rerun")
    if not box.open:
        return
    with box:
        st.caption(counted(len(rows), "film"))
        with st.container(horizontal=True):
            st.download_button(
                "Table (CSV)", lambda: export.as_csv(films, rows), "films.csv", MIME, on_click="ignore"
            )
            st.download_button(
                "List of names", lambda: export.as_list(films, rows), "films.txt", on_click="ignore"
            )
        if is_public():
            return
        if len(folder.parts) > 1:
            st.caption(
                "Labellings and splits are of one folder: to label these films, or to keep a split of them, "
                "name that folder alone in the sidebar."
            )
            return
        _offer_labelling(folder, films.table["stem"].iloc[rows].tolist())
        if not os.access(folder.root, os.W_OK):
            st.caption("A split of them cannot be kept: this folder cannot be written to.")
            return
        train, val, test = (round(100 * share) for share in SHARES)
        st.caption(
            f"As a split: these films alone, {train} % train, {val} % val and {test} % test by patient, seed "
            f"{SEED}, in the folder's `splits/`. Patients stay whole, so nothing leaks."
        )
        with st.container(horizontal=True, vertical_alignment="bottom"):
            name = st.text_input("Name of the split", key="split-name", placeholder="letters and digits")
            if st.button("Keep as a split", disabled=not name):
                _keep_split(folder, name, films.table["stem"].iloc[rows].tolist())


def _offer_labelling(folder: NihFolder, stems: list[str]) -> None:
    """These films to people who label them, on the Label page."""
    st.caption("To label: readers go through these films, in the order of the table, on the Label page.")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.text_input("Name of the labelling", key="labelling-name", placeholder="letters and digits")
        begins = st.button("Label these", disabled=not name)
    if begins and done(lambda: Labelling.create(name, folder.root, stems)):
        go_to("label", f"Open {literal(name)}", ":material/edit_note:", labelling=name)


def _keep_split(folder: NihFolder, name: str, stems: list[str]) -> None:
    try:
        refuse_in_public("keep splits")
        split = split_of_films(folder, name, stems)
        write_split(folder, split)
    except (DataError, RunError, OSError) as error:
        st.error(page_sentence(error))
        return
    st.success(captions.split_sentence(split.sizes(folder), name))
