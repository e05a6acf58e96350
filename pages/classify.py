from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

import streamlit as st
from page_reader import (
    Opened,
    boxes_of,
    choose_film,
    choose_models,
    learned_words,
    model_file,
    named_film,
    not_here,
    open_model,
    own_visit,
    show_history,
    uploads_changed,
)
from page_shared import QUIET_BAR, say_unknown
from page_steps import show_steps

from xlite.errors import DataError, XliteError
from xlite.explain import METHODS
from xlite.findings import FINDINGS, spoken
from xlite.formats import FORMATS
from xlite.images import MAX_UPLOAD_MB
from xlite.messages import literal, page_sentence, said
from xlite.models.available import model_files
from xlite.public import is_public
from xlite.serving.address import unknown
from xlite.serving.upload_limits import most_films
from xlite.text import percent

if TYPE_CHECKING:
    import numpy as np
    from streamlit.delta_generator import DeltaGenerator

    from xlite.guarded import GuardedReader, GuardedReading
    from xlite.reading import Reading
    from xlite.serving.viewer import FilmView
    from xlite.serving.viewer_data import FilmBox, ViewerFilm
    from xlite.serving.visit import Model, Visit, VisitFilm


def read_films(
    visit: "Visit", opened: Opened, films: "Sequence[VisitFilm]", place: "DeltaGenerator"
) -> "tuple[dict[str, FilmView], DeltaGenerator]":
    """What the model sees in each film, by its key, and where to show it: read once a visitor and model.

    While films are read nothing else stands at that place: the numbers of other films would seem theirs.
    """
    from xlite.serving.viewer import with_own_names
    from xlite.serving.visit import film_view

    new = [film for film in films if (film.key, opened.file) not in visit.views]
    place = place.empty() if new else place
    for number, film in enumerate(new):
        place.progress(number / len(new), f"Reading film {number + 1} of {len(new)}")
        visit.views[film.key, opened.file] = film_view(opened.reader, film)
    # Of two choices with one text the browser can name but one.
    views = with_own_names(
        {film.key: replace(visit.views[film.key, opened.file], name=film.name) for film in films}
    )
    for key, view in views.items():
        visit.views[key, opened.file] = view
        visit.note(key, opened.name, view)
    return views, place


def turn(key: str, model: "Model") -> None:
    """From now on the film is shown turned or inverted back, or again as it came."""
    views = own_visit().views
    views[key, model] = views[key, model].turned()


def choose_view(visit: "Visit", films: "dict[str, FilmView]", place: "DeltaGenerator") -> str:
    """The key of the film to show, chosen at that place if there are several."""
    keys = list(films)
    if len(films) == 1:
        return keys[0]
    if visit.is_new or st.session_state.get("shown") not in films:
        st.session_state["shown"] = visit.shown if visit.shown in films else keys[0]
    names = {key: film.name if film.answer else f"{film.name}, not read" for key, film in films.items()}
    shown: str = place.selectbox("Film shown", keys, format_func=names.__getitem__, key="shown")
    visit.shown, visit.is_new = shown, False
    return shown


def step_to(key: str) -> None:
    """From now on that film of the batch is shown."""
    st.session_state["shown"] = key


def step_through(keys: Sequence[str], shown: str) -> None:
    """The film before and the one after."""
    at = keys.index(shown)
    before, after = (keys[place] if 0 <= place < len(keys) else "" for place in (at - 1, at + 1))
    show_steps(before, after, step_to, f"{at + 1} of {len(keys)}")


def show_overview(films: "dict[str, FilmView]") -> None:
    """What was found in each of several films."""
    from xlite.report.document import to_markdown
    from xlite.report.film_sentences import films_table

    if len(films) > 1:
        st.markdown(f"**All {len(films)} films**")
        table = films_table((film.name, film.answer or film.error or "") for film in films.values())
        st.markdown(to_markdown("", [table], escape=literal))


