import os
from pathlib import Path

import pandas as pd
import plotly.graph_objects as go
import streamlit as st
from page_parts import QUIET_BAR, being_drawn, offer_phantom

from xlite.data.eda import captions, filters, screen_figures
from xlite.data.eda.filters import Filter
from xlite.data.eda.overview import Overview, overview
from xlite.data.eda.statistics import Facts
from xlite.data.eda.thumbnails import thumbnail
from xlite.data.folder import Changes, NihFolder, changes
from xlite.errors import DataError, ImageError
from xlite.findings import FINDINGS, NO_FINDING, spoken
from xlite.messages import literal, page_sentence
from xlite.runs.default_data import default_data
from xlite.text import counted

A_PAGE = 12
AGES = (0, 100)
ALL = "all films"


@st.cache_resource(max_entries=2, show_spinner="Reading the table")
def open_folder(root: str, changed: Changes) -> tuple[NihFolder, dict[str, list[str]], pd.DataFrame]:
    """The folder, the parts of its lists and splits, its boxes; `changed` renews the cache. Never mutated."""
    folder = NihFolder.open(root)
    return folder, filters.parts_of(folder), folder.boxes()


@st.cache_data(max_entries=64, show_spinner="Counting")
def describe(root: str, changed: Changes, wanted: Filter) -> Overview:
    """The statistics of the films that the filter lets through."""
    folder, parts, _ = open_folder(root, changed)
    return overview(filters.matching(folder.table, wanted, parts))


@st.cache_data(max_entries=1200, show_spinner=False)
def cached_thumbnail(path: str, changed: float, boxes: pd.DataFrame) -> bytes:
    """A film as JPEG with its boxes."""
    return thumbnail(Path(path), boxes)


def offer_data() -> None:
    """What to do if no data folder is named."""
    st.info("No data folder is named. Give one in the NIH layout in the sidebar, or draw synthetic films:")
    st.code(
        "xlite data phantom data/phantom --images 600 --patients 200 --size 512 --seed 42", language="bash"
    )
    offer_phantom()


def ask_filter(table: pd.DataFrame, parts: dict[str, list[str]]) -> Filter:
    """The row of filters."""
    with st.container(border=True):
        left, middle, right = st.columns([3, 3, 2], gap="medium")
        findings = left.multiselect(
            "Films that have", [NO_FINDING, *FINDINGS], format_func=spoken, placeholder="anything", key="has"
        )
        ages = middle.slider("Age in years", *AGES, AGES, key="ages")
        part = right.selectbox("Part", [ALL, *parts], key="part")
        with st.container(horizontal=True, gap="medium"):
            views = choose_among("View", table["view"], "views")
            sexes = choose_among("Sex", table["sex"], "sexes")
    return Filter(
        views=tuple(views),
        sexes=tuple(sexes),
        ages=None if ages == AGES else ages,
        findings=tuple(findings),
        part="" if part == ALL else part,
    )


def choose_among(label: str, column: pd.Series, key: str) -> list[str]:
    """Any of the values that a column of the table has."""
    values = sorted(column.unique())
    return st.pills(label, values, selection_mode="multi", format_func=literal, key=key)


def show_headline(facts: Facts) -> None:
    """Films, patients, and the shares that matter."""
    with st.container(horizontal=True):
        for label, value in captions.headline(facts).items():
            st.metric(label, value, border=True, width=170)


def clickable(figure: go.Figure, key: str) -> tuple[str, ...]:
    """Shows a figure; the findings of the bar or cell that a person clicked, each once."""
    event = st.plotly_chart(figure, key=key, on_select="rerun", selection_mode="points", config=QUIET_BAR)
    points = event["selection"]["points"]
    if not points:
        return ()
    data = points[0]["customdata"]
    return (data,) if isinstance(data, str) else tuple(dict.fromkeys(data))


def show_findings(data: Overview) -> tuple[str, ...]:
    """Films per finding; returns the findings that were clicked."""
    left, right = st.columns([3, 2], gap="large")
    with left:
        st.caption("Films per finding. Click a bar to see its films below.")
        clicked = clickable(screen_figures.findings(data.finding_counts), "bars")
    with right:
        st.caption("Findings per film")
        figure = screen_figures.tally_bars(data.findings_per_film, "findings", "films")
        st.plotly_chart(figure, key="amounts", config=QUIET_BAR)
    return clicked


