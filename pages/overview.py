import os
from contextlib import suppress
from pathlib import Path

import streamlit as st

from xlite.errors import RunError, XliteError
from xlite.messages import page_sentence
from xlite.models.available import model_files
from xlite.report.overview import auc_headline
from xlite.report.saved import saved_evaluations
from xlite.runs.run import Run
from xlite.text import counted

HERE = Path(__file__).parent
NEXT = [
    ("classify", "Read a film", "Upload one, or take a synthetic one, and see its findings with maps."),
    ("explore", "Explore the data", "Counts, co-occurrence, ages, views, films with their boxes."),
    ("train", "Train a student", "Alone or from a teacher; stop and resume whenever you like."),
    ("results", "Compare results", "ROC curves and AUC with intervals, split by split."),
]


@st.cache_data(max_entries=8, ttl=600, show_spinner=False)
def folder_line(path: str, changed: float) -> tuple[str, str]:
    """Films, and patients with edition of the labels, of a data folder; `changed` renews the cache."""
    from xlite.data.folder import NihFolder

    folder = NihFolder.open(path)
    missing = len(folder.missing())
    films = counted(len(folder.table) - missing, "film")
    lack = f", {missing:,} in the table only" if missing else ""
    patients = counted(folder.table["patient"].nunique(), "patient")
    return films, f"{patients}, {folder.label_version} labels{lack}"


def card(label: str, value: str, detail: str) -> None:
    """What a card of the overview looks like."""
    st.markdown(f":gray[{label}]  \n**{value}**")
    st.caption(detail)


def data_card() -> None:
    """The data folder and what is in it."""
    data = st.session_state.get("data", "")
    if not data:
        card(
            "Data",
            "None chosen",
            "Name a folder in the sidebar, or make one: `xlite data phantom data/phantom`",
        )
        return
    try:
        path = Path(os.path.expanduser(data))
        films, rest = folder_line(str(path), path.stat().st_mtime if path.exists() else 0.0)
        card("Data", films, f"{rest}  \n`{data}`")
    except (XliteError, OSError) as error:
        st.error(page_sentence(error))


def model_card(path: Path | None) -> None:
    """The model on duty and what it is."""
    from xlite.models.checkpoint import read_info

    if path is None:
        card("Model on duty", "None yet", "Train one; it appears here after its first epoch.")
        return
    try:
        info = read_info(path)
    except XliteError as error:
        st.error(page_sentence(error))
        return
    attention = "" if info.attention == "none" else f" with {info.attention} attention"
    size = f"{path.stat().st_size / 1e6:.1f} MB, films of {info.preprocess.size} px"
    trained = f"trained on split {info.split_id}, {info.label_version} labels"
    card("Model on duty", path.parent.name, f"{info.backbone}{attention}, {size}  \n{trained}")


def auc_card(model: str | None) -> None:
    """The macro AUC of the model on duty on its test part."""
    evaluations, damaged = saved_evaluations()
    for sentence in damaged:
        st.warning(sentence, icon=":material/warning:")
    report = next(
        (one.report for one in evaluations if one.model == model and one.report.split.part == "test"), None
    )
    if report is None:
        card("Test macro AUC", "Not measured yet", "The Results page or `xlite evaluate` measures it.")
    else:
        found = auc_headline(report)
        card("Test macro AUC", found.value, found.detail)


def device_card() -> None:
    """Where models run here."""
    import torch

    if torch.cuda.is_available():
        memory = torch.cuda.get_device_properties(0).total_memory / 2**30
        card("Device", torch.cuda.get_device_name(0), f"{memory:.0f} GiB of memory")
    elif torch.backends.mps.is_available():
        card("Device", "Apple GPU", "through Metal")
    else:
        card("Device", "CPU", f"{os.cpu_count()} cores; reading a film needs no GPU")


def latest_runs() -> None:
    """The last runs and where they stand."""
    st.subheader("Latest runs")
    runs = Run.list()[:5]
    if not runs:
        st.caption("No run yet.")
        return
    rows = []
    for run in runs:
        with suppress(RunError, OSError):  # renamed or deleted since it was listed
            status = run.status()
            rows.append(
                {
                    "Run": run.name,
                    "State": status.state,
                    "Epoch": f"{status.epoch} of {status.epochs or run.config().epochs}",
                    "Best val AUC": status.best_auc,
                }
            )
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
    device_card()
