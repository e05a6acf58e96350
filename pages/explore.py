import os
from pathlib import Path

import pandas as pd
import streamlit as st

from xlite.config import home
from xlite.data.eda import browse
from xlite.data.eda import screen_figures as figures
from xlite.data.eda import statistics as summary
from xlite.data.folder import NihFolder
from xlite.errors import DataError, ImageError
from xlite.findings import FINDINGS, NO_FINDING, spoken
from xlite.messages import page_sentence
from xlite.runs.default_data import default_data
from xlite.text import counted

PHANTOM = {"images": 40, "patients": 16, "size": 256, "seed": 42}
A_PAGE = 12
AGES = (0, 100)
QUIET_BAR = {"displayModeBar": False}
ALL = "all films"


@st.cache_resource(max_entries=2, show_spinner="Reading the table")
def open_folder(root: str, changed: float) -> tuple[NihFolder, dict[str, list[str]], pd.DataFrame]:
    """The folder, the parts of its lists and splits, its boxes; `changed` renews the cache. Never mutated."""
    folder = NihFolder.open(root)
    return folder, browse.parts_of(folder), folder.boxes()


@st.cache_data(max_entries=64, show_spinner="Counting")
def summarise(root: str, changed: float, wanted: browse.Filter) -> dict:
    """The figures of the films that the filter lets through."""
    folder, parts, _ = open_folder(root, changed)
    return browse.summarise(browse.matching(folder.table, wanted, parts))


@st.cache_data(max_entries=1200, show_spinner=False)
def thumbnail(path: str, changed: float, boxes: pd.DataFrame) -> bytes:
    """A film as JPEG with its boxes."""
    return browse.thumbnail(Path(path), boxes)


def draw_phantom() -> None:
    """Writes a small phantom folder and makes it the app's data folder."""
    from xlite.data.phantom import write_phantom

    out = home() / "data" / "phantom"
    bar = st.progress(0.0, "Drawing films")
    try:
        # One process: a second one would start by running the page.
        write_phantom(out, **PHANTOM, progress=lambda done, films: bar.progress(done / films), processes=1)
        st.session_state["data"] = str(out)
    except (DataError, OSError) as error:
        st.error(page_sentence(error))


def offer_data() -> None:
    """What to do where no data folder is named."""
    st.info("No data folder is named. Give one in the NIH layout in the sidebar, or draw synthetic films:")
    st.code(
        "xlite data phantom data/phantom --images 600 --patients 200 --size 512 --seed 42", language="bash"
    )
    label = f"Draw a small phantom folder ({PHANTOM['images']} films)"
    st.button(label, on_click=draw_phantom, type="primary", icon=":material/draw:")


def ask_filter(folder: NihFolder, parts: dict[str, list[str]]) -> browse.Filter:
    """The row of filters."""
    table = folder.table
    with st.container(border=True):
        left, middle, right = st.columns([3, 3, 2], gap="medium")
        findings = left.multiselect(
            "Films that have", [NO_FINDING, *FINDINGS], format_func=spoken, placeholder="anything", key="has"
        )
        ages = middle.slider("Age in years", *AGES, AGES, key="ages")
        part = right.selectbox("Part", [ALL, *parts], key="part")
        with st.container(horizontal=True, gap="medium"):
            views = st.pills("View", sorted(table["view"].unique()), selection_mode="multi", key="views")
            sexes = st.pills("Sex", sorted(table["sex"].unique()), selection_mode="multi", key="sexes")
    return browse.Filter(
        views=tuple(views),
        sexes=tuple(sexes),
        ages=None if ages == AGES else ages,
        findings=tuple(findings),
        part="" if part == ALL else part,
    )


def show_metrics(facts: dict) -> None:
    """Films, patients, and the shares that matter."""
    films = facts["films"]
    with st.container(horizontal=True):
        st.metric("Films", f"{films:,}", border=True, width=170)
        st.metric("Patients", f"{facts['patients']:,}", border=True, width=170)
        st.metric("Without finding", f"{1 - facts['with_finding'] / films:.1%}", border=True, width=170)
        st.metric("Several findings", f"{facts['several_findings'] / films:.1%}", border=True, width=170)


def picked(event: dict) -> tuple[str, ...]:
    """The findings of the bar or cell that a person clicked, each once."""
    points = event["selection"]["points"]
    if not points:
        return ()
    data = points[0]["customdata"]
    return (data,) if isinstance(data, str) else tuple(dict.fromkeys(data))


def show_findings(data: dict) -> tuple[str, ...]:
    """Films per finding; returns what was clicked."""
    left, right = st.columns([3, 2], gap="large")
    with left:
        st.caption("Films per finding. Click a bar to see its films below.")
        event = st.plotly_chart(
            figures.findings(data["counts"]),
            key="bars",
            on_select="rerun",
            selection_mode="points",
            config=QUIET_BAR,
        )
    with right:
        st.caption("Findings per film")
        st.plotly_chart(
            figures.amounts(data["per_film"], "findings", "films"), key="amounts", config=QUIET_BAR
        )
    return picked(event)


