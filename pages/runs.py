import pandas as pd
import streamlit as st

from xlite.errors import XliteError
from xlite.training.results import read_results
from xlite.training.run import Run


def run_row(run: Run) -> dict:
    """One run as a row: settings that distinguish runs, and where it stands."""
    config, status = run.config(), run.status()
    return {
        "Run": run.name,
        "State": status.state,
        "Epoch": status.epoch,
        "of": status.epochs or config.epochs,
        "Best val AUC": status.best_auc,
        "Backbone": config.backbone,
        "Attention": config.attention,
        "Teacher": config.teacher or "–",
        "Loss": config.loss,
        "Split": config.split,
        "Size": config.image_size,
        "Seed": config.seed,
        "Minutes": status.elapsed_s / 60,
        "Message": status.message,
    }


@st.fragment(run_every=5)
def runs_table() -> None:
    """Every run of this home, newest first, renewed while one looks."""
    rows = [run_row(run) for run in Run.list()]
    if not rows:
        st.caption("No run yet: start one on the Train page, or by `xlite train`.")
        return
    columns = {
        "Best val AUC": st.column_config.NumberColumn(format="%.3f"),
        "Minutes": st.column_config.NumberColumn(format="%.1f"),
    }
    st.dataframe(rows, hide_index=True, placeholder="–", column_config=columns)


def experiments_table() -> None:
    """experiments/results.csv, a row a finished experiment."""
    try:
        results = read_results()
    except XliteError as error:
        st.error(str(error))
        return
    if not len(results):
        st.caption("Finished runs are logged here (`experiments/results.csv`).")
        return
    digits = {"val_auc": "%.4f", "test_auc": "%.4f", "train_loss": "%.4f", "inference_time_ms": "%.1f"}
    columns = {name: st.column_config.NumberColumn(format=form) for name, form in digits.items()}
    columns["model_size_mb"] = st.column_config.NumberColumn(format="%.1f")
    st.dataframe(results.iloc[::-1], hide_index=True, placeholder="–", column_config=columns)
    st.caption(
        "The notes name the split of a row. Figures of different splits cannot be ranked against each other."
    )
    st.download_button("Download CSV", to_csv(results), "results.csv", "text/csv", icon=":material/download:")


def to_csv(table: pd.DataFrame) -> bytes:
    """The table as CSV bytes."""
    return table.to_csv(index=False).encode()


st.title("Runs")
st.caption("Follow, stop or resume a run on the Train page; compare finished ones on the Results page.")
runs_table()
st.subheader("Finished experiments")
experiments_table()
