"""What Explore says of splits, class weights and editions; each computed when its tab is open."""

from pathlib import Path

import numpy as np
import pandas as pd
import streamlit as st

from xlite.config import SEED, TrainConfig
from xlite.data.eda import part_sentences
from xlite.data.eda.batch_composition import DRAWN, Batches, measure_batches
from xlite.data.eda.coded import CodedFilms
from xlite.data.eda.editions import EditionDifference, compare_editions, other_edition
from xlite.data.eda.filters import Selection
from xlite.data.eda.partitions import balance, known_of_parts, leakage, locate, overlaps, partitions
from xlite.data.eda.statistics import CLASSES
from xlite.data.folder import Changes, NihFolder
from xlite.data.leakage import leakage_report
from xlite.errors import DataError
from xlite.findings import spoken
from xlite.messages import literal, page_sentence
from xlite.text import counted, labels_of

BATCH_SIZE: int = TrainConfig.model_fields["batch_size"].default
UPLOAD = "a list that I upload"


@st.cache_resource(max_entries=2, show_spinner="Comparing parts")
def cached_parts(
    root: str, changed: Changes, _folder: NihFolder
) -> tuple[pd.DataFrame, dict[str, pd.DataFrame], pd.DataFrame]:
    """Leakage of each list and split, the balance of its parts as a table, overlaps of test with train."""
    found = partitions(_folder)
    located = locate(_folder.table, found)
    leaks = {name: leakage(_folder.table, rows) for name, rows in located.items()}
    balances = {
        name: part_sentences.balance_table(
            balance(_folder.table, rows), known_of_parts(_folder.table, rows), [*map(spoken, CLASSES)]
        )
        for name, rows in located.items()
    }
    return part_sentences.leakage_table(leaks) if leaks else pd.DataFrame(), balances, overlaps(found)


@st.cache_data(max_entries=8, show_spinner="Drawing batches")
def cached_batches(labels: np.ndarray) -> Batches:
    """What class weights and the balanced sampler do to batches of films with labels (N, 14)."""
    return measure_batches(labels, BATCH_SIZE, SEED)


@st.cache_resource(max_entries=2, show_spinner="Reading the other edition")
def cached_difference(root: str, changed: Changes, other: str, _folder: NihFolder) -> EditionDifference:
    """How the folder's table differs from another edition."""
    return compare_editions(_folder.table, Path(other))


def show_leakage(folder: NihFolder, films: CodedFilms, changed: Changes) -> None:
    """Leakage and balance of the folder's lists and splits, and of a list that a person uploads."""
    leaks, balances, overlapping = cached_parts(str(folder.root), changed, folder)
    if not balances:
        st.info("This folder has neither NIH's lists nor splits. `xlite data split` makes one.")
    else:
        st.markdown("**What parts share**")
        st.dataframe(leaks, hide_index=True, alt="Leakage of each list and split")
        name = st.selectbox("Balance of the parts of", list(balances), key="balance-of", width=320)
        st.dataframe(balances[name], hide_index=True, height="content", alt=f"Balance of the parts of {name}")
    if len(overlapping):
        with st.expander("Test films of one in the training films of another"):
            st.dataframe(overlapping, hide_index=True, alt="Overlaps of lists and splits")
    st.markdown("**Does one list leak into another?**")
    left, right = st.columns(2)
    with left:
        learned = folder.here(_ask_stems(films, "Films learned from", "learned"))
    with right:
        judged = folder.here(_ask_stems(films, "Films judged", "judged"))
    if learned and judged:
        try:
            found = leakage_report(learned, judged, films.table)
        except DataError as error:
            st.error(page_sentence(error))
            return
        (st.warning if found.shared_patients else st.success)(part_sentences.leakage_sentence(found))


def _ask_stems(films: CodedFilms, label: str, key: str) -> list[str]:
    """The films of a part or of an uploaded list; none if there is no list yet."""
    choices = [*films.parts, UPLOAD]
    chosen = st.selectbox(label, choices, index=None, placeholder="choose", key=f"{key}-list")
    if chosen is None:
        return []
    if chosen != UPLOAD:
        stems: list[str] = films.table["stem"].to_numpy()[films.parts[chosen]].tolist()
        return stems
    file = st.file_uploader(f"{label}: names line by line, or a CSV", type=["txt", "csv"], key=f"{key}-file")
    if file is None:
        return []
    try:
        return part_sentences.stems_of_upload(file.name, file.getvalue())
    except DataError as error:
        st.error(page_sentence(error))
        return []


def show_weights(films: CodedFilms, selection: Selection) -> None:
    """What class weights and the balanced sampler would do with the films chosen."""
    st.caption(
        f"Of {counted(int(selection.keep.sum()), 'chosen film')}: {DRAWN} batches of {BATCH_SIZE}, drawn as "
        "a training draws them, shuffled and by the balanced sampler."
    )
    if not st.toggle("Draw the batches", key="draw-batches"):
        return
    found = cached_batches(films.labels[selection.keep])
    st.dataframe(
        part_sentences.batches_table(found),
        hide_index=True,
        height="content",
        alt="Films of each class in batches",
    )
    st.caption(part_sentences.batches_sentence(found))


def show_editions(folder: NihFolder, changed: Changes) -> None:
    """How the folder's table differs from another edition in it; of several folders each."""
    for part in folder.parts:
        if len(folder.parts) > 1:
            st.markdown(f"**{literal(part.root.name)}**")
        _show_edition(part, changed)


def _show_edition(folder: NihFolder, changed: Changes) -> None:
    other = other_edition(folder.root)
    if other is None:
        st.info(
            f"This folder has one table, {labels_of(folder.label_version)}. Put the other edition's "
            "`Data_Entry_2017*.csv` beside it and both are compared here."
        )
        return
    try:
        found = cached_difference(str(folder.root), changed, str(other), folder)
    except DataError as error:
        st.error(page_sentence(error))
        return
    known = ", as far as both know them" if found.findings["unknown"].any() else ""
    st.markdown(
        f"{literal(found.other)} ({labels_of(found.version)}) and this table have "
        f"{counted(found.films, 'film')} in common; {found.here:,} are only here, {found.there:,} only "
        f"there. {counted(found.label_sets, 'film')} differ in their findings{known}."
    )
    st.dataframe(
        part_sentences.editions_table(found),
        hide_index=True,
        height="content",
        alt="Films of each finding by edition",
    )
    st.caption(f"Films that differ in the rest: {found.details_words}")
