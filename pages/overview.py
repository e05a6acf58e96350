from pathlib import Path

import streamlit as st

from xlite.catalog import format_interval, judged_on_test, model_files
from xlite.errors import XliteError
from xlite.training.run import Run

HERE = Path(__file__).parent
NEXT = [
    ("classify", "Read a film", "Upload a chest film, or take a synthetic one, and see findings with maps."),
    ("explore", "Explore the data", "Counts, co-occurrence, ages, views, and films with their boxes."),
    ("train", "Train a student", "Alone or from a teacher; stop and resume whenever you like."),
    ("results", "Compare results", "ROC curves and AUC with intervals, split by split."),
]


@st.cache_data(max_entries=8, ttl=600, show_spinner=False)
def folder_line(path: str, changed: float) -> tuple[str, str]:
    """Films, and patients with edition of the labels, of a data folder; `changed` renews the cache."""
    from xlite.data.nih import NihFolder

    folder = NihFolder.open(path)
    missing = len(folder.missing())
    films = f"{len(folder.table) - missing:,} films"
    lack = f", {missing:,} in the table only" if missing else ""
    return films, f"{folder.table['patient'].nunique():,} patients, {folder.label_version} labels{lack}"


def data_card() -> None:
    """The data folder and what is in it."""
    st.markdown(":gray[Data]")
    data = st.session_state.get("data", "")
    if not data:
        st.markdown("**None chosen**")
        st.caption("Name a folder in the sidebar, or make one: `xlite data phantom data/phantom`")
        return
    try:
        path = Path(data).expanduser()
        films, rest = folder_line(str(path), path.stat().st_mtime if path.exists() else 0.0)
        st.markdown(f"**{films}**")
        st.caption(f"{rest}  \n`{data}`")
    except XliteError as error:
        st.error(str(error))


def model_card(model: str | None) -> None:
    """The model on duty: what it is and how well it did on films kept apart."""
    from xlite.models.checkpoint import read_info

    if model is None:
        st.markdown(":gray[Model on duty]  \n**None yet**")
        st.caption("Train one; it appears here after its first epoch.")
        return
    try:
        path = model_files()[model]
        info = read_info(path)
    except XliteError as error:
        st.error(str(error))
        return
    st.markdown(f":gray[Model on duty]  \n**{model}**")
    attention = "" if info.attention == "none" else f" with {info.attention} attention"
    st.caption(
        f"{info.backbone}{attention}, {path.stat().st_size / 1e6:.1f} MB, {info.preprocess.size} px  \n"
        f"split {info.split_id}, {info.label_version} labels"
    )


def auc_card(model: str | None) -> None:
    """The macro AUC of the model on duty, with its interval and where it was measured."""
    judged = judged_on_test(model) if model else None
    if judged is None:
        st.markdown(":gray[Test macro AUC]  \n**Not measured yet**")
        st.caption("`xlite evaluate` writes it.")
        return
    st.markdown(f":gray[Test macro AUC]  \n**{format_interval(judged.metrics['macro']['auc'])}**")
    st.caption(f"95 % interval over patients  \n{judged.source}")


def device_card() -> None:
    """Where models run here."""
    import os

    import torch

    st.markdown(":gray[Device]")
    if torch.cuda.is_available():
        memory = torch.cuda.get_device_properties(0).total_memory / 2**30
        st.markdown(f"**{torch.cuda.get_device_name(0)}**")
        st.caption(f"{memory:.0f} GiB of memory")
    elif torch.backends.mps.is_available():
        st.markdown("**Apple GPU**")
    else:
        st.markdown("**CPU**")
        st.caption(f"{os.cpu_count()} cores; reading a film needs no GPU")


def latest_runs() -> None:
    """The last runs and where they stand."""
    st.subheader("Latest runs")
    runs = Run.list()[:5]
    if not runs:
        st.caption("No run yet.")
        return
    rows = []
    for run in runs:
        status = run.status()
        rows.append(
            {
                "Run": run.name,
                "State": status.state,
                "Epoch": f"{status.epoch} / {status.epochs}",
                "Best val AUC": status.best_auc,
            }
        )
    column = st.column_config.NumberColumn(format="%.3f")
    st.dataframe(rows, hide_index=True, column_config={"Best val AUC": column})


st.title("X-Lite")
st.markdown(
    "Light models that read chest films: distilled from large ones, judged with intervals, explained by maps."
)
first, second = st.columns(2), st.columns(2)
cards = [column.container(border=True, height="stretch") for column in (*first, *second)]
left, right = st.columns([3, 2], gap="large")
with right:
    st.subheader("What next")
    for page, label, text in NEXT:
        if st.button(label, key=f"go-{page}", width="stretch", help=text):
            st.switch_page(str(HERE / f"{page}.py"))
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
    model_card(on_duty)
with cards[3], st.spinner("Looking for a GPU"):
    device_card()
