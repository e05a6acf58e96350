"""One film of the Explore page: large, with its boxes, its patient's other films, what models say of it."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
import streamlit as st
from film_viewer import show_viewer
from page_shared import go_to
from page_steps import show_steps
from page_thumbnails import cached_film, cached_thumbnail

from xlite.data.eda import captions, history
from xlite.data.eda.coded import CodedFilms
from xlite.data.eda.ranking import ModelProbabilities
from xlite.data.folder import NihFolder
from xlite.errors import ImageError
from xlite.messages import literal, page_sentence
from xlite.public import is_public
from xlite.serving.viewer_data import film_boxes
from xlite.text import counted

SMALL = 400
NEIGHBOURS = 5


def open_film(stem: str) -> None:
    """From now on that film is shown; none if it is empty."""
    st.session_state["film"] = stem


def show_picture(folder: NihFolder, film: pd.Series, boxes: pd.DataFrame) -> None:
    """A small film with its boxes, or the sentence on why it cannot be shown."""
    path = folder.paths.get(film["stem"])
    if path is None:
        return
    try:
        picture = cached_thumbnail(str(path), path.stat().st_mtime, boxes, SMALL)
        st.image(picture, alt=captions.film_alt(film, len(boxes), folder.labelled))
    except (ImageError, OSError) as error:
        st.error(page_sentence(error))


def show_large(folder: NihFolder, film: pd.Series, boxes: pd.DataFrame) -> None:
    """A film in the viewer with its boxes, or the sentence on why it cannot be shown."""
    path = folder.paths[film["stem"]]
    try:
        picture = cached_film(str(path), path.stat().st_mtime)
    except (ImageError, OSError) as error:
        st.error(page_sentence(error))
        return
    marks = film_boxes(boxes, film["stem"], picture.shape)
    show_viewer(picture, name=film["stem"], key="film-viewer", boxes=marks)


def show_film(
    folder: NihFolder,
    films: CodedFilms,
    boxes: pd.DataFrame,
    row: int,
    rows: np.ndarray,
    judged: Mapping[str, ModelProbabilities],
) -> None:
    """Everything about the film at a row; `rows` are those of the films chosen, in order."""
    film = films.table.iloc[row]
    st.subheader(literal(film["stem"]))
    _steps(folder, films, row, rows)
    mine = boxes[boxes["stem"] == film["stem"]]
    left, right = st.columns([3, 2], gap="large")
    with left:
        if film["stem"] in folder.paths:
            show_large(folder, film, mine)
        else:
            st.info("This folder has no image of this film.")
    with right:
        st.markdown(captions.film_caption(film, films.labelled))
        for line in captions.film_facts(films, row, mine):
            st.markdown(line)
        _show_probabilities(films, row, judged)
    _show_timeline(folder, films, boxes, row)


def _steps(folder: NihFolder, films: CodedFilms, row: int, rows: np.ndarray) -> None:
    """Back, to the neighbours in the order chosen, and to the page that reads films."""
    stems = films.table["stem"]
    at = np.flatnonzero(rows == row)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button("All films", icon=":material/arrow_back:", on_click=open_film, args=("",), key="close")
        if len(at):
            place = int(at[0])
            before = stems.iloc[rows[place - 1]] if place else ""
            after = stems.iloc[rows[place + 1]] if place + 1 < len(rows) else ""
            show_steps(before, after, open_film, f"{place + 1:,} of {counted(len(rows), 'chosen film')}")
        if stems.iloc[row] in folder.paths and not is_public():
            go_to("classify", "Read this film", ":material/radiology:", film=stems.iloc[row])


def _show_probabilities(films: CodedFilms, row: int, judged: Mapping[str, ModelProbabilities]) -> None:
    """What the saved evaluations say of the film, beside its labels."""
    table = captions.probabilities_table(films, row, judged)
    if table is None:
        st.caption(captions.not_judged(list(judged), one=True))
        return
    st.dataframe(
        table,
        hide_index=True,
        height="content",
        alt="The film's labels and each model's probabilities",
        column_config={
            name: st.column_config.ProgressColumn(name, format="percent", min_value=0, max_value=1)
            for name in table.columns[2:]
        },
    )


def _show_timeline(folder: NihFolder, films: CodedFilms, boxes: pd.DataFrame, row: int) -> None:
    """All films of the patient in the order they were taken, each of which opens."""
    rows = history.patient_rows(films, row)
    st.subheader(f"Patient {literal(films.table['patient'].iloc[row])}")
    st.caption(f"{counted(len(rows), 'film')} in the table, the earliest first. A row opens its film.")
    shown = history.around(rows, row, NEIGHBOURS)
    if folder.paths and len(rows) > 1:
        with st.container(horizontal=True):
            for one in shown:
                film = films.table.iloc[one]
                with st.container(width=150, gap="small"):
                    show_picture(folder, film, boxes[boxes["stem"] == film["stem"]])
                    st.button(
                        f"Follow-up {film['follow_up']}",
                        key=f"open-{film['stem']}",
                        disabled=bool(one == row),
                        on_click=open_film,
                        args=(film["stem"],),
                    )
    show_rows(
        history.timeline(films, rows), f"timeline-{films.table['patient'].iloc[row]}", "Films of the patient"
    )
    _show_duplicates(folder, films, row, rows)


def _show_duplicates(folder: NihFolder, films: CodedFilms, row: int, rows: np.ndarray) -> None:
    """Near duplicates among the patient's films, looked for when asked."""
    stems = [stem for stem in films.table["stem"].iloc[rows] if stem in folder.paths]
    stem = films.table["stem"].iloc[row]
    if len(stems) < 2 or stem not in stems:
        return
    if st.toggle("Look for near duplicates among these films", key="duplicates"):
        try:
            with st.spinner("Comparing"):
                found = history.near_duplicates({one: folder.paths[one] for one in stems}, stem)
            st.markdown(captions.duplicates_sentence(found))
        except (ImageError, OSError) as error:
            st.error(page_sentence(error))


def show_rows(table: pd.DataFrame, key: str, alt: str) -> None:
    """Films as a table whose rows open them; the column Film has their names."""
    names = table["Film"].tolist()

    def opened() -> None:
        if chosen := st.session_state[key]["selection"]["rows"]:
            open_film(names[chosen[0]])

    st.dataframe(
        table,
        hide_index=True,
        height="content" if len(table) <= 25 else 600,
        key=key,
        on_select=opened,
        selection_mode="single-row",
        alt=alt,
    )