def show_together(data: dict) -> tuple[str, ...]:
    """The co-occurrence matrix; returns what was clicked."""
    known = data["lift"].notna().any(axis=None)
    by = st.segmented_control(
        "Colour by",
        ["lift", "films"],
        default="lift" if known else "films",
        required=True,
        key="by",
        label_visibility="collapsed",
    )
    st.caption(
        "How many times more often than by chance two findings meet; empty where chance alone would give "
        f"fewer than {summary.LEAST_EXPECTED} films. Click a cell to see its films below."
        if by == "lift"
        else "Films that have both findings. Click a cell to see them below."
    )
    figure = figures.together(data["together"], data["lift"], by)
    event = st.plotly_chart(
        figure, key=f"cells-{by}", on_select="rerun", selection_mode="points", config=QUIET_BAR
    )
    return picked(event)


def show_people(data: dict) -> None:
    """Ages by sex, prevalence by view, sex and age."""
    left, right = st.columns(2, gap="large")
    with left:
        st.caption("Age and sex")
        st.plotly_chart(figures.ages(data["ages"]), key="ages-by-sex", config=QUIET_BAR)
    with right:
        st.caption("Prevalence by view: where the two are far apart, a model may learn the view instead")
        st.plotly_chart(figures.views(data["by_view"]), key="by-view", config=QUIET_BAR)
    groups = pd.concat([data["by_view"], data["by_sex"], data["by_age"]]).rename(columns=spoken).T
    films = groups.loc[["Films"]].map("{:,.0f}".format)
    shares = groups.drop("Films").map("{:.2%}".format)
    with st.expander("Prevalence by view, sex and age band"):
        st.dataframe(pd.concat([films, shares]), height="content")


def show_patients(data: dict) -> None:
    """Films and findings per patient."""
    facts = data["facts"]
    theirs = facts["films_of_patients_with_several"] / facts["films"]
    st.caption(
        f"{facts['patients_with_several']:,} patients have more than one film, one of them "
        f"{facts['most_films']:,}; {theirs:.1%} of the films are theirs. So a split must go by patient."
    )
    left, right = st.columns(2, gap="large")
    left.plotly_chart(figures.films_each(data["films_each"]), key="films-each", config=QUIET_BAR)
    right.plotly_chart(
        figures.amounts(data["per_patient"], "different findings over all films", "patients"),
        key="per-patient",
        config=QUIET_BAR,
    )


@st.fragment
def show_gallery(
    folder: NihFolder, table: pd.DataFrame, boxes: pd.DataFrame, clicked: tuple[str, ...]
) -> None:
    """The films of a table that have what was clicked, a page at a time, with their boxes."""
    st.subheader("Films" if not clicked else f"Films with {' and '.join(map(spoken, clicked)).lower()}")
    found = browse.having(table, clicked)
    if not folder.paths:
        st.caption(
            f"{counted(len(found), 'film')} found; this folder holds tables only, so there are no images to "
            "show."
        )
        return
    found = found[found["stem"].isin(folder.paths.keys())]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        if len(boxes) and st.toggle("Only films with boxes", key="boxed"):
            found = found[found["stem"].isin(boxes["stem"])]
        pages = max(-(-len(found) // A_PAGE), 1)
        number = st.number_input(
            f"Page of {pages:,}", 1, pages, key=f"page-{len(found)}-{clicked}", width=150
        )
        again = " Double-click the chart to see all again." if clicked else ""
        st.caption(f"{counted(len(found), 'film')}.{again}")
    with st.container(horizontal=True):
        for _, film in found.iloc[(number - 1) * A_PAGE : number * A_PAGE].iterrows():
            with st.container(width=170, gap="small"):
                show_film(folder, film, boxes[boxes["stem"] == film["stem"]])


def show_film(folder: NihFolder, film: pd.Series, boxes: pd.DataFrame) -> None:
    """One film of the gallery and what the table says of it."""
    path = folder.paths[film["stem"]]
    try:
        st.image(thumbnail(str(path), path.stat().st_mtime, boxes))
    except ImageError as error:
        st.error(page_sentence(error))
    age = "age unknown" if pd.isna(film["age"]) else f"{film['age']:.0f} y"
    st.caption(f"**{browse.film_labels(film)}**  \n{film['view']}, {film['sex']}, {age}  \n{film['stem']}")


def show_folder(root: Path) -> None:
    """Everything about one data folder."""
    changed = browse.stamp(root)
    folder, parts, boxes = open_folder(str(root), changed)
    st.caption(f"`{root}`, {folder.label_version} labels, {counted(len(folder.table), 'film')} in the table")
    wanted = ask_filter(folder, parts)
    table = browse.matching(folder.table, wanted, parts)
    if table.empty:
        st.warning("No film fits. Take a filter away.")
        return
    data = summarise(str(root), changed, wanted)
    show_metrics(data["facts"])
    findings, together, people, patients = st.tabs(["Findings", "Together", "Ages and views", "Patients"])
    with findings:
        clicked = show_findings(data)
    with together:
        clicked = show_together(data) or clicked
    with people:
        show_people(data)
    with patients:
        show_patients(data)
    show_gallery(folder, table, boxes, clicked)


st.title("Explore the data")
found = browse.find_folders(home())
chosen = st.session_state.get("data") or default_data() or (str(found[0]) if found else "")
if chosen:
    try:
        show_folder(Path(os.path.expanduser(chosen)))
    except (DataError, OSError) as error:
        st.error(page_sentence(error))
else:
    offer_data()
