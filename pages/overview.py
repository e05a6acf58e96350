import os
from pathlib import Path

import streamlit as st

from xlite.data.folder import Changes, changes
from xlite.errors import XliteError
from xlite.messages import as_code, page_sentence, said
from xlite.models.available import model_files
from xlite.report.overview import Headline, auc_of, data_headline, device_headline, model_headline
from xlite.report.saved import saved_evaluations
from xlite.runs.rows import run_rows
from xlite.runs.run import Run

HERE = Path(__file__).parent
COLUMNS = ("Run", "State", "Epoch", "Best val AUC")
NEXT = [
    ("classify", "Read a film", "Upload one, or take a synthetic one, and see its findings with maps."),
    ("explore", "Explore the data", "Counts, co-occurrence, ages, views, films with their boxes."),
    ("train", "Train a student", "Alone or from a teacher; stop and resume whenever you like."),
    ("results", "Compare results", "ROC curves and AUC with intervals, split by split."),
]


@st.cache_data(max_entries=8, ttl=600, show_spinner=False)
def cached_data_headline(path: Path, changed: Changes) -> Headline:
    """What is in a data folder; `changed` renews the cache."""
    return data_headline(path)


def card(label: str, found: Headline) -> None:
    """What a card of the overview looks like."""
    st.markdown(f":gray[{label}]  \n**{found.value}**")
    st.caption(found.detail)


def data_card() -> None:
    """The data folder and what is in it."""
    data = st.session_state.get("data", "")
    if not data:
        make = "Name a folder in the sidebar, or make one: `xlite data phantom data/phantom`"
        card("Data", Headline("None chosen", make))
        return
    try:
        path = Path(os.path.expanduser(data))
        found = cached_data_headline(path, changes(path))
        card("Data", Headline(found.value, f"{found.detail}  \n{as_code(data)}"))
    except (XliteError, OSError) as error:
        st.error(page_sentence(error))


def model_card(path: Path | None) -> None:
    """The model on duty and what it is."""
    if path is None:
        card("Model on duty", Headline("None yet", "Train one; it appears here after its first epoch."))
        return
    try:
        card("Model on duty", model_headline(path))
    except XliteError as error:
        st.error(page_sentence(error))


def auc_card(model: str | None) -> None:
    """The macro AUC of the model on duty on its test part."""
    evaluations, damaged = saved_evaluations()
    for sentence in damaged:
        st.warning(said(sentence), icon=":material/warning:")
    card("Test macro AUC", auc_of(model, evaluations))


def latest_runs() -> None:
    """The last runs and where they stand."""
    st.subheader("Latest runs")
    runs = Run.list()[:5]
    if not runs:
        st.caption("No run yet.")
        return
    rows = [{name: row[name] for name in COLUMNS} for row in run_rows(runs)]
    column = st.column_config.NumberColumn(format="%.3f")
    st.dataframe(rows, hide_index=True, placeholder="–", column_config={"Best val AUC": column})


def what_next() -> None:
    """The ways on from here."""
    st.subheader("What next")
    for page, label, text in NEXT:
        main = page == "classify"
        if st.button(label, key=f"go-{page}", width="stretch", type="primary" if main else "secondary"):
            st.switch_page(str(HERE / f"{page}.py"))
        st.caption(text)


st.title("X-Lite")
st.markdown(
    "Light models that read chest films: distilled from large ones, judged with intervals, explained by maps."
)
cards = [column.container(border=True, height="stretch") for row in range(2) for column in st.columns(2)]
left, right = st.columns([3, 2], gap="large")
with right:
    what_next()
with left:
    latest_runs()
models = model_files()
on_duty = next(iter(models), None)
with cards[1]:
    auc_card(on_duty)
with cards[2]:
    data_card()
# The two that need torch come last: the page is readable while it loads.
with cards[0], st.spinner("Looking at the model"):
    model_card(models.get(on_duty) if on_duty else None)
with cards[3], st.spinner("Looking for a GPU"):
    card("Device", device_headline())
