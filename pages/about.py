import streamlit as st
from page_shared import choose_one, say_unknown

from xlite.messages import literal
from xlite.models.available import CARD_FILE, model_files
from xlite.public import is_public
from xlite.report.about import CLAIMS, DATA, LIMITS, PURPOSE, bibtex, card_text, privacy, versions
from xlite.report.document import to_markdown


def show_cards() -> None:
    """The card of a model that one chooses."""
    models = model_files()
    lost = say_unknown("model", models, "model")
    if not models:
        way = "" if is_public() else " Train one on the Train page; its card is written when it is done."
        st.info(f"There is no model yet.{way}")
        return
    name = choose_one("Model", list(models), "model", st.container())
    if lost or name is None:
        return
    card = models[name].with_name(CARD_FILE)
    if card.is_file():
        with st.container(border=True):
            st.markdown(card_text(card.read_text(encoding="utf-8", errors="replace")))
    else:
        st.caption(
            f"{literal(name)} has no card yet: a run gets one when its test part is judged at its end."
        )


st.title("About X-Lite")
st.markdown(PURPOSE)
cards, data, limits, cite, installed = st.tabs(["Model cards", "Data", "Limits", "Cite", "Versions"])
with cards:
    show_cards()
with data:
    st.markdown(DATA)
    st.markdown(to_markdown("", [CLAIMS], escape=literal))
with limits:
    st.markdown(LIMITS)
    st.markdown("**Privacy**")
    st.markdown(privacy())
with cite:
    st.markdown("Please cite the software, and the data set that you used with it:")
    st.code(bibtex(), language="bibtex", wrap_lines=True)
with installed:
    st.markdown(to_markdown("", [versions()], escape=literal))
