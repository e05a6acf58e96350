"""The film of the Label page, the form beside it, and what the model says once the answer is saved."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st
from film_viewer import show_viewer
from page_label_form import show_form
from page_reader import Opened, open_doubted, open_films, open_model
from page_thumbnails import cached_film

from xlite.data.doubts import DOUBTS_FILE
from xlite.data.eda.doubted import doubts_of_film
from xlite.data.folder import changes
from xlite.errors import ImageError
from xlite.images import read_image
from xlite.labelling.due import Task
from xlite.labelling.entry import Entry
from xlite.labelling.sentences import disputed, doubts_sentence, opinion_words
from xlite.labelling.sitting import Sitting, boxes_of_others
from xlite.messages import literal, page_sentence, said
from xlite.models.available import model_files
from xlite.pixels import RELEASE_SIDE
from xlite.serving.viewer_data import FilmBox

if TYPE_CHECKING:
    from xlite.serving.viewer import FilmView
    from xlite.serving.viewer_data import ViewerMap

_UNSEEN = (RELEASE_SIDE, RELEASE_SIDE)


@st.cache_resource(max_entries=4, show_spinner="Asking the model")
def cached_view(model: tuple[str, int], _opened: Opened, path: str, changed: float) -> "FilmView":
    """What a model says of a film, which every visitor shares and nothing changes. Raises ImageError."""
    from xlite.serving.viewer import view

    return view(_opened.reader, Path(path).name, read_image(Path(path)))


def own_sitting(sitting: Sitting) -> Sitting:
    """This tab's sitting: that of its last run, unless it was another labelling's or reader's."""
    kept: Sitting | None = st.session_state.get("sitting")
    if kept is None or (kept.labelling, kept.reader) != (sitting.labelling, sitting.reader):
        st.session_state["sitting"] = kept = sitting
    return kept


def show_film(sitting: Sitting, now: Task | Entry) -> None:
    """The film, the form, and, once the answer is saved, what the model says."""
    root = sitting.labelling.settings.data
    folder = open_films(root, changes(Path(root))).folder
    path = folder.paths.get(now.film)
    view = _opinion(sitting, now, path) if isinstance(now, Entry) and path else None
    reading = view.answer.reading if view and view.answer else None
    maps, opinion = {}, {}
    if reading:
        from xlite.serving.viewer_data import maps_of

        maps, opinion = maps_of(reading), opinion_words(reading)
    _say_what_is_asked(now)
    if isinstance(now, Entry):
        _say_doubts(sitting, now)
    left, right = st.columns([3, 2], gap="medium")
    with left:
        shape = _show_picture(now, path, maps)
    with right:
        show_form(sitting.form_data(now, shape, opinion), "label-form", sitting.take)


def _say_what_is_asked(now: Task | Entry) -> None:
    if isinstance(now, Task) and now.is_dispute:
        names = " and ".join(literal(one.reader) for one in now.others)
        count = len(disputed(now))
        st.info(
            f"{names} disagree on {count} of the 14 findings of this film. Both answers stand below each of "
            "these, and yours settles it; the others have what both said."
        )


def _say_doubts(sitting: Sitting, now: Entry) -> None:
    """Which of the film's labels in the data folder are in doubt, and how the answer compares."""
    root = sitting.labelling.settings.data
    changed = changes(Path(root))
    doubted = open_doubted(root, changed)
    if doubted is None or not _wants_opinion():
        return
    if doubted.fault:
        st.warning(page_sentence(doubted.fault))
    folder = open_films(root, changed).folder
    [row], [labels] = folder.rows([now.film]), folder.labels([now.film])
    if sentence := doubts_sentence(doubts_of_film(labels, doubted.probs[row]), now.answers):
        sitting.labelling.note_opinion(sitting.reader, now.film, DOUBTS_FILE)
        st.info(said(sentence))


def _wants_opinion() -> bool:
    return bool(st.session_state.get("opinion", True))


def _show_picture(now: Task | Entry, path: Path | None, maps: "Mapping[str, ViewerMap]") -> tuple[int, int]:
    """The film in the viewer; the (H, W) of its picture. A film that cannot be read has a sentence."""
    try:
        if path is None:
            raise ImageError(f"the picture of {now.film} is not in the data folder any more")
        picture = cached_film(str(path), path.stat().st_mtime)
    except (ImageError, OSError) as error:
        st.error(f"{page_sentence(error)}. Say unsure to what cannot be seen, and go on.")
        return _UNSEEN
    others = () if isinstance(now, Entry) else now.others
    boxes = [FilmBox(*one) for one in boxes_of_others(others, picture.shape)]
    show_viewer(picture, name=now.film, key="label-viewer", maps=maps, boxes=boxes)
    return picture.shape


def _opinion(sitting: Sitting, now: Entry, path: Path) -> "FilmView | None":
    """What the model on duty says of the film; None, with a sentence, if nobody asks or it cannot tell."""
    from xlite.report.film_sentences import guard_alert

    models = model_files()
    if not _wants_opinion() or not models:
        return None
    opened = open_model(models, next(iter(models)))
    sitting.labelling.note_opinion(sitting.reader, now.film, opened.name)
    try:
        view = cached_view(opened.file, opened, str(path), path.stat().st_mtime)
    except (ImageError, OSError):  # the viewer's place has the sentence
        return None
    if view.answer and (alert := guard_alert(view.answer)):
        st.warning(said(" ".join([f"{alert.title}.", *alert.sentences])))
    return view
