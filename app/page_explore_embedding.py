"""The embedding of Explore: films laid out by a model's features, made in its own process, with a lasso."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st
from page_explore_charts import show_charts
from page_explore_filters import fit
from page_shared import QUIET_BAR, done, say_unknown

from xlite.data.eda import charts
from xlite.data.eda.coded import CodedFilms
from xlite.data.eda.embedded import Embedded, region_of
from xlite.data.eda.embedding_figure import (
    BY_FINDING,
    SHADES,
    embedding_alt,
    embedding_caption,
    embedding_figure,
)
from xlite.data.eda.filters import Selection
from xlite.data.folder import Changes, NihFolder
from xlite.errors import DataError
from xlite.evaluation.embedding import MOST, Embedding
from xlite.findings import FINDINGS, spoken
from xlite.messages import literal, page_sentence, said
from xlite.models.available import model_files
from xlite.public import is_public
from xlite.runs.embedding_run import EmbeddingRun
from xlite.runs.status import LIVE
from xlite.text import counted

EMBEDDING = "Embedding"
KEYS = ("clusters", "region")
BAR = {**QUIET_BAR, "displayModeBar": True, "displaylogo": False, "scrollZoom": True}


@dataclass(frozen=True, eq=False)
class Placed:
    """The films of a folder, in the embedding if it is made; the run that makes it, if there is a model."""

    films: CodedFilms
    run: EmbeddingRun | None = None
    model: str = ""


@st.cache_resource(max_entries=8, show_spinner="Looking for the embedding")
def _cached_run(model: str, saved: int, root: str, changed: Changes, _folder: NihFolder) -> EmbeddingRun:
    """The run of a model file and a data folder; newer files have another."""
    return EmbeddingRun.of(Path(model), _folder)


@st.cache_resource(max_entries=4, show_spinner="Reading the embedding")
def _cached_embedding(
    path: str, made: int, model: str, root: str, changed: Changes, _films: CodedFilms
) -> Embedded:
    """Where the films of a table lie; shared by all visitors, never mutated. Raises DataError."""
    found = Embedding.read(Path(path))
    stems = _films.table["stem"].tolist()
    return Embedded.place(model, stems, found.stems, found.points, found.clusters, found.probs, found.films)


def _asked(key: str) -> Any:
    """What the session or the address says of a key, before its widget is drawn."""
    return st.session_state.get(key) or st.query_params.get(key)


def place_films(films: CodedFilms, folder: NihFolder, changed: Changes) -> Placed:
    """The films with their embedding, if the open tab or the filter asks for it and it is made."""
    models = model_files()
    wanted = any(map(_asked, KEYS))
    if not models or not (wanted or _asked("charts") == EMBEDDING):
        return Placed(films)
    name = _asked("features")
    name = name if name in models else next(iter(models))
    saved = models[name].stat().st_mtime_ns
    run = _cached_run(str(models[name]), saved, str(folder.root), changed, folder)
    points = run.points
    if not points.is_file():
        if wanted:
            st.warning(said(f"A part of the embedding by {name} is asked for, and this folder has none yet."))
        return Placed(films, run, name)
    made = points.stat().st_mtime_ns
    try:
        embedded = _cached_embedding(str(points), made, name, str(folder.root), changed, films)
    except DataError as error:  # whose sentence names a folder of this machine
        st.error("The embedding of these films is damaged." if is_public() else page_sentence(error))
        return Placed(films, run, name)
    return Placed(replace(films, embedded=embedded), run, name)


def show_embedding(placed: Placed, selection: Selection, choose: Callable[[str, Any], None]) -> None:
    """The embedding with its colours and its lasso, and its clusters as bars; or the way to make it."""
    models = list(model_files())
    if placed.run is None:
        st.info(
            "There is no model yet. Train one on the Train page; films are laid out by what it sees in them."
        )
        return
    say_unknown("features", models, "model")
    if placed.films.embedded is not None:
        fit("shade", list(SHADES), SHADES)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        if st.session_state.get("features") not in (None, *models):
            del st.session_state["features"]
        st.selectbox("By the features of", models, key="features", bind="query-params", width=220)
        shade, finding = _ask_shade(placed)
    embedded = placed.films.embedded
    if embedded is None:
        _offer_embedding(placed.run, placed.model)
        return
    parts = _parts(placed.films) if shade == "part" else {}
    figure = embedding_figure(selection, embedded, shade, finding, parts)
    key = (
        f"embedding-{abs(hash((selection.wanted.region, placed.model)))}"  # a new one has no lasso of its own
    )
    st.plotly_chart(
        figure,
        key=key,
        config=BAR,
        on_select=lambda: _take_region(key),
        selection_mode=("lasso", "box"),
        alt=embedding_alt(selection, embedded, shade),
    )
    st.caption(embedding_caption(embedded))
    if shade == "part":
        of = literal(placed.films.lists[next(iter(parts))]) if parts else "no split"
        st.caption(f"Parts of {of}.")
    show_charts([charts.clusters(selection)], "marks-embedding", choose)


def _ask_shade(placed: Placed) -> tuple[str, str]:
    """What the embedding is coloured by, and the finding if it is by one."""
    if placed.films.embedded is None:
        return "label", FINDINGS[0]
    shade = st.selectbox(
        "Coloured by",
        list(SHADES),
        format_func=SHADES.__getitem__,
        key="shade",
        bind="query-params",
        width=260,
    )
    finding = FINDINGS[0]
    if shade in BY_FINDING:
        if st.session_state.get("finding") not in (None, *FINDINGS):
            del st.session_state["finding"]
        finding = st.selectbox(
            "Finding", FINDINGS, format_func=spoken, key="finding", bind="query-params", width=200
        )
    return shade, finding or FINDINGS[0]


def _parts(films: CodedFilms) -> dict[str, np.ndarray]:
    """The parts of the folder's first list or split."""
    first = next(iter(films.lists.values()), None)
    return {name: mask for name, mask in films.parts.items() if films.lists[name] == first}


