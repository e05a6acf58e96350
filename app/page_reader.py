"""What is chosen on Read a film: its films, its models, and the history of the visit."""

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st
from page_shared import choose_one, data_folder

from xlite.data.folder import Changes, changes
from xlite.errors import CheckpointError, DataError
from xlite.examples import examples
from xlite.messages import literal
from xlite.public import is_public
from xlite.serving.address import absent, unknown

if TYPE_CHECKING:
    import pandas as pd
    from streamlit.delta_generator import DeltaGenerator

    from xlite.data.eda.doubted import Doubted
    from xlite.data.known_films import KnownFilms
    from xlite.evaluation.contamination.film_learned import Learned
    from xlite.guarded import GuardedReader
    from xlite.serving.viewer import FilmView
    from xlite.serving.viewer_data import FilmBox
    from xlite.serving.visit import Model, Visit, VisitFilm


@dataclass(frozen=True, eq=False)
class Opened:
    """A model that reads films: its name here, its file with the time of its last change, and its reader."""

    name: str
    file: "Model"
    reader: "GuardedReader"


@st.cache_resource(max_entries=3, show_spinner="Loading the model")
def open_reader(path: Path, changed: int) -> "GuardedReader":
    """The model that every visitor shares and nothing changes; a newer file at that path is another model."""
    from xlite.guarded import GuardedReader

    return GuardedReader.load(path)


def model_file(models: dict[str, Path], name: str) -> "Model":
    """The file of the model of that name, as it is now. Raises CheckpointError and OSError."""
    if name not in models:
        raise CheckpointError(absent("model", name))
    return str(models[name]), models[name].stat().st_mtime_ns


def open_model(models: dict[str, Path], name: str) -> Opened:
    """The model of that name. Raises CheckpointError and OSError."""
    file = model_file(models, name)
    return Opened(name, file, open_reader(models[name], file[1]))


@st.cache_resource(max_entries=2, show_spinner="Looking through the data folder")
def open_films(root: str, changed: Changes) -> "KnownFilms":
    """The films of a data folder, which every visitor shares and nothing changes; `changed` renews them."""
    from xlite.data.joined import open_data
    from xlite.data.known_films import KnownFilms

    return KnownFilms.of(open_data(root))


@st.cache_resource(max_entries=2, show_spinner=False)
def open_boxes(root: str, changed: Changes) -> "pd.DataFrame":
    """The boxes of a data folder, which every visitor shares and nothing changes."""
    return open_films(root, changed).folder.boxes()


@st.cache_resource(max_entries=2, show_spinner=False)
def open_doubted(root: str, changed: Changes) -> "Doubted | None":
    """The labels in doubt of a data folder, which every visitor shares; None if it has no list of them."""
    from xlite.data.eda.doubted import Doubted

    return Doubted.of(open_films(root, changed).folder)


@st.cache_resource(max_entries=8, show_spinner=False)
def open_learned(model: "Model", _reader: "GuardedReader", root: str, changed: Changes) -> "Learned":
    """The films of a data folder that a model learned from."""
    from xlite.evaluation.contamination.film_learned import Learned

    return Learned.of(_reader.classifier.info, open_films(root, changed).folder)


def folder_here() -> tuple[str, Changes] | None:
    """The data folder of the sidebar and its state; None if there is none, and on a public server."""
    root = None if is_public() else data_folder()
    return None if root is None else (str(root), changes(root))


def own_visit() -> "Visit":
    """What this visitor has read, and no other."""
    from xlite.serving.visit import Visit

    visit: Visit = st.session_state.setdefault("visit", Visit())
    return visit


def uploads_changed(key: str) -> None:
    """Forgets the films that were taken out of the uploader; new ones are shown in place of another film."""
    if own_visit().changed(upload.file_id for upload in st.session_state[key]):
        st.session_state["film"] = None


def not_here(models: Sequence[str]) -> list[str]:
    """What the address asks for that is not here, a sentence each; asked before the widgets are drawn."""
    wanted = {"model": models, "against": models}
    if is_public():  # else any name may be one of the data folder
        wanted["film"] = list(examples())
    asked = {key: unknown(st.query_params, key, choices) for key, choices in wanted.items()}
    return [absent("film" if key == "film" else "model", one) for key, one in asked.items() if one]


def choose_film(visit: "Visit", place: "DeltaGenerator") -> str | None:
    """The name of the bundled film, or of one of the data folder; None for the uploads."""
    bundled, public = list(examples()), is_public()
    asked = st.session_state.get("film", st.query_params.get("film"))
    if not visit.batch and asked is None:  # as after the last upload was taken out
        st.session_state.pop("film", None)
    named = [asked] if asked and asked not in bundled and not public else []
    name: str | None = place.selectbox(
        "or a synthetic film",
        [*bundled, *named],
        index=0 if bundled and not visit.batch else None,
        key="film",
        bind="query-params",
        accept_new_options=not public,
        placeholder="none" if public else "none; or type a name",
        help="Synthetic films are drawn by X-Lite, of no patient. Their names say what was drawn into them."
        + ("" if public else " Or type the name of a film of the data folder, such as 00000013_005.png."),
    )
    return name


