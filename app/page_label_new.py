"""The part of the Label page that begins a labelling."""

import os
from pathlib import Path

import streamlit as st
from page_shared import choose_next, data_folder, done

from xlite.data.layout import data_roots
from xlite.data.worklist import read_worklist
from xlite.labelling.labelling import Labelling
from xlite.messages import as_code


def offer_new(is_first: bool) -> None:
    """The form, folded away once there is a labelling."""
    with st.expander("Begin a labelling", expanded=is_first, icon=":material/add:"):
        data = data_folder()
        if data is None:
            st.info("Name a data folder in the sidebar first.")
            return
        if len(data_roots(data)) > 1:
            st.info("A labelling is of one folder: name that folder alone in the sidebar.")
            return
        st.caption(
            f"Films of {as_code(str(data))}. `xlite select` and `xlite data doubts` write worklists; Explore "
            "makes a labelling of the films chosen there."
        )
        with st.form("new-labelling", border=False):
            left, right = st.columns(2)
            name = left.text_input("Name", placeholder="letters and digits")
            worklist = right.text_input("Worklist", placeholder="/path/to/worklist.csv")
            share = left.number_input("Read twice, in per cent of the films", 0, 100, 20)
            adjudicator = right.text_input(
                "Adjudicator",
                placeholder="any third reader",
                help="Who alone settles what readers disagree on.",
            )
            begins = st.form_submit_button("Begin", type="primary")
        if begins and done(lambda: _begin(name, data, worklist, share, adjudicator)):
            st.rerun()


def _begin(name: str, data: Path, worklist: str, share: int, adjudicator: str) -> None:
    films = read_worklist(Path(os.path.expanduser(worklist)))
    made = Labelling.create(name.strip(), data, films, share / 100, adjudicator=adjudicator)
    choose_next("labelling", made.name)
