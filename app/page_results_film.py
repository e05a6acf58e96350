"""A film of the Results page: small in a row of others, or in the viewer with its boxes and the maps."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import streamlit as st
from film_viewer import show_viewer
from page_reader import open_reader
from page_thumbnails import cached_film, cached_thumbnail

from xlite.data.film_names import stem_of
from xlite.data.folder import NihFolder
from xlite.errors import ImageError, XliteError
from xlite.explain import DEFAULT_METHOD
from xlite.findings import spoken
from xlite.images import read_image
from xlite.messages import literal, page_sentence, said
from xlite.public import is_public
from xlite.serving.viewer_data import ViewerMap, film_boxes, maps_of

READ_PAGE = str(Path(__file__).resolve().parents[1] / "pages" / "classify.py")
WIDTH = 220


@dataclass(frozen=True)
class Shown:
    """A film in a row: the finding that it is there for, and what is said of it, as Markdown."""

    stem: str
    finding: str
    caption: str


@dataclass(frozen=True, eq=False)
class FilmSource:
    """Where films and maps are from: the data folder, if there is one, and the model, if its file is here."""

    folder: NihFolder | None
    boxes: pd.DataFrame
    model: str
    path: Path | None
    method: str = DEFAULT_METHOD

    @classmethod
    def of(
        cls, folder: NihFolder | None, model: str, path: Path | None, method: str = DEFAULT_METHOD
    ) -> "FilmSource":
        """With the boxes of the folder."""
        return cls(folder, folder.boxes() if folder else pd.DataFrame(), model, path, method)


def show_rows(rows: Sequence[tuple[str, Sequence[Shown]]], source: FilmSource) -> None:
    """The film that is chosen large, and below it all of them under the title of their row."""
    everything = [film for _, films in rows for film in films]
    here = [film for film in everything if source.folder and film.stem in source.folder.paths]
    if here and (film := _ask_film(here)):
        _show_large(film, source)
    for row, (title, films) in enumerate(rows):
        st.markdown(title)
        if not films:
            st.caption("None of the films judged.")
        with st.container(horizontal=True):
            for place, one in enumerate(films):
                with st.container(width=WIDTH, gap="small"):
                    _show_small(one, source, f"{row}-{place}")


def _ask_film(films: Sequence[Shown]) -> Shown | None:
    """The film to show large; a link, or another page, may name one that is none of these."""
    of_stem = {film.stem: film for film in reversed(films)}
    stems, session = [*dict.fromkeys(film.stem for film in films)], st.session_state
    now = session.get("film", st.query_params.get("film"))
    if "film" in session and not now:
        session["film"] = None  # as Explore says that no film is open
    chosen = st.selectbox(
        "Film in the viewer",
        [*stems, *([now] if now and now not in stems else [])],
        index=None,
        key="film",
        bind="query-params",
        placeholder="choose one, or press View below it",
    )
    if chosen is None:
        return None
    if (found := of_stem.get(stem_of(chosen))) is None:
        st.info(said(f"{chosen} is not one of these films."))
    return found


def _choose(stem: str) -> None:
    """From now on that film is in the viewer."""
    st.session_state["film"] = stem


@st.cache_resource(max_entries=8, show_spinner="Reading the film")
def _cached_maps(film: str, changed: float, model: str, saved: int, method: str) -> dict[str, ViewerMap]:
    """The maps of a model over a film, which every visitor shares; newer files make them anew."""
    reading = open_reader(Path(model), saved).classifier.read(read_image(Path(film)), method)
    return maps_of(reading)


def _show_large(film: Shown, source: FilmSource) -> None:
    """A film in the viewer: with its boxes, and the map of its finding, if the model is here."""
    if source.folder is None:
        return
    path, maps = source.folder.paths[film.stem], None
    try:
        changed = path.stat().st_mtime
        picture = cached_film(str(path), changed)
        if source.path is not None:
            saved = source.path.stat().st_mtime_ns
            maps = _cached_maps(str(path), changed, str(source.path), saved, source.method)
    except (XliteError, OSError) as error:
        st.error(page_sentence(error))
        return
    boxes = film_boxes(source.boxes, film.stem, picture.shape)
    left, _ = st.columns([3, 2])
    with left:
        show_viewer(
            picture,
            name=film.stem,
            key="result-viewer",
            maps=maps,
            finding=film.finding if maps else None,
            boxes=boxes,
        )
    if maps is None:
        st.caption(
            f"{literal(source.model)} itself is not here, so there is no map of {spoken(film.finding)}."
        )


def _show_small(film: Shown, source: FilmSource, key: str) -> None:
    """One film, if it is here, with its boxes, what is said of it, and the ways to look at it and read it."""
    path = source.folder.paths.get(film.stem) if source.folder else None
    if path is not None:
        try:
            own = source.boxes[source.boxes["stem"] == film.stem]
            picture = cached_thumbnail(str(path), path.stat().st_mtime, own)
            st.image(picture, alt=f"Film {film.stem}")
        except (ImageError, OSError) as error:
            st.error(page_sentence(error))
    st.caption(film.caption)
    if source.folder is not None and path is not None:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.button(
                "View", key=f"view-{key}", help=f"View {film.stem}", on_click=_choose, args=(film.stem,)
            )
            if not is_public():  # there no film of a folder is read, and nothing names a folder's path
                st.page_link(
                    READ_PAGE,
                    label="Read it",
                    icon=":material/radiology:",
                    query_params={"film": film.stem, "model": source.model, "data": str(source.folder.root)},
                )
