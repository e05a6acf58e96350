"""Parts of the Results page that go back to the films: a threshold tried out, and errors as films."""

from collections.abc import Iterable, Iterator
from contextlib import nullcontext, suppress
from pathlib import Path

import streamlit as st
from page_results_film import FilmSource, Shown, show_rows
from page_shared import QUIET_BAR, data_folder

from xlite.data.folder import Changes, NihFolder, changes
from xlite.data.joined import open_data
from xlite.errors import DataError, XliteError
from xlite.evaluation.files import LABELS_FILE
from xlite.findings import FINDINGS, spoken
from xlite.messages import literal, page_sentence, said
from xlite.metrics.bootstrap import Resamples
from xlite.metrics.operating_point import OperatingPoint, operating_point, too_few
from xlite.metrics.per_finding import prevalence as prevalence_of
from xlite.public import is_public, refuse_in_public
from xlite.report.box_targets import best_and_worst, methods_of, read_targets, target_caption
from xlite.report.caveat_sentences import map_name
from xlite.report.charts.lines import line_colors
from xlite.report.charts.rates import Kind, Mark, curve_of, curves_figure
from xlite.report.document import Alert, Block, Chart, to_markdown
from xlite.report.judged import (
    MISTAKE_KINDS,
    JudgedFilms,
    judged_films,
    mistake_caption,
    mistakes,
    mistakes_title,
)
from xlite.report.saved import Evaluation, newest_of
from xlite.report.sections.operating import (
    not_labelled_sentence,
    not_offered_sentence,
    operating_table,
    point_sentence,
    rule_cuts,
)
from xlite.report.view import View
from xlite.runs.hand_threshold import choice_warnings, is_shipped, keep_threshold
from xlite.text import percent

KINDS: tuple[Kind, Kind] = ("roc", "pr")
KIND_WORDS = {"roc": "ROC curve", "pr": "Precision-recall curve"}
MOST_SHOWN = 8
PER_CENT = 0.01, 99.99


def show(blocks: Iterable[Block], key: str) -> None:
    """Shows the blocks of a section of the report."""
    for place, block in enumerate(blocks):
        if isinstance(block, Chart):
            alt = block.caption or f"Chart of the section {key}"
            with st.container(key=f"wide-{key}-{place}") if block.wide else nullcontext():
                st.plotly_chart(block.draw(), key=f"{key}-{place}", config=QUIET_BAR, alt=alt)
            st.caption(literal(block.caption))
        elif isinstance(block, Alert):
            box = st.error if block.grave else st.warning
            lines = "".join(f"\n- {said(line)}" for line in block.sentences)
            box(f"**{literal(block.title)}**\n{lines}", icon=":material/warning:")
        else:
            st.markdown(to_markdown("", [block], escape=literal))


@st.cache_resource(max_entries=2, show_spinner="Reading the table")
def open_folder(root: str, changed: Changes) -> NihFolder:
    """The data folder; `changed` renews the cache. Never mutated."""
    return open_data(root)


def folder_here() -> NihFolder | None:
    """The data folder of the sidebar, if there is one."""
    try:
        root = data_folder()
        return open_folder(str(root), changes(root)) if root else None
    except DataError:  # what is wrong with it the page that explores it says
        return None


def folder_of_labels(*evaluations: Path) -> tuple[NihFolder | None, Changes | None]:
    """The data folder of the sidebar, and its state, if no labels lie beside any of these evaluations."""
    if any((place / LABELS_FILE).is_file() for place in evaluations):
        return None, None
    folder = folder_here()
    return folder, changes(folder.root) if folder else None


@st.cache_resource(max_entries=4, show_spinner="Reading the predictions")
def open_films(
    _evaluation: Evaluation, _folder: NihFolder | None, key: tuple[object, ...]
) -> tuple[JudgedFilms, Resamples]:
    """The films judged and their resampled patients; `key` renews the cache. Never mutated."""
    films, drawn = judged_films(_evaluation, _folder), _evaluation.report.bootstrap
    return films, Resamples(films.patients, drawn.resamples, drawn.seed)


def films_of(evaluation: Evaluation) -> tuple[JudgedFilms, Resamples]:
    """`open_films` of an evaluation, with labels from the data folder of the sidebar if it has none."""
    folder, changed = folder_of_labels(evaluation.folder)
    return open_films(evaluation, folder, (str(evaluation.folder), evaluation.written, changed))


def choose_finding() -> str:
    """One finding."""
    left, _ = st.columns([2, 3])
    return left.selectbox("Finding", FINDINGS, format_func=spoken, key="finding", bind="query-params")


def ask_point(evaluation: Evaluation, finding: str, share: float) -> tuple[float, float]:
    """The threshold to try out and the prevalence, both 0-1; of another finding they begin anew."""
    cuts = rule_cuts(evaluation.report, finding)
    low, high = PER_CENT
    usual = min(high, max(low, round(100 * share, 2)))
    cut = 100 * next(iter(cuts.values()), usual / 100)
    now = (evaluation.model, evaluation.judged_on, finding)
    if st.session_state.get("tried", now) != now:
        st.session_state["cut"], st.session_state["prevalence"] = cut, usual
    st.session_state["tried"] = now
    left, right = st.columns([3, 1], vertical_alignment="bottom")
    tried = left.slider("Threshold", 0.0, 100.0, cut, 0.1, "%.1f %%", key="cut", bind="query-params")
    there = right.number_input(
        "Prevalence, %",
        low,
        high,
        usual,
        0.1,
        key="prevalence",
        bind="query-params",
        help=f"On the films judged it is {usual:g} %.",
    )
    with st.container(horizontal=True):
        for title, one in cuts.items():
            st.button(f"{title}, {percent(one)}", on_click=try_cut, args=(one,), type="tertiary")
    return tried / 100, there / 100


