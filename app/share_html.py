"""What the Gradio demo shows of a film, as HTML that embeds its pictures and files: nothing is written."""

import base64
import html
from collections.abc import Sequence
from typing import TYPE_CHECKING

from xlite.explain.drawing import OPACITY
from xlite.findings import spoken
from xlite.guarded import GuardedReading
from xlite.report.document import alert_html, table_html
from xlite.report.film_sentences import films_table, guard_alert, too_many_words
from xlite.report.reading_sentences import also_above_sentence, map_sentence, thresholds_sentence
from xlite.report.worth import worth_sentences, worth_table
from xlite.serving.viewer import FilmView, films_csv, films_json
from xlite.text import percent

if TYPE_CHECKING:
    import numpy as np

    from xlite.classify import Classifier
    from xlite.reading import Reading


def film_html(film: FilmView, finding: str | None = None, opacity: float = OPACITY) -> str:
    """The film with the map of a finding, the likeliest if none is given.

    Of a film that is refused the picture alone, of a file that could not be read nothing.
    """
    answer = film.answer
    if answer is None:
        return ""
    reading = answer.reading
    if reading is None:
        return _figure(answer.film, film.name)
    finding = finding or reading.top(1)[0][0]
    said = [sentence for sentence in (map_sentence(reading, finding), reading.legend()) if sentence]
    cell = "" if reading.fault(finding) else "; the square is one cell of the map"
    caption = f"{film.name}, map of {spoken(finding).lower()}{cell}"
    return _figure(reading.overlay(answer.film, finding, opacity), caption, said)


def findings_html(film: FilmView) -> str:
    """The likeliest findings with their maps, and what each verdict is worth; empty if there are none."""
    answer = film.answer
    if answer is None or answer.reading is None:
        return ""
    reading = answer.reading
    sentences = [also_above_sentence(reading), thresholds_sentence(reading)]
    return "".join(
        [
            "<h3>Most likely findings</h3>",
            *(f"<p>{html.escape(sentence)}</p>" for sentence in sentences if sentence),
            f'<div class="film-row">{"".join(_top(answer, reading))}</div>',
            "<h3>What each verdict is worth</h3>",
            table_html(worth_table(reading.worths())),
        ]
    )


def notice_html(film: FilmView) -> str:
    """What the guards say of a film, or why its file could not be read; empty if there is nothing to say."""
    if film.answer is None:
        return f'<div class="alert grave" role="alert">{html.escape(film.error or "")}</div>'
    alert = guard_alert(film.answer)
    return alert_html(alert) if alert else ""


def overview_html(films: Sequence[FilmView], left_out: Sequence[str]) -> str:
    """What was found in each of several films, and the names of those left out; empty for one alone."""
    rows = ((film.name, film.answer or film.error or "") for film in films)
    more = f"<p>{html.escape(too_many_words(left_out, len(films)))}</p>"
    return more + table_html(films_table(rows)) if len(films) > 1 else ""


def files_html(classifier: "Classifier", films: Sequence[FilmView]) -> str:
    """Links that save what is shown of all films, as CSV and as JSON; none of what would be empty."""
    answers = [film.answer for film in films if film.answer]
    links = []
    if any(answer.reading for answer in answers):
        links.append(_link("Table (CSV)", "xlite.csv", "text/csv", films_csv(films)))
    if answers:
        text = films_json(classifier, films)
        links.append(_link("All facts (JSON)", "xlite.json", "application/json", text))
    return f'<p class="files">{"".join(links)}</p>' if links else ""


def _top(answer: GuardedReading, reading: "Reading") -> list[str]:
    """The three likeliest findings, each with its own map and what its probability is worth."""
    figures = []
    for finding, probability in reading.top(3):
        fault = reading.fault(finding)
        caption = f"{spoken(finding)} {percent(probability)}" + (f": its map {fault}" if fault else "")
        said = worth_sentences(reading.worth(finding))
        figures.append(_figure(reading.overlay(answer.film, finding), caption, said))
    return figures


def _figure(image: "np.ndarray", caption: str, sentences: Sequence[str] = ()) -> str:
    """An image uint8, grey (H, W) or RGB (H, W, 3), as an HTML figure: its caption, sentences below it."""
    import cv2

    pixels = image if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
    jpeg = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, 90])[1].tobytes()
    source = f"data:image/jpeg;base64,{base64.b64encode(jpeg).decode()}"
    text, more = html.escape(caption), "".join(f"<p>{html.escape(sentence)}</p>" for sentence in sentences)
    below = f"<figcaption>{text}{more}</figcaption>"
    return f'<figure class="film"><img src="{source}" alt="{text}">{below}</figure>'


def _link(words: str, name: str, kind: str, text: str) -> str:
    data = base64.b64encode(text.encode()).decode()
    return f'<a download="{name}" href="data:{kind};charset=utf-8;base64,{data}">{words}</a>'
