"""Below the film of the Label page: progress, time, agreement, and the labels to take along."""

import pandas as pd
import streamlit as st
from page_shared import done, go_to

from xlite.labelling.labelling import Labelling
from xlite.labelling.sentences import (
    Table,
    agreement_rows,
    exported_sentence,
    progress_sentences,
    reader_rows,
    untold_sentence,
)
from xlite.labelling.state import LogState
from xlite.labelling.summary import Summary
from xlite.messages import literal, said
from xlite.places import home
from xlite.text import counted


def show_numbers(labelling: Labelling, state: LogState, summary: Summary) -> None:
    """How far it is, what each reader did, how far they agree, and what can be taken along."""
    st.progress(summary.done / summary.films, " ".join(progress_sentences(summary)))
    if not summary.readers:
        return
    with st.expander("Readers and agreement"):
        _show_table(reader_rows(summary), "What each reader did")
        for pair in summary.pairs:
            names = " and ".join(pair.readers)
            st.markdown(f"**{literal(names)}**, {counted(pair.films, 'film')} in common")
            if (table := agreement_rows(pair))[1]:
                _show_table(table, f"Agreement of {names} by finding")
            if told := untold_sentence(pair):
                st.caption(told)
        if summary.pairs:
            st.caption("Cohen's kappa of the answers before any opinion, of films with a yes or no of both.")
    with st.expander("Take the labels along"):
        _offer_labels(labelling, state)


def _show_table(table: Table, alt: str) -> None:
    header, rows = table
    numbers = dict.fromkeys(header[1:], st.column_config.Column(alignment="right"))  # texts among them, too
    frame = pd.DataFrame(rows, columns=list(header))
    st.dataframe(frame, hide_index=True, height="content", column_config=numbers, alt=alt)


def _offer_labels(labelling: Labelling, state: LogState) -> None:
    from xlite.labelling.export import export_labels, labels_csv

    st.caption(
        "A data folder with these labels, unsure and disputed ones unknown; films that nobody labelled keep "
        "theirs. Its table also says who, when and agreement. Films are linked, not copied."
    )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.text_input("Name of the data folder", f"{labelling.name}-labels", key="labels-name")
        out = home() / "data" / name.strip().replace("/", "-")
        made = []
        if st.button("Make the data folder", disabled=not name.strip()):
            with st.spinner("Linking the films"):
                done(lambda: made.append(export_labels(labelling, state, out)))
        st.download_button(
            "Labelled films (CSV)",
            lambda: labels_csv(labelling, state),
            f"{labelling.name}.csv",
            "text/csv",
            on_click="ignore",
        )
    for one in made:
        st.success(said(exported_sentence(one)))
        go_to("train", "Train on it", ":material/model_training:", data=str(one.folder))
