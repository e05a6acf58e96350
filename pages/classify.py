from pathlib import Path

import streamlit as st

from xlite.catalog import MAPS, examples, map_legend
from xlite.errors import ImageError, XliteError
from xlite.findings import FINDINGS, spoken
from xlite.messages import page_sentence
from xlite.models.available import model_files

MAX_UPLOAD_MB = 20


@st.cache_resource(max_entries=3, show_spinner="Loading the model")
def open_classifier(path: Path, changed: int):
    """The model that every visitor shares and nothing changes; a newer file at that path is another model."""
    from xlite.classify import Classifier

    return Classifier.load(path)


def choose_film(upload, place) -> tuple[bytes, str] | None:
    """The bytes of the upload, else of the chosen bundled film, and a name to show."""
    labels = {f"{number}. {example.findings}": example for number, example in enumerate(examples(), start=1)}
    chosen = place.selectbox(
        "or a bundled synthetic film",
        list(labels),
        disabled=upload is not None or not labels,
        placeholder="none installed",
        help="Drawn by X-Lite, not a patient. Its name says what was drawn into it.",
    )
    if upload is not None:
        return upload.getvalue(), upload.name
    return (labels[chosen].path.read_bytes(), f"Synthetic film {chosen}") if chosen else None


@st.fragment
def show_film(image, reading, name: str, method: str) -> None:
    """The film with the map of one finding over it."""
    top = [finding for finding, _ in reading.top(3)]
    order = top + [finding for finding in FINDINGS if finding not in top]
    probabilities = dict(zip(FINDINGS, reading.probabilities, strict=True))
    pick, slide = st.columns([3, 2], vertical_alignment="bottom")
    finding = pick.selectbox(
        "Map of",
        order,
        format_func=lambda name: f"{spoken(name)}, {probabilities[name]:.1%}",
        key=f"map-{name}",
    )
    opacity = slide.slider("Opacity", 0, 100, 45, step=5, format="%d %%", help="0 shows the bare film")
    fault, caution = reading.fault(finding), reading.caution(finding)
    if fault:
        st.info(f"Not painted: the map of {spoken(finding).lower()} {fault}.")
    elif caution:
        st.info(caution)
    st.image(
        reading.overlay(image, finding, opacity / 100),
        caption=f"{name}, map of {spoken(finding).lower()}"
        + ("" if fault else "; the square is one cell of the map"),
        width="stretch",
    )
    st.caption(map_legend(reading.maps.shape[1:], method))


def choose_map() -> None:
    """How the maps are made, and one line on what differs; the page is drawn anew with the choice."""
    with st.expander("How the maps are made"):
        method = st.selectbox(
            "Method", list(MAPS), format_func=lambda method: MAPS[method][0], key="map-method"
        )
        st.caption(MAPS[method][1])


def show_top(image, reading, thresholds: dict[str, float] | None) -> None:
    """The three likeliest findings, each with its own map."""
    st.subheader("Most likely findings")
    if also := also_above(reading, thresholds or {}):
        st.markdown(f"Beyond these three, above the model's threshold: {', '.join(also)}.")
    for column, (finding, probability) in zip(st.columns(3), reading.top(3), strict=True):
        with column.container(border=True):
            over = thresholds is not None and probability >= thresholds[finding]
            st.metric(spoken(finding), f"{probability:.1%}")
            if thresholds is not None:
                word = "above" if over else "below"
                st.caption(f"{word} the model's threshold of {thresholds[finding]:.1%}")
            st.image(reading.overlay(image, finding), width="stretch")
            if fault := reading.fault(finding):
                st.caption(f"Its map {fault}.")


def also_above(reading, thresholds: dict[str, float]) -> list[str]:
    """The findings above their threshold that are not among the three likeliest, likeliest first."""
    rest = reading.top(len(FINDINGS))[3:]
    return [
        f"{spoken(finding)} ({probability:.1%})"
        for finding, probability in rest
        if finding in thresholds and probability >= thresholds[finding]
    ]


def show_reading(classifier, film: tuple[bytes, str]) -> None:
    """Everything that the model says about one film."""
    from xlite.evaluation.cams import read_film
    from xlite.explain import shrink
    from xlite.images import read_image
    from xlite.plots import probability_bars

    if len(film[0]) > MAX_UPLOAD_MB * 2**20:
        raise ImageError(
            f"{film[1]} has {len(film[0]) / 2**20:.1f} MB: films may have {MAX_UPLOAD_MB} MB at most"
        )
    image = read_image(film[0])
    method = st.session_state.get("map-method", "layercam")
    reading = read_film(classifier, image, method)
    image = shrink(image)  # a screen shows no more, and an overlay of a 64-megapixel film costs seconds
    reading = reading.in_frame(image.shape)
    thresholds = classifier.info.thresholds
    left, right = st.columns([3, 2], gap="large")
    with left:
        show_film(image, reading, film[1], method)
    with right:
        st.markdown("**All 14 findings**")
        st.plotly_chart(probability_bars(reading.probabilities, thresholds), config={"displayModeBar": False})
        if thresholds is None:
            st.caption("This model has no thresholds yet: read the order, not the height, of the bars.")
        else:
            st.caption(
                "Coloured: at or above the model's own threshold (amber tick), chosen on validation films."
            )
        choose_map()
    show_top(image, reading, thresholds)


@st.fragment
def read_with_a_model(upload) -> None:
    """A model and its reading of the upload, or of a bundled film.

    A fragment, for Streamlit forgets an upload that begins while the whole page is being drawn anew.
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
            shared = open_classifier(models[model], models[model].stat().st_mtime_ns)
            about.caption(
                f"Model {model}: {shared.info.backbone}, trained on split {shared.info.split_id} "
                f"({shared.info.label_version} labels). Its probabilities come from a research model: "
                "they rank, they do not diagnose."
            )
            show_reading(shared, film)
        except (XliteError, OSError) as error:
            st.error(page_sentence(error))


st.title("Read a film")
read_with_a_model(
    st.file_uploader(
        "Chest film (PNG, JPEG or DICOM, at most 20 MB)",
        type=["png", "jpg", "jpeg", "dcm"],
        max_upload_size=MAX_UPLOAD_MB,
        help="It stays in this page's memory and is not stored.",
    )
)