def named_film(name: str) -> "VisitFilm":
    """The bundled film of that name, or that of the data folder. Raises DataError if there is none."""
    from xlite.serving.visit import VisitFilm, folder_film

    bundled, folder = examples(), folder_here()
    if name in bundled:
        return VisitFilm(f"bundled {name}", f"Synthetic film {name}", bundled[name].path, address=name)
    if folder is None:
        raise DataError(f"{absent('film', name)}: it is not a synthetic film, and no data folder is named")
    return folder_film(open_films(*folder).folder, name)


def choose_models(models: Sequence[str], place: "DeltaGenerator") -> tuple[str | None, str | None]:
    """The model that reads, and the one beside it."""
    tip = "The model on duty, then the shipped one and your own, newest first."
    model = choose_one("Model", models, "model", place, tip, "no model yet")
    against = place.selectbox(
        "Compare with",
        [name for name in models if name != model],
        index=None,
        key="against",
        bind="query-params",
        placeholder="none",
        help="A second model that reads the film shown, too: what differs stands below.",
    )
    return model, against


def learned_words(visit: "Visit", opened: Opened, film: "VisitFilm", before: str = "") -> list[str]:
    """What the model has learned of the film, if the data folder knows it; nothing if nobody can tell."""
    from xlite.report.film_sentences import learned_sentences

    folder = folder_here()
    if folder is None:
        return []
    with contextlib.suppress(DataError, OSError):  # what is wrong with the folder, other pages say
        stem = visit.stem(film, open_films(*folder))
        if stem is not None:
            facts = open_learned(opened.file, opened.reader, *folder).facts(stem)
            split_id = opened.reader.classifier.info.split_id
            return [before + sentence for sentence in learned_sentences(facts, stem, split_id)]
    return []


def boxes_of(visit: "Visit", film: "VisitFilm", view: "FilmView", shape: tuple[int, int]) -> "list[FilmBox]":
    """The data folder's boxes of a film, of an upload by its content, in the frame (H, W) shown."""
    from xlite.guards.verdict import quarters_left
    from xlite.serving.viewer_data import film_boxes

    folder = folder_here()
    if folder is None:
        return []
    with contextlib.suppress(DataError, OSError):  # what is wrong with the folder, other pages say
        boxes = open_boxes(*folder)
        stem = visit.stem(film, open_films(*folder)) if len(boxes) else None
        if stem is not None:
            turned = view.is_turned and view.came
            return film_boxes(boxes, stem, shape, quarters_left(turned.answer.guards) if turned else 0)
    return []


def show_history(visit: "Visit", models: Sequence[str]) -> None:
    """The films that were read in this visit, to be opened again or forgotten."""
    from xlite.report.document import to_markdown
    from xlite.report.film_sentences import history_table
    from xlite.serving.visit import KEPT_WORDS

    lines = visit.history()
    if not lines:
        return
    with st.expander(f"Films of this visit ({len({one.key for one in lines})})"):
        table = history_table((one.film, one.model, one.guards, one.likeliest) for one in lines)
        st.markdown(to_markdown("", [table], escape=literal))
        st.caption(KEPT_WORDS)
        names = {(one.key, one.model): f"{one.film}, read by {one.model}" for one in lines}
        pick, *places = st.columns([3, 1, 1, 1], vertical_alignment="bottom")
        key, model = pick.selectbox("A film of this visit", list(names), format_func=names.__getitem__)
        again, one, every = (place.container() for place in places)
        again.button(
            "Open", on_click=reopen, args=(key, model), disabled=model not in models, width="stretch"
        )
        # The uploader is emptied with them, and stands outside of the fragment: the whole page is drawn anew.
        if one.button("Forget it", on_click=forget, args=([key],), width="stretch"):
            st.rerun()
        if every.button("Forget all", on_click=forget, args=(list(visit.films),), width="stretch"):
            st.rerun()


def reopen(key: str, model: str) -> None:
    """Shows a film of the visit again, by the model that read it."""
    visit = own_visit()
    film = visit.films[key]
    st.session_state["film"] = film.address
    st.session_state["model"] = model
    if film.address is None:
        visit.show(key)


def forget(keys: Sequence[str]) -> None:
    """Nothing is left of these films; one that the select names is closed."""
    visit = own_visit()
    if st.session_state.get("film") in {visit.films[key].address for key in keys}:
        st.session_state["film"] = None
    visit.forget_for_good(keys)
