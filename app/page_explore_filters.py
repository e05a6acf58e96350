"""The filter of the Explore page: its fields, which are in the address, and the chips that take them away."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import streamlit as st
from page_shared import say_unknown

from xlite.data.eda import filters
from xlite.data.eda.coded import CodedFilms
from xlite.data.eda.embedded import SIDE, Embedded
from xlite.data.eda.filters import FOLLOW_UPS, OLDEST, SERIES, Filter, Selection
from xlite.findings import NO_FINDING, spoken
from xlite.messages import literal

ALL = "all films"


def ask_filter(films: CodedFilms) -> Filter:
    """The fields of the filter, each a way to choose by keyboard what a click on its chart chooses."""
    with st.container(border=True):
        left, middle, right = st.columns([3, 3, 2], gap="medium")
        with left:
            has = _several(
                "Films that have", "has", [NO_FINDING, *films.labelled], spoken, placeholder="anything"
            )
        with middle:
            ages = st.slider("Age in years", 0, OLDEST, (0, OLDEST), key="ages", bind="query-params")
        with right:
            part = _one("Part", "part", ["", *films.parts], lambda name: name or ALL)
        with st.container(horizontal=True, gap="medium", vertical_alignment="bottom"):
            views = _pills("View", "views", films.views.names)
            sexes = _pills("Sex", "sexes", films.sexes.names)
            folders = _pills("Data folder", "folders", films.folders.names) if films.folders else []
            boxed = bool(films.boxed.any()) and st.toggle(
                "Only films with boxes", key="boxed", bind="query-params"
            )
            st.text_input(
                "Open a film",
                key="film",
                bind="query-params",
                placeholder="its name",
                help="The name of a film, such as 00000001_000. Empty shows all again.",
                width=200,
            )
        more = _ask_more(films)
    return Filter(
        has=tuple(has),
        ages=None if tuple(ages) == (0, OLDEST) else (ages[0], ages[1]),
        sexes=tuple(sexes),
        views=tuple(views),
        part=part,
        boxed=boxed,
        folders=tuple(folders),
        **more,
    )


def _ask_more(films: CodedFilms) -> dict[str, Any]:
    """The fields that are folded away.

    They are drawn all the same: one that is first drawn with what a chart has chosen is not in the address.
    """
    with st.expander("More: findings per film, films of the patient, follow-up number, unknown labels"):
        amounts = _pills("Findings per film", "amounts", filters.amount_names(films))
        series = _pills("Films of the patient", "series", list(SERIES))
        followups = _pills("Follow-up number", "followups", list(FOLLOW_UPS))
        hidden = _several(
            "Label unknown", "unknown", films.partly_unknown, spoken, placeholder="of any finding or none"
        )
        clusters, region = _ask_place(films.embedded)
    return {
        "amounts": tuple(amounts),
        "series": tuple(series),
        "followups": tuple(followups),
        "unknown": tuple(hidden),
        "clusters": tuple(clusters),
        "region": region,
    }


def _ask_place(embedded: Embedded | None) -> tuple[list[str], str]:
    """Clusters and a region of the embedding by a model's features; nothing while there is no embedding."""
    if embedded is None:
        return [], ""
    clusters = _pills("Clusters of the embedding", "clusters", embedded.names)
    region = st.text_input(
        "Region of the embedding",
        key="region",
        bind="query-params",
        placeholder="its corners, as 100,200 400,200 250,600",
        help=f"Corners as x,y, each 0 to {SIDE} from the lower left. What is drawn around films stands here.",
    )
    return clusters, (region or "").strip()


def fit(key: str, options: Sequence[str], words: Mapping[str, str]) -> None:
    """Says what the address asks for and is not here, and drops what another folder had."""
    say_unknown(key, list(words.values()), "choice")
    held = st.session_state.get(key)
    if isinstance(held, list | tuple):
        if kept := [one for one in held if one in options]:
            if len(kept) < len(held):
                st.session_state[key] = kept
        elif held:
            st.session_state[key] = []
    elif held is not None and held not in options:
        st.session_state[key] = options[0]


def _several(
    label: str, key: str, options: Sequence[str], words: Callable[[str], str], placeholder: str
) -> list[str]:
    fit(key, options, {one: words(one) for one in options})
    return st.multiselect(
        label, options, format_func=words, placeholder=placeholder, key=key, bind="query-params"
    )


def _one(label: str, key: str, options: Sequence[str], words: Callable[[str], str]) -> str:
    fit(key, options, {one: words(one) for one in options})
    return st.selectbox(label, options, format_func=words, key=key, bind="query-params")


def _pills(label: str, key: str, options: Sequence[str]) -> list[str]:
    fit(key, options, {one: literal(one) for one in options})
    return st.pills(label, options, selection_mode="multi", format_func=literal, key=key, bind="query-params")


def current() -> Filter:
    """The filter as its fields now say, also before the page has drawn them anew."""
    held = {key: st.session_state.get(key, value) for key, value in Filter().state().items()}
    lists = {key: tuple(value) for key, value in held.items() if isinstance(value, list)}
    ages = tuple(held["ages"])
    return Filter(**{**held, **lists, "ages": None if ages == (0, OLDEST) else ages})


def change(state: Mapping[str, Any]) -> None:
    """Sets fields of the filter; called before the page runs."""
    for key, value in state.items():
        st.session_state[key] = value


def show_chips(selection: Selection) -> None:
    """What is asked for, a button each that takes it away, with the films that are left from there on."""
    found = filters.chips(selection)
    if not found:
        return
    with st.container(horizontal=True, gap="small", vertical_alignment="center", key="chips"):
        st.markdown(f"{len(selection.films):,} films", width="content")
        for place, chip in enumerate(found):
            st.button(
                f"{literal(chip.words)}: {chip.films:,}",
                key=f"chip-{place}-{chip.words}",
                icon=":material/close:",
                icon_position="right",
                help="Take this away",
                on_click=change,
                args=(chip.without,),
            )
        if len(found) > 1:
            st.button(
                "Take all away", key="no-chips", type="tertiary", on_click=change, args=(Filter().state(),)
            )
