from collections.abc import Sequence
from dataclasses import dataclass, replace
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
from xlite.messages import literal, page_sentence, said
from xlite.models.available import model_files

if TYPE_CHECKING:
    import numpy as np
    from streamlit.delta_generator import DeltaGenerator
    from streamlit.runtime.uploaded_file_manager import UploadedFile

    from xlite.classify import Classifier
    from xlite.guarded import GuardedReader, GuardedReading
    from xlite.reading import Reading
    from xlite.serving.viewer import FilmView
    from xlite.serving.viewer_data import FilmBox


@dataclass(frozen=True)
class Chosen:
    """A film to read: what tells it from others, a name to show, and where its bytes come from."""

    key: str
    name: str
    source: "UploadedFile | Path"

    @property
    def data(self) -> bytes:
        """Its file."""
        return self.source.read_bytes() if isinstance(self.source, Path) else self.source.getvalue()


@st.cache_resource(max_entries=3, show_spinner="Loading the model")
def open_reader(path: Path, changed: int) -> "GuardedReader":
    """The model that every visitor shares and nothing changes; a newer file at that path is another model."""
    from xlite.guarded import GuardedReader

    return GuardedReader.load(path)


def choose_films(uploads: "Sequence[UploadedFile]", place: "DeltaGenerator") -> list[Chosen]:
    """The uploads, else the chosen bundled film."""
    bundled = examples()
    chosen = place.selectbox(
        "or a bundled synthetic film",
        list(bundled),
        disabled=bool(uploads) or not bundled,
        placeholder="none installed",
        help="Drawn by X-Lite, not a patient. Its name says what was drawn into it.",
    )
    if uploads:
        return [Chosen(upload.file_id, upload.name, upload) for upload in uploads]
    return [Chosen(chosen, f"Synthetic film {chosen}", bundled[chosen].path)] if chosen else []


def read_films(reader: "GuardedReader", films: Sequence[Chosen]) -> dict[str, "FilmView"]:
    """What the model sees in each film, by its key: read once for each visitor and model."""
    from xlite.serving.viewer import view_upload, with_own_names

    kept = st.session_state.get("views", {})
    known = kept["films"] if kept.get("reader") is reader else {}
    with st.spinner("Reading"):
        views = {film.key: known.get(film.key) or view_upload(reader, film.name, film.data) for film in films}
    # Of two choices with one text the browser can name but one.
    views = with_own_names({film.key: replace(views[film.key], name=film.name) for film in films})
    st.session_state["views"] = {"reader": reader, "films": views}
    return views


def turn(key: str) -> None:
    """From now on the film is shown turned or inverted back, or again as it came."""
    films = st.session_state["views"]["films"]
    films[key] = films[key].turned()


def choose_view(films: dict[str, "FilmView"]) -> str:
    """The key of the film to show, below what was found in all of them if there are several."""
    from xlite.report.document import to_markdown
    from xlite.report.film_words import films_table

    if len(films) == 1:
        return next(iter(films))
    table = films_table((film.name, film.answer or film.error or "") for film in films.values())
    st.markdown(to_markdown("", [table], escape=literal))
    return st.selectbox("Film shown", list(films), format_func=lambda key: films[key].name)


def show_guards(film: "FilmView", answer: "GuardedReading", key: str) -> None:
    """What the guards say, and the click that turns or inverts the film."""
    from xlite.report.film_words import guard_alert, offer_words

    if alert := guard_alert(answer):
        box = {"refuse": st.error, "pass": st.info}.get(answer.guards.verdict, st.warning)
        sentences = "\n".join(f"- {literal(sentence)}" for sentence in alert.sentences)
        box(f"**{literal(alert.title)}**\n\n{sentences}")
    if film.mended:
        words = "Read it as it came" if film.is_turned else offer_words(answer.guards.offers)
        st.button(words, key=f"turn-{key}", type="primary", on_click=turn, args=(key,))


@st.fragment
def show_film(image: "np.ndarray", reading: "Reading", name: str, boxes: "Sequence[FilmBox]" = ()) -> None:
    """The film in the viewer, with a map over it: of the likeliest finding unless another was chosen."""
    from film_viewer import show_viewer

    from xlite.report.reading_words import map_sentence
    from xlite.serving.address import unknown
    from xlite.serving.viewer_data import maps_of

    maps = maps_of(reading)
    if asked := unknown(st.query_params, "finding", [spoken(finding) for finding in FINDINGS]):
        st.warning(
            f"This address asks for the map of {literal(asked)}, which is none of the 14 findings. "
            "That of the likeliest is shown."
        )
    chosen = st.selectbox(
        "Map of",
        list(maps),
        index=None,
        format_func=spoken,
        placeholder=f"the likeliest: {spoken(next(iter(maps))).lower()}",
        key="finding",
        bind="query-params",
    )
    finding = chosen or next(iter(maps))
    show_viewer(
        image,
        name=name,
        key="viewer",
        maps=maps,
        finding=finding,
        boxes=boxes,
        choose=False,
        on_finding=lambda other: st.session_state.update(finding=other),
    )
    if sentence := map_sentence(reading, finding):  # below, so that the film stays where it is
        st.info(sentence)
    st.caption(
        f"{literal(name)}, map of {spoken(finding).lower()} ({reading.probability(finding):.1%})"
        + ("" if reading.fault(finding) else "; the square is one cell of the map")
    )
    st.caption(reading.legend(bar=True))