def show_guards(film: "FilmView", answer: "GuardedReading", key: str, model: "Model") -> None:
    """What the guards say, and the click that turns or inverts the film."""
    from xlite.report.film_sentences import guard_alert, offer_words

    if alert := guard_alert(answer):
        box = {"refuse": st.error, "pass": st.info}.get(answer.guards.verdict, st.warning)
        sentences = "\n".join(f"- {literal(sentence)}" for sentence in alert.sentences)
        box(f"**{literal(alert.title)}**\n\n{sentences}")
    if film.mended:
        words = "Read it as it came" if film.is_turned else offer_words(answer.guards.offers)
        st.button(words, key=f"turn-{key}", type="primary", on_click=turn, args=(key, model))


@st.fragment
def show_film(
    picture: "ViewerFilm", reading: "Reading", name: str, boxes: "Sequence[FilmBox]", passed: bool
) -> None:
    """The film in the viewer, with a map over it: of the likeliest finding unless another was chosen.

    passed: whether the guards let it pass as it came.
    """
    from film_viewer import show_viewer

    from xlite.report.film_sentences import PASSED
    from xlite.report.reading_sentences import map_sentence
    from xlite.serving.viewer_data import maps_of

    say_unknown("finding", list(map(spoken, FINDINGS)), "finding")
    maps = maps_of(reading)
    row = st.container(horizontal=True, vertical_alignment="center")
    if passed:
        row.caption(f":material/check: {PASSED}", width="content")
    chosen = row.selectbox(
        "Map of",
        list(maps),
        index=None,
        format_func=spoken,  # the address and the browser keep this text: no number of one film or model
        placeholder=f"Map of the likeliest: {spoken(next(iter(maps))).lower()}",
        label_visibility="collapsed",
        key="finding",
        bind="query-params",
    )
    finding = chosen or next(iter(maps))
    show_viewer(
        picture,
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
        f"{literal(name)}, map of {spoken(finding).lower()} ({percent(reading.probability(finding))})"
        + ("" if reading.fault(finding) else "; the square is one cell of the map")
    )
    if not reading.fault(finding):
        st.caption(reading.legend(bar=True))


def choose_method(reader: "GuardedReader") -> str:
    """How the maps are made, and one line on what differs."""
    from xlite.serving.viewer import map_methods

    titles = {name: METHODS[name].title for name in map_methods(reader.classifier)}
    asked = unknown(st.query_params, "method", list(titles.values()))
    if st.session_state.get("method", next(iter(titles))) not in titles:  # another model may have made others
        asked = METHODS[st.session_state.pop("method")].title
    if asked:
        st.info(said(f"This model makes no maps by {asked}."))
    with st.expander("How the maps are made"):
        method: str = st.selectbox(
            "Method", list(titles), format_func=titles.__getitem__, key="method", bind="query-params"
        )
        st.caption(METHODS[method].description)
    return method


def show_top(image: "np.ndarray", reading: "Reading") -> None:
    """The three likeliest findings, a tab each: what its probability is worth, and its own map."""
    from xlite.report.reading_sentences import also_above_sentence
    from xlite.report.worth import worth_sentences

    st.subheader("Most likely findings")
    top = reading.top(3)
    names = [f"{spoken(finding)} {percent(probability)}" for finding, probability in top]
    for tab, (finding, _) in zip(st.tabs(names, key="top"), top, strict=True):
        words, picture = tab.columns([3, 2])
        for sentence in worth_sentences(reading.worth(finding)):
            words.caption(sentence)
        picture.image(
            reading.overlay(image, finding), width="stretch", alt=f"Map of {spoken(finding).lower()}"
        )
        if fault := reading.fault(finding):
            picture.caption(f"Its map {fault}.")
    if also := also_above_sentence(reading):
        st.markdown(also)


def show_worth(reading: "Reading") -> None:
    """Of all findings, what their probabilities and thresholds may be taken for."""
    from xlite.report.document import to_markdown
    from xlite.report.worth import worth_table

    with st.expander("What each verdict is worth"):
        st.markdown(to_markdown("", [worth_table(reading.worths())], escape=literal))