def _take_region(key: str) -> None:
    """Makes what was drawn in the embedding a part of the filter."""
    drawn = st.session_state[key]["selection"]
    for shape in (*drawn["lasso"], *drawn["box"]):
        xs, ys = shape["x"], shape["y"]
        if len(xs) == 2:  # a box has two corners
            xs, ys = [xs[0], xs[1], xs[1], xs[0]], [ys[0], ys[0], ys[1], ys[1]]
        st.session_state["region"] = region_of(xs, ys)


def _offer_embedding(run: EmbeddingRun, model: str) -> None:
    """How far the embedding is, or the button that makes it; strangers only see those that are there."""
    status = run.status()
    if status.state in LIVE:
        _show_progress(run)
        return
    if is_public():
        st.info(said(f"There is no embedding of these films by {model}."))
        return
    if status.state in ("failed", "killed") and status.message:
        st.error(said(f"The embedding was not made: {status.message}"))
    st.write(
        said(
            f"There is no embedding of these films by {model} yet. It is made once, in a process of its own: "
            f"{counted(MOST, 'film')} at most are read, of more so many are drawn at random."
        )
    )
    st.button(
        "Make the embedding", type="primary", icon=":material/scatter_plot:", on_click=_do, args=(run.start,)
    )


def _do(act: Callable[[], None]) -> None:
    """What a button does; a sentence if that cannot be done, or for strangers."""
    done(act)


@st.fragment(run_every=1.0)
def _show_progress(run: EmbeddingRun) -> None:
    """How far it is; draws the whole page anew when it has ended."""
    status = run.status()
    if status.state not in LIVE:
        st.rerun(scope="app")
    if status.films and status.done < status.films:
        st.progress(status.done / status.films, f"Reading film {status.done:,} of {status.films:,}")
    else:
        st.progress(1.0 if status.films else 0.0, "Laying out the embedding" if status.films else "Starting")
    if not is_public():
        st.button("Stop", key="stop-embedding", on_click=_do, args=(run.stop,))
