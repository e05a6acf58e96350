"""The page of the Gradio demo: films in; verdict, probabilities, maps and what they are worth out."""

import html
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr
from share_html import files_html, film_html, findings_html, notice_html, overview_html

from xlite.errors import XliteError
from xlite.examples import examples
from xlite.explain import DEFAULT_METHOD, METHODS
from xlite.explain.drawing import OPACITY
from xlite.findings import FINDINGS, spoken
from xlite.formats import FORMATS
from xlite.images import MAX_FILMS, MAX_UPLOAD_MB, read_image
from xlite.messages import in_words, literal
from xlite.report.film_sentences import offer_words
from xlite.serving.viewer import FilmView, map_methods, view, view_upload, with_own_names
from xlite.text import percent

if TYPE_CHECKING:
    from xlite.guarded import GuardedReader
    from xlite.reading import Reading

SHOWN_PX = 800
READS: dict[str, Any] = {"concurrency_limit": 2, "concurrency_id": "reading"}
"""So many visitors are answered at once: decoding a film takes up to 500 MB."""
ASKED: dict[str, Any] = {"api_visibility": "private", **READS}
AT_ONCE: dict[str, Any] = {"api_visibility": "private", "queue": False}
"""How events of the page are answered: in turn, or at once if nothing is to be computed."""
MAX_WAITING = 64
"""So many visitors wait for that; the next one is told that the demo is busy."""
SHOWN_KEPT_S = 3600
"""So long a visitor's films stay in memory at most."""
NOTICE = "Research software, not for clinical use. Its output is not a diagnosis. Films are not kept."
GONE = "That film is no longer here, because films are not kept: choose it again"


@dataclass(frozen=True, eq=False)
class Visit:
    """What a visitor had read, by the places of the uploads, deleted since; `shown` is one of these places.

    `left_out` are the names of those beyond MAX_FILMS, which were not read.
    """

    films: dict[str, FilmView]
    shown: str
    left_out: Sequence[str] = ()

    @property
    def film(self) -> FilmView:
        """What is shown."""
        return self.films[self.shown]

    def having(self, film: FilmView) -> "Visit":
        """The same with another view of the film that is shown."""
        return replace(self, films={**self.films, self.shown: film})


class Demo:
    """What happens on the page. Nothing in it changes: what a visitor had read is in a `Visit`."""

    def __init__(self, reader: "GuardedReader") -> None:
        self.reader = reader

    def read(self, uploads: Sequence[str], visit: Visit | None) -> Visit:
        """The uploads, each read once, and deleted whether it can be read or not; a new one is shown."""
        known = visit.films if visit else {}
        for upload in uploads[MAX_FILMS:]:
            Path(upload).unlink(missing_ok=True)
        first = list(map(str, uploads[:MAX_FILMS]))
        films = {upload: known.get(upload) or self._read_and_delete(Path(upload)) for upload in first}
        films = with_own_names({at: replace(film, name=Path(at).name) for at, film in films.items()})
        shown = next((upload for upload in first if upload not in known), first[0])
        return Visit(films, shown, [Path(upload).name for upload in uploads[MAX_FILMS:]])

    def example(self, name: str) -> Visit:
        """The bundled film of that name."""
        title, example = next(one for one in examples().items() if one[1].path.stem == name)
        film = view(self.reader, f"Synthetic film {title}", read_image(example.path), SHOWN_PX)
        return Visit({name: film}, name)

    def with_maps(self, visit: Visit, method: str) -> Visit:
        """The same, the film that is shown with maps of that kind."""
        try:
            return visit.having(visit.film.with_maps(self.reader.classifier, method))
        except XliteError as error:
            raise page_error(in_words(error)) from error

    def _read_and_delete(self, upload: Path) -> FilmView:
        try:
            return view_upload(self.reader, upload.name, upload.read_bytes(), SHOWN_PX)
        except FileNotFoundError:
            return FilmView(upload.name, error=GONE)
        finally:
            upload.unlink(missing_ok=True)


@dataclass(frozen=True)
class Screen:
    """The parts of the page that show what was read, and what a visitor chooses there.

    `visit` is what the visitor had read; `method` and `opacity` stay from film to film.
    """

    visit: gr.State
    overview: gr.HTML
    which: gr.Dropdown
    notice: gr.HTML
    turn: gr.Button
    controls: gr.Row
    finding: gr.Dropdown
    method: gr.Dropdown
    opacity: gr.Slider
    film: gr.HTML
    findings: gr.HTML
    files: gr.HTML
    probabilities: gr.Label

    @property
    def parts(self) -> list[Any]:
        """The outputs that `nothing` and `showing` fill."""
        above = [self.overview, self.which, self.notice, self.turn, self.controls, self.finding]
        return [self.visit, *above, self.film, self.probabilities, self.findings, self.files]