def show_cooccurrence(data: Overview) -> tuple[str, ...]:
    """The co-occurrence matrix; returns the findings that were clicked."""
    enough = data.lift.notna().any(axis=None)
    by = st.segmented_control(
        "Colour by",
        ["lift", "films"],
        default="lift" if enough else "films",
        required=True,
        key="by",
        label_visibility="collapsed",
    )
    st.caption(captions.cooccurrence_caption(by))
    return clickable(screen_figures.cooccurrence(data.cooccurrence, data.lift, by), f"cells-{by}")


def show_people(data: Overview) -> None:
    """Ages by sex, prevalence by view, sex and age."""
    left, right = st.columns(2, gap="large")
    with left:
        st.caption("Age and sex")
        st.plotly_chart(screen_figures.ages(data.ages), key="ages-by-sex", config=QUIET_BAR)
    with right:
        st.caption("Prevalence by view: if the two are far apart, a model may learn the view instead")
        st.plotly_chart(screen_figures.views(data.by_view), key="by-view", config=QUIET_BAR)
    with st.expander("Prevalence by view, sex and age band"):
        st.dataframe(captions.prevalence_table(data), height="content")


def show_patients(data: Overview) -> None:
    """Films and findings per patient."""
    st.caption(captions.patients_caption(data.facts))
    left, right = st.columns(2, gap="large")
    films = screen_figures.films_per_patient(data.films_per_patient)
    left.plotly_chart(films, key="films-each", config=QUIET_BAR)
    findings = screen_figures.tally_bars(
        data.findings_per_patient, "different findings over all films", "patients"
    )
    right.plotly_chart(findings, key="per-patient", config=QUIET_BAR)


@st.fragment
def show_gallery(
    folder: NihFolder, table: pd.DataFrame, boxes: pd.DataFrame, clicked: tuple[str, ...]
) -> None:
    """The films of a table with the findings that were clicked, a page at a time, with their boxes."""
    st.subheader(captions.gallery_title(clicked))
    found = filters.having(table, clicked)
    if not folder.paths:
        films = counted(len(found), "film")
        st.caption(f"{films} found; this folder holds tables only, so there are no images to show.")
        return
    found = filters.among(found, folder.paths.keys())
    with st.container(horizontal=True, vertical_alignment="bottom"):
        if len(boxes) and st.toggle("Only films with boxes", key="boxed"):
            found = filters.among(found, set(boxes["stem"]))
        pages = filters.page_count(found, A_PAGE)
        number = st.number_input(
            f"Page of {pages:,}", 1, pages, key=f"page-{len(found)}-{clicked}", width=150
        )
        again = " Double-click the chart to see all again." if clicked else ""
        st.caption(f"{counted(len(found), 'film')}.{again}")
    with st.container(horizontal=True):
        for _, film in filters.page(found, number, A_PAGE).iterrows():
            with st.container(width=170, gap="small"):
                show_film(folder, film, boxes[boxes["stem"] == film["stem"]])


def show_film(folder: NihFolder, film: pd.Series, boxes: pd.DataFrame) -> None:
    """One film of the gallery and what the table says of it."""
    path = folder.paths[film["stem"]]
    try:
        st.image(cached_thumbnail(str(path), path.stat().st_mtime, boxes))
    except ImageError as error:
        st.error(page_sentence(error))
    st.caption(captions.film_caption(film))


def show_folder(root: Path) -> None:
    """Everything about one data folder."""
    changed = changes(root)
    folder, parts, boxes = open_folder(str(root), changed)
    st.caption(captions.folder_caption(folder))
    wanted = ask_filter(folder.table, parts)
    table = filters.matching(folder.table, wanted, parts)
    if table.empty:
        st.warning("No film fits. Take a filter away.")
        return
    data = describe(str(root), changed, wanted)
    show_headline(data.facts)
    findings, together, people, patients = st.tabs(["Findings", "Together", "Ages and views", "Patients"])
    with findings:
        clicked = show_findings(data)
    with together:
        clicked = show_cooccurrence(data) or clicked
    with people:
        show_people(data)
    with patients:
        show_patients(data)
    show_gallery(folder, table, boxes, clicked)


st.title("Explore the data")
# What the sidebar names, and nothing else: empty is empty.
chosen = st.session_state["data"] if "data" in st.session_state else default_data()
if not chosen:
    offer_data()
elif not being_drawn(chosen):
    try:
        show_folder(Path(os.path.expanduser(chosen)))
    except (DataError, OSError) as error:
        st.error(page_sentence(error))