def try_cut(cut: float) -> None:
    """Moves the slider."""
    st.session_state["cut"] = 100 * cut


def show_point(evaluation: Evaluation, view: View, found: list[Evaluation], path: Path | None) -> None:
    """One finding at a threshold that is tried out, on its curves, and the way to keep it."""
    finding = choose_finding()
    films, resamples = films_of(evaluation)
    column = FINDINGS.index(finding)
    labels, probs = films.labels[:, column], films.probs[:, column]
    if few := too_few(labels, films.patients):
        st.info(not_offered_sentence(finding, few))
        return
    cut, prevalence = ask_point(evaluation, finding, float(prevalence_of(labels)))
    point = operating_point(labels, probs, resamples, cut)
    show([operating_table(view, point, prevalence)], "point")
    show_on_curves(view, finding, point)
    offer_to_keep(evaluation, films, finding, cut, found, path)


def show_on_curves(view: View, finding: str, point: OperatingPoint) -> None:
    """The point on the ROC and the precision-recall curve."""
    colors = line_colors(st.context.theme.type)
    specificity, sensitivity = point.specificity.value or 0.0, point.sensitivity.value or 0.0
    marks = {"roc": (1 - specificity, sensitivity), "pr": (sensitivity, point.precision)}
    for column, kind in zip(st.columns(2), KINDS, strict=True):
        x, y = marks[kind]
        mark = None if y is None else Mark(float(x or 0), y, f"at {percent(point.cut)}")
        line = curve_of(view.curves[finding], kind, spoken(finding))
        figure = curves_figure([line], (), kind, colors, mark=mark)
        alt = f"{KIND_WORDS[kind]} of {spoken(finding)}. {point_sentence(point)}"
        column.plotly_chart(figure, key=f"point-{kind}", config=QUIET_BAR, alt=alt)
    st.caption(f"Precision on these films holds at their prevalence of {point.prevalence:.1%}.")


def offer_to_keep(
    evaluation: Evaluation,
    films: JudgedFilms,
    finding: str,
    cut: float,
    found: list[Evaluation],
    path: Path | None,
) -> None:
    """The button that writes the threshold into the model's file, and what came of it."""
    if is_public():
        return
    told = st.session_state.pop("kept", None)
    if told is not None:
        lines = "".join(f"\n- {literal(line)}" for line in told.costs)
        st.success(f"{literal(told.done)}\n{lines}", icon=":material/check:")
    if path is None or is_shipped(path):
        st.caption(
            "A model that comes with X-Lite keeps its thresholds. Of a model of your own the threshold tried "
            "out here can be kept."
        )
        return
    for sentence in choice_warnings(evaluation.report):
        st.warning(said(sentence), icon=":material/warning:")
    name = f"Keep {percent(cut)} as the threshold of {spoken(finding)}"
    if st.button(name, icon=":material/push_pin:"):
        try:
            refuse_in_public("change thresholds")
            others = list(other_films(evaluation, found))
            kept = keep_threshold(path, evaluation, films, finding, cut, others)
            st.session_state["kept"] = kept
            st.rerun()
        except (XliteError, OSError) as error:
            st.error(page_sentence(error))


def other_films(evaluation: Evaluation, found: list[Evaluation]) -> Iterator[JudgedFilms]:
    """The films of the model's other evaluations, of those that have labels here."""
    for one in newest_of(evaluation.model, found):
        if one is not evaluation:
            with suppress(XliteError, OSError):
                yield films_of(one)[0]


def show_targets(evaluation: Evaluation, path: Path | None) -> None:
    """The films whose boxes a kind of map meets best, and those that it meets worst."""
    targets = read_targets(evaluation.folder)
    if not targets:
        if evaluation.report.localisation is not None:
            st.caption("Evaluate the model again to see on which films its maps meet the boxes.")
        return
    methods = methods_of(targets)
    method = st.segmented_control(
        "Films by", methods, default=methods[0], format_func=map_name, required=True, key="by-map"
    )
    found = best_and_worst(targets, method, MOST_SHOWN)
    rows = [
        (
            f"**{title}**: where the map meets the boxes",
            [Shown(one.stem, one.finding, target_caption(one)) for one in some],
        )
        for title, some in zip(("Best", "Worst"), found, strict=True)
    ]
    show_rows(rows, FilmSource.of(folder_here(), evaluation.model, path, method))


def show_mistakes(evaluation: Evaluation, path: Path | None) -> None:
    """The films on which the model was farthest from the label of a finding."""
    finding = choose_finding()
    if not evaluation.report.per_class[finding].labelled:
        st.info(not_labelled_sentence(finding))
        return
    films, _ = films_of(evaluation)
    folder, cut = folder_here(), evaluation.report.per_class[finding].threshold
    if folder is None or not folder.is_phantom:
        st.caption(
            "Labels were taken from radiology reports by a program: on films like these it may be the label "
            "that is wrong, and not the model."
        )
    rows = [
        (
            mistakes_title(finding, cut, kind),
            [
                Shown(one.stem, finding, mistake_caption(one))
                for one in mistakes(films, finding, cut, kind, MOST_SHOWN)
            ],
        )
        for kind in MISTAKE_KINDS
    ]
    show_rows(rows, FilmSource.of(folder, evaluation.model, path))
    if folder is None:
        st.caption("Name in the sidebar the data folder that these films are in, and they are shown.")