def show_bars(reading: "Reading") -> None:
    """All 14 probabilities with the model's thresholds and "not sure" zones."""
    from xlite.plots import probability_bars
    from xlite.report.reading_sentences import bars_alt, bars_sentences, bars_uncalibrated, bars_zones

    st.markdown("**All 14 findings**")
    bars = probability_bars(
        reading.probabilities.tolist(),
        reading.thresholds,
        zones=bars_zones(reading),
        uncalibrated=bars_uncalibrated(reading),
    )
    st.plotly_chart(bars, config=QUIET_BAR, alt=bars_alt(reading))
    for sentence in bars_sentences(reading):
        st.caption(literal(sentence))


def show_reading(visit: "Visit", opened: Opened, held: "VisitFilm", film: "FilmView") -> "FilmView":
    """Everything that the model says about one film, which now has its maps."""
    from xlite.report.film_sentences import guard_alert

    left, right = st.columns([3, 2], gap="large")
    picture_place = left.container()
    with left:
        film = film.with_maps(opened.reader.classifier, choose_method(opened.reader))
    answer = film.answer
    if answer is None or answer.reading is None:
        return film
    picture = visit.picture(held, film)
    with picture_place:
        boxes = boxes_of(visit, held, film, picture.shape)
        show_film(picture, answer.reading, film.name, boxes, guard_alert(answer) is None)
    with left:
        show_top(answer.film, answer.reading)
    with right:
        show_bars(answer.reading)
    return film


def show_view(visit: "Visit", opened: Opened, key: str) -> "tuple[FilmView, DeltaGenerator]":
    """One film: why it could not be read, what its guards say, and what the model sees in it.

    And the place for what the model knows of it, which takes longer to find out.
    """
    film = visit.views[key, opened.file]
    answer = film.answer
    if answer is None:
        why = film.error or ""
        st.error(said(why if film.name in why else f"{film.name}: {why}"))
        return film, st.container()
    show_guards(film, answer, key, opened.file)
    place = st.container()
    if answer.reading is None:
        left, _ = st.columns([3, 2])
        left.image(
            answer.film, caption=literal(film.name), width="stretch", alt="The film, which was not read"
        )
        return film, place
    film = visit.views[key, opened.file] = show_reading(visit, opened, visit.films[key], film)
    return film, place


def show_pair(
    visit: "Visit", opened: Opened, other: Opened, film: "VisitFilm", shown: "FilmView", view: "FilmView"
) -> None:
    """The second model's `view` of the same film beside the first's, and what differs."""
    from xlite.plots import pair_figure
    from xlite.report.document import to_markdown
    from xlite.report.model_pair import Pair, Side, pair_sentences, pair_table, unread_sentence

    view = view.turned() if view.is_turned != shown.is_turned else view
    first = shown.answer.reading if shown.answer else None
    second = view.answer.reading if view.answer else None
    st.subheader(f"{literal(other.name)} beside {literal(opened.name)}")
    if first is None or second is None:
        st.info(said(unread_sentence(other.name, view.answer)))
        return
    pair = Pair(
        Side(opened.name, opened.reader.classifier.info, first),
        Side(other.name, other.reader.classifier.info, second),
    )
    words, chart = st.columns([2, 3], gap="large")
    sentences = [*pair_sentences(pair), *learned_words(visit, other, film, f"{other.name}: ")]
    words.markdown("\n".join(f"- {literal(sentence)}" for sentence in sentences))
    figure = pair_figure(
        (opened.name, other.name), first.probabilities.tolist(), second.probabilities.tolist()
    )
    chart.plotly_chart(figure, config=QUIET_BAR, alt=" ".join(sentences[:2]))
    with st.expander("Both models, finding by finding"):
        st.markdown(to_markdown("", [pair_table(pair)], escape=literal))


def offer_files(opened: Opened, films: "dict[str, FilmView]", learned: list[list[str]]) -> None:
    """What is shown of all films, as files; the report is made when it is asked for."""
    from xlite.report.film_sentences import unread_words
    from xlite.serving.viewer import films_csv, films_json, films_pdf

    classifier, views = opened.reader.classifier, list(films.values())
    report, table, facts = st.columns(3)
    report.download_button(
        "Report (PDF)",
        partial(films_pdf, classifier, views, learned, datetime.now(UTC)),
        "xlite.pdf",
        "application/pdf",
        on_click="ignore",
        width="stretch",
        help="One page a film: picture, map, all 14 findings, model, split, thresholds, guards.",
    )
    table.download_button(
        "Table (CSV)", films_csv(views), "xlite.csv", "text/csv", on_click="ignore", width="stretch"
    )
    facts.download_button(
        "All facts (JSON)",
        films_json(classifier, views),
        "xlite.json",
        "application/json",
        on_click="ignore",
        width="stretch",
    )
    if words := unread_words([film.name for film in views if film.answer is None]):
        st.caption(literal(words))


