import sign_in
import streamlit as st
from page_label_film import own_sitting, show_film
from page_label_new import offer_new
from page_label_numbers import show_numbers
from page_shared import choose_named

from xlite.access.members import visitor
from xlite.errors import XliteError
from xlite.labelling.labelling import Labelling, reader_name
from xlite.labelling.sentences import left_out_sentence, nothing_left
from xlite.labelling.sitting import Sitting
from xlite.labelling.summary import Summary
from xlite.messages import page_sentence, said
from xlite.models.available import model_files


def ask_reader() -> str:
    """Who labels: whoever is signed in, else the name that they type; empty before they do."""
    if sign_in.is_asked():
        return reader_name(visitor(st.user))
    typed = st.text_input(
        "Your name as a reader",
        key="reader",
        bind="query-params",
        placeholder="Ann Example",
        help="Answers are kept under it, so use the same one each time. Nobody checks it without a sign-in.",
    )
    return reader_name(typed) if typed and typed.strip() else ""


def ask_opinion() -> None:
    """Whether the model's opinion is shown after each answer."""
    if models := list(model_files()):
        st.toggle(
            "The model's opinion after each answer",
            value=True,
            key="opinion",
            bind="query-params",
            help=f"Probabilities and maps of {models[0]}, and which labels of the data folder are in doubt, "
            "once your answer is saved: it anchors nobody. What counts is your answer before the opinion.",
        )


def show_labelling(labelling: Labelling, reader: str) -> None:
    """The film that comes next for the reader, and how far the labelling is."""
    if sentence := left_out_sentence(labelling.settings):
        st.caption(said(sentence))
    sitting = own_sitting(Sitting(labelling, reader))
    now = sitting.now(labelling.state())
    if now:
        show_film(sitting, now)
    state = labelling.state()
    summary = Summary.of(labelling, state)
    if now is None:
        st.success(said(nothing_left(summary, reader)))
        if sitting.error:
            st.warning(said(sitting.error))
    show_numbers(labelling, state, summary)


st.title("Label")
names = [one.name for one in Labelling.all()]
try:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = choose_named("Labelling", names, "labelling")
        reader = ask_reader()
        ask_opinion()
    if chosen and reader:
        show_labelling(Labelling.named(chosen), reader)
    elif chosen:
        st.info("Say who you are: answers are kept by reader.")
    elif not names:
        st.info("There is no labelling yet. Begin one below, or label the films chosen on Explore.")
except (XliteError, OSError) as error:
    st.error(page_sentence(error))
# With a key: by its place alone it would change places with what is drawn above, and lose the focus.
with st.container(key="new-labelling"):
    offer_new(is_first=not names)