def choose_map(methods: Sequence[str]) -> None:
    """How the maps are made, and one line on what differs; the page is drawn anew with the choice."""
    with st.expander("How the maps are made"):
        method = st.selectbox(
            "Method", methods, format_func=lambda method: METHODS[method].title, key="map-method"
        )
        st.caption(METHODS[method].description)


def show_top(image: "np.ndarray", reading: "Reading") -> None:
    """The three likeliest findings, each with its own map and what its probability is worth."""
    from xlite.report.reading_words import also_above_sentence
    from xlite.report.worth import worth_sentences

    st.subheader("Most likely findings")
    if also := also_above_sentence(reading):
        st.markdown(also)
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


def show_reading(image: "np.ndarray", reading: "Reading", name: str, methods: Sequence[str]) -> None:
    """Everything that the model says about one film."""
    from xlite.plots import probability_bars

    left, right = st.columns([3, 2], gap="large")
    with left:
        show_film(image, reading, name)
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
        choose_map(methods)
    show_top(image, reading)
    show_worth(reading)


def show_view(classifier: "Classifier", film: "FilmView", key: str) -> None:
    """One film: why it could not be read, what its guards say, and what the model sees in it."""
    from xlite.serving.viewer import map_methods

    methods = map_methods(classifier)
    if st.session_state.get("map-method") not in methods:  # another model may have made others
        st.session_state["map-method"] = DEFAULT_METHOD
    film = film.with_maps(classifier, st.session_state["map-method"])
    st.session_state["views"]["films"][key] = film
    answer = film.answer
    if answer is None:
        st.error(said(film.error or ""))
        return
    show_guards(film, answer, key)
    if answer.reading is None:
        st.columns([3, 2])[0].image(answer.film, caption=literal(film.name), width="stretch")
    else:
        show_reading(answer.film, answer.reading, film.name, methods)


def offer_files(classifier: "Classifier", films: "Sequence[FilmView]") -> None:
    """What is shown of all films, as files."""
    from xlite.serving.viewer import films_csv, films_json

    table, facts = st.columns(2)
    table.download_button(
        "Table (CSV)", films_csv(films), "xlite.csv", "text/csv", on_click="ignore", width="stretch"
    )
    facts.download_button(
        "All facts (JSON)",
        films_json(classifier, films),
        "xlite.json",
        "application/json",
        on_click="ignore",
        width="stretch",
    )


@st.fragment
def read_with_a_model(uploads: "Sequence[UploadedFile]") -> None:
    """A model and its reading of the uploads, or of a bundled film.

    A fragment because Streamlit forgets an upload that begins while the whole page is being drawn anew.
    """
    from xlite.report.film_words import too_many_words
    from xlite.serving.viewer import MAX_FILMS

    models = model_files()
    bundled, chosen = st.columns(2)
    films = choose_films(uploads, bundled)
    model = chosen.selectbox(
        "Model",
        list(models),
        placeholder="no model yet",
        help="The shipped model, then your own, newest first.",
    )
    if model is None:
        st.info("There is no model yet. Train one on the Train page; it appears here after its first epoch.")
    elif not films:
        st.info("Upload a film to read it.")
    else:
        about = st.empty()
        try:
            reader = open_reader(models[model], models[model].stat().st_mtime_ns)
            about.caption(literal(reader.classifier.about))
            if sentence := too_many_words(len(films), MAX_FILMS):
                st.info(sentence)
            with st.container(key="reading"):
                views = read_films(reader, films[:MAX_FILMS])
                key = choose_view(views)
                show_view(reader.classifier, views[key], key)
                offer_files(reader.classifier, list(views.values()))
        except (XliteError, OSError) as error:
            st.error(page_sentence(error))


st.title("Read a film")
read_with_a_model(
    st.file_uploader(
        f"Chest films ({FORMATS}, at most {MAX_UPLOAD_MB} MB each)",
        max_upload_size=MAX_UPLOAD_MB,
        accept_multiple_files=True,
        help="They stay in this page's memory and are not stored.",
    )
)