def show_films(
    visit: "Visit",
    films: "list[VisitFilm]",
    opened: Opened,
    other: Opened | None,
    choices: "DeltaGenerator",
    notes: "DeltaGenerator",
    place: "DeltaGenerator",
) -> None:
    """The films on view as the model reads them, one of them whole, and what there is to keep.

    Which one is asked among the other choices; what was left out stands at `notes`.
    """
    from xlite.report.film_sentences import too_many_words

    if films[0].key in visit.batch:
        for sentence in filter(None, [too_many_words(visit.left_out, len(visit.batch)), *visit.notes]):
            notes.info(said(sentence))
    visit.keep_views({film.key for film in films}, {one.file for one in (opened, other) if one})
    views, place = read_films(visit, opened, films, place)
    key = choose_view(visit, views, choices)
    if len(views) > 1:
        with choices.container(horizontal=True, vertical_alignment="center", width="content"):
            step_through(list(views), key)
    theirs = None
    if other:
        read, place = read_films(visit, other, [visit.films[key]], place)
        theirs = read[key]
    with place.container(key="reading"):
        shown, known_place = show_view(visit, opened, key)
        st.caption(literal(opened.reader.classifier.about))
        if shown.answer and shown.answer.reading:
            if other and theirs:
                show_pair(visit, opened, other, visit.films[key], shown, theirs)
            show_worth(shown.answer.reading)
        show_overview(views)
        learned = {film.key: learned_words(visit, opened, film) for film in films}
        for sentence in learned[key]:
            known_place.warning(said(sentence))
        offer_files(opened, views | {key: shown}, list(learned.values()))


@st.fragment
def read_with_a_model() -> None:
    """A model and its reading of the uploads, or of a bundled film or one of the data folder.

    A fragment because Streamlit forgets an upload that begins while the whole page is being drawn anew.
    """
    visit, models = own_visit(), model_files()
    try:
        in_vain = not_here(list(models))
        choices = st.container(horizontal=True, vertical_alignment="bottom")  # on a phone too
        # Each at one place in every run: what stands at another one is shown until the run ends.
        notes, place = st.container(), st.container()
        name = choose_film(visit, choices)
        model, against = choose_models(list(models), choices)
        if in_vain:
            raise DataError(in_vain[0])
        if name:
            film = named_film(name)
            visit.open(film)
        films = [film] if name else [visit.films[key] for key in visit.batch]
        if model is None:
            way = (
                "" if is_public() else " Train one on the Train page; it appears here after its first epoch."
            )
            st.info(f"There is no model yet.{way}")
        elif not films:
            st.info("Upload a film to read it.")
        else:
            if any((film.key, model_file(models, model)) not in visit.views for film in films):
                place = place.empty()  # before the model is loaded, which takes time, too
            with notes:
                opened = open_model(models, model)
                other = open_model(models, against) if against else None
            show_films(visit, films, opened, other, choices, notes, place)
    except (XliteError, OSError) as error:
        st.error(page_sentence(error))
    show_history(visit, list(models))


st.title("Read a film")
uploader = f"uploads-{st.session_state['visit'].round if 'visit' in st.session_state else 0}"
uploads = st.file_uploader(
    f"Up to {most_films()} chest films ({FORMATS}, or a zip of them, at most {MAX_UPLOAD_MB} MB each)",
    max_upload_size=MAX_UPLOAD_MB,
    accept_multiple_files=True,
    key=uploader,
    on_change=uploads_changed,
    args=(uploader,),
    help="They stay in this page's memory and are not stored.",
)
own_visit().take(uploads)
read_with_a_model()
