from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st
from page_parts import QUIET_BAR

from xlite.errors import XliteError
from xlite.examples import examples
from xlite.explain import DEFAULT_METHOD, METHODS
from xlite.findings import FINDINGS, spoken
from xlite.formats import FORMATS
from xlite.images import MAX_UPLOAD_MB
from xlite.messages import literal, page_sentence
from xlite.models.available import model_files

if TYPE_CHECKING:
    import numpy as np
    from streamlit.delta_generator import DeltaGenerator
    from streamlit.runtime.uploaded_file_manager import UploadedFile

    from xlite.classify import Classifier
    from xlite.reading import Reading


@st.cache_resource(max_entries=3, show_spinner="Loading the model")
def open_classifier(path: Path, changed: int) -> "Classifier":
    """The model that every visitor shares and nothing changes; a newer file at that path is another model."""
    from xlite.classify import Classifier

    return Classifier.load(path)


def choose_film(upload: "UploadedFile | None", place: "DeltaGenerator") -> tuple[bytes, str] | None:
    """The bytes of the upload, else of the chosen bundled film, and a name to show."""
    bundled = examples()
    chosen = place.selectbox(
        "or a bundled synthetic film",
        list(bundled),
        disabled=upload is not None or not bundled,
        placeholder="none installed",
        help="Drawn by X-Lite, not a patient. Its name says what was drawn into it.",
    )
    if upload is not None:
        return upload.getvalue(), upload.name
    return (bundled[chosen].path.read_bytes(), f"Synthetic film {chosen}") if chosen else None


@st.fragment
def show_film(image: "np.ndarray", reading: "Reading", name: str) -> None:
    """The film with the map of one finding over it."""
    from xlite.explain.drawing import OPACITY

    top = [finding for finding, _ in reading.top(3)]
    pick, slide = st.columns([3, 2], vertical_alignment="bottom")
    finding = pick.selectbox(
        "Map of",
        top + [finding for finding in FINDINGS if finding not in top],
        format_func=lambda finding: f"{spoken(finding)}, {reading.probability(finding):.1%}",
        # The browser keeps the text of the choice, which has a number: other numbers are another choice.
        key=f"map-{hash(reading.probabilities.tobytes())}",
    )
    opacity = slide.slider(
        "Opacity", 0, 100, round(100 * OPACITY), step=5, format="%d %%", help="0 shows the bare film"
    )
    fault, caution = reading.fault(finding), reading.caution(finding)
    if fault:
        st.info(f"Not painted: the map of {spoken(finding).lower()} {fault}.")
    elif caution:
        st.info(caution)
    st.image(
        reading.overlay(image, finding, opacity / 100),
        caption=f"{literal(name)}, map of {spoken(finding).lower()}"
        + ("" if fault else "; the square is one cell of the map"),
        width="stretch",
    )
    st.caption(reading.legend())


def choose_map() -> None:
    """How the maps are made, and one line on what differs; the page is drawn anew with the choice."""
    with st.expander("How the maps are made"):
        method = st.selectbox(
            "Method", list(METHODS), format_func=lambda method: METHODS[method].title, key="map-method"
        )
        st.caption(METHODS[method].description)


def show_top(image: "np.ndarray", reading: "Reading") -> None:
    """The three likeliest findings, each with its own map and what its probability is worth."""
    from xlite.report.worth import worth_sentences

    st.subheader("Most likely findings")
    if also := [f"{spoken(finding)} ({p:.1%})" for finding, p in reading.also_above()]:
        st.markdown(f"Beyond these three, above the model's threshold: {', '.join(also)}.")
    for column, (finding, probability) in zip(st.columns(3), reading.top(3), strict=True):
        with column.container(border=True):
            st.metric(spoken(finding), f"{probability:.1%}")
            for sentence in worth_sentences(reading.worth(finding)):
                st.caption(sentence)
            st.image(reading.overlay(image, finding), width="stretch")
            if fault := reading.fault(finding):
                st.caption(f"Its map {fault}.")


def show_worth(reading: "Reading") -> None:
    """Of all findings, what their probabilities and thresholds may be taken for."""
    from xlite.report.document import to_markdown
    from xlite.report.worth import worth_table

    st.subheader("What each verdict is worth")
    st.markdown(to_markdown("", [worth_table(reading.worths())], escape=literal))


def show_reading(classifier: "Classifier", film: tuple[bytes, str]) -> None:
    """Everything that the model says about one film."""
    from xlite.classify import read_upload
    from xlite.plots import probability_bars

    whole = read_upload(*film)
    reading = classifier.read(whole, st.session_state.get("map-method", DEFAULT_METHOD))
    # a screen shows no more, and an overlay of a 64-megapixel film costs seconds
    image, reading = reading.shrunk(whole)
    left, right = st.columns([3, 2], gap="large")
    with left:
        show_film(image, reading, film[1])
    with right:
        st.markdown("**All 14 findings**")
        bars = probability_bars(reading.probabilities.tolist(), reading.thresholds)
        st.plotly_chart(bars, config=QUIET_BAR)
        if reading.thresholds is None:
            st.caption("This model has no thresholds yet: read the order, not the height, of the bars.")
        else:
            st.caption(
                "Coloured: at or above the model's own threshold (amber tick), chosen on validation films. "
                + reading.withheld()
            )
        choose_map()
    show_top(image, reading)
    show_worth(reading)


@st.fragment
def read_with_a_model(upload: "UploadedFile | None") -> None:
    """A model and its reading of the upload, or of a bundled film.

    A fragment because Streamlit forgets an upload that begins while the whole page is being drawn anew.
    """
    models = model_files()
    bundled, chosen = st.columns(2)
    film = choose_film(upload, bundled)
    model = chosen.selectbox(
        "Model",
        list(models),
        placeholder="no model yet",
        help="The shipped model, then your own, newest first.",
    )
    if model is None:
        st.info("There is no model yet. Train one on the Train page; it appears here after its first epoch.")
    elif film is None:
        st.info("Upload a film to read it.")
    else:
        about = st.empty()
        try:
            classifier = open_classifier(models[model], models[model].stat().st_mtime_ns)
            about.caption(literal(classifier.about))
            with st.container(key="reading"):
                show_reading(classifier, film)
        except (XliteError, OSError) as error:
            st.error(page_sentence(error))


st.title("Read a film")
read_with_a_model(
    st.file_uploader(
        f"Chest film ({FORMATS}, at most {MAX_UPLOAD_MB} MB)",
        max_upload_size=MAX_UPLOAD_MB,
        help="It stays in this page's memory and is not stored.",
    )
)