def nothing(visit: Visit | None = None) -> list[Any]:
    """What fills the screen while films are read, and if there are none."""
    hidden: dict[str, Any] = {"visible": False}
    return [
        visit,
        gr.HTML("", **hidden),
        gr.Dropdown(**hidden),
        gr.HTML("", **hidden),
        gr.Button(**hidden),
        gr.Row(**hidden),
        gr.Dropdown(),
        "",
        gr.Label(value=None, **hidden),
        "",
        "",
    ]


def showing(demo: Demo, visit: Visit, method: str, opacity: int) -> list[Any]:
    """What fills the screen once films were read; the map is that of the likeliest finding."""
    visit = demo.with_maps(visit, method)
    film, films = visit.film, list(visit.films.values())
    answer = film.answer
    reading = answer.reading if answer else None
    names = [(view.name, upload) for upload, view in visit.films.items()]
    words = "Read it as it came" if film.is_turned or not answer else offer_words(answer.guards.offers)
    overview, notice = overview_html(films, visit.left_out), notice_html(film)
    return [
        visit,
        gr.HTML(overview, visible=bool(overview)),
        gr.Dropdown(names, value=visit.shown, visible=len(films) > 1),
        gr.HTML(notice, visible=bool(notice)),
        gr.Button(words, visible=film.mended is not None),
        gr.Row(visible=reading is not None),
        finding_choice(reading),
        film_html(film, None, opacity / 100),
        gr.Label(value=bars(reading), visible=reading is not None),
        findings_html(film),
        files_html(demo.reader.classifier, films),
    ]


def finding_choice(reading: "Reading | None") -> gr.Dropdown:
    """The findings, likeliest first, each with its probability."""
    if reading is None:
        return gr.Dropdown()
    found = reading.top(len(FINDINGS))
    names = [(f"{spoken(finding)}, {percent(probability)}", finding) for finding, probability in found]
    return gr.Dropdown(names, value=found[0][0])


def probabilities(film: FilmView) -> dict[str, float] | None:
    """The 14 probabilities of a film by finding; None if it is refused or could not be read."""
    reading = film.answer.reading if film.answer else None
    return {spoken(finding): reading.probability(finding) for finding in FINDINGS} if reading else None


def bars(reading: "Reading | None") -> dict[str, float] | None:
    """The 14 probabilities by what stands at each bar, as the bars themselves would say whole per cents."""
    if reading is None:
        return None
    return {f"{spoken(finding)} {percent(p)}": p for finding, p in reading.top(len(FINDINGS))}


def build(reader: "GuardedReader") -> gr.Blocks:
    """The page with its events, and the queue that visitors wait in."""
    demo = Demo(reader)
    with gr.Blocks(title="X-Lite", analytics_enabled=False) as blocks:
        gr.Markdown(f"# X-Lite reads chest films\n**{NOTICE}**")
        with gr.Row():
            with gr.Column(scale=2):
                title = f"Up to {MAX_FILMS} chest films"
                uploads = gr.File(label=title, file_count="multiple", type="filepath", height=150)
                gr.Markdown(f"{FORMATS}, at most {MAX_UPLOAD_MB} MB each")
                button = gr.Button("Read", variant="primary")
                bundled = add_examples()
                gr.Markdown(literal(reader.classifier.about))
            with gr.Column(scale=5):
                screen = add_screen(map_methods(reader.classifier))
        add_programs(demo, screen)  # before the others, which would take the name /read
        add_reading(demo, screen, uploads, button, bundled)
        add_choices(demo, screen)
    blocks.queue(max_size=MAX_WAITING)
    made: gr.Blocks = blocks
    return made


def add_examples() -> gr.Dropdown:
    """A choice of the bundled synthetic films; not seen if none are installed."""
    names = [(title, example.path.stem) for title, example in examples().items()]
    return gr.Dropdown(names, value=None, label="or a bundled synthetic film", visible=bool(names))


def add_screen(methods: Sequence[str]) -> Screen:
    """What shows the films, from the top down."""
    overview = gr.HTML(visible=False)
    which = gr.Dropdown(label="Film shown", visible=False)
    notice = gr.HTML(visible=False)
    turn = gr.Button(visible=False, variant="primary")
    with gr.Row(visible=False) as controls:
        finding = gr.Dropdown(label="Map of", min_width=220)
        kinds = [(METHODS[name].title, name) for name in methods]
        method = gr.Dropdown(kinds, value=DEFAULT_METHOD, label="How the maps are made", min_width=220)
        opacity = gr.Slider(0, 100, round(100 * OPACITY), step=5, label="Opacity (%)", min_width=220)
    visit = gr.State(time_to_live=SHOWN_KEPT_S)
    with gr.Row():
        with gr.Column(scale=3, min_width=320):
            film = gr.HTML()
        with gr.Column(scale=2, min_width=260):
            label = gr.Label(
                label="All 14 findings",
                num_top_classes=len(FINDINGS),
                show_heading=False,
                visible=False,
                elem_id="bars",
            )
    findings, files = gr.HTML(), gr.HTML()
    return Screen(
        visit, overview, which, notice, turn, controls, finding, method, opacity, film, findings, files, label
    )


def add_reading(
    demo: Demo, screen: Screen, uploads: gr.File, button: gr.Button, bundled: gr.Dropdown
) -> None:
    """Films are read as soon as they have arrived or are chosen; what stood there goes before."""

    def read(chosen: list[str] | None, visit: Visit | None, *how: Any) -> Iterator[list[Any]]:
        yield nothing(visit)
        if not chosen:
            raise page_error("Choose a film first")
        yield showing(demo, demo.read(chosen, visit), *how)

    def read_example(name: str, *how: Any) -> Iterator[list[Any]]:
        yield nothing()
        yield showing(demo, demo.example(name), *how)

    how = [screen.method, screen.opacity]
    triggers = [uploads.upload, uploads.delete, button.click]
    gr.on(triggers, read, [uploads, screen.visit, *how], screen.parts, **ASKED)
    bundled.input(read_example, [bundled, *how], screen.parts, **ASKED)
    bundled.input(lambda: None, None, uploads, **AT_ONCE)
    gr.on([uploads.upload, button.click], lambda: None, None, bundled, **AT_ONCE)
    uploads.clear(nothing, None, screen.parts, **AT_ONCE)


def add_choices(demo: Demo, screen: Screen) -> None:
    """What a visitor may choose of films that were read."""

    def choose(upload: str, visit: Visit, *how: Any) -> list[Any]:
        return showing(demo, replace(visit, shown=upload), *how)

    def turn(visit: Visit, *how: Any) -> list[Any]:
        return showing(demo, visit.having(visit.film.turned()), *how)

    def draw(finding: str, visit: Visit, method: str, opacity: int) -> tuple[Visit, str]:
        visit = demo.with_maps(visit, method)
        return visit, film_html(visit.film, finding, opacity / 100)

    asks = [screen.visit, screen.method, screen.opacity]
    screen.which.input(choose, [screen.which, *asks], screen.parts, **ASKED)
    screen.turn.click(turn, asks, screen.parts, **ASKED)
    # Also by keyboard, with which a slider has no release; of what comes meanwhile only the last is drawn.
    triggers = [screen.finding.input, screen.method.input, screen.opacity.input]
    drawn = [screen.visit, screen.film]
    gr.on(triggers, draw, [screen.finding, *asks], drawn, trigger_mode="always_last", **ASKED)


def add_programs(demo: Demo, screen: Screen) -> None:
    """The same for programs, film by film: `/read` and `/example` answer with HTML and probabilities."""

    def read(upload: str | None, visit: Visit | None) -> Iterator[tuple[str, dict[str, float] | None, Any]]:
        yield "", None, visit
        if upload is None:
            raise page_error("Choose a film first")
        after = demo.read([upload], visit)
        if after.film.error:
            raise page_error(after.film.error)
        yield *for_programs(after), after

    film, name = gr.File(visible=False), gr.Textbox(visible=False)
    shown = [screen.film, screen.probabilities]
    gr.Button(visible=False).click(
        read, [film, screen.visit], [*shown, screen.visit], api_name="read", **READS
    )
    gr.Button(visible=False).click(
        lambda name: for_programs(demo.example(name)), name, shown, api_name="example", **READS
    )


def for_programs(visit: Visit) -> tuple[str, dict[str, float] | None]:
    """What a film shows, as HTML, and its probabilities by finding."""
    film = visit.film
    return notice_html(film) + film_html(film) + findings_html(film), probabilities(film)


def page_error(sentence: str) -> Exception:
    """An error that Gradio shows to the visitor."""
    return gr.Error(html.escape(sentence, quote=False), print_exception=False)
