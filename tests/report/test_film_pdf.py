"""The PDF of readings: its text can be searched, and says what the page says."""

import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from demo_home import SPLIT, save_demo_model
from gates import Played
from pdf_texts import pdf_texts

from xlite import __version__
from xlite.classify import Classifier
from xlite.evaluation.validation import record_validation
from xlite.examples import examples
from xlite.findings import FINDINGS, spoken
from xlite.guarded import GuardedReader, GuardedReading
from xlite.guards.gate import Gate
from xlite.guards.verdict import Check, Guards
from xlite.images import read_image
from xlite.models.checkpoint import load_model, save_model
from xlite.reading import Reading
from xlite.report import film_pdf
from xlite.report.film_pdf import FilmPage, films_pdf
from xlite.report.pdf_sheet import DISCLAIMER, MARGIN, WIDTH, Sheet
from xlite.report.worth import worth_table

pytestmark = pytest.mark.slow

FILM = read_image(examples()["7. No finding"].path)
WHEN = datetime(2026, 11, 28, 2, 31, tzinfo=UTC)


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> GuardedReader:
    path = save_demo_model(tmp_path_factory.mktemp("home"))
    student, info = load_model(path)
    rng = np.random.default_rng(0)
    labels = (rng.random((400, 14)) < 0.2).astype(np.float32)
    save_model(path, student, record_validation(info, rng.normal(0, 1, (400, 14)), labels, np.arange(400)))
    return GuardedReader(Classifier.load(path), Gate.load())


def page_of(reader: GuardedReader, film: FilmPage) -> str:
    """The text of the only page, its lines joined."""
    [texts] = pdf_texts(films_pdf(reader.classifier, [film], WHEN))
    return " ".join(texts)


@pytest.mark.parametrize(("fault", "legends"), [(None, 1), ("shows no place", 0)])
def test_a_legend_is_printed_if_the_map_is_painted(
    reader: GuardedReader, monkeypatch: pytest.MonkeyPatch, fault: str | None, legends: int
) -> None:
    monkeypatch.setattr(Reading, "fault", lambda self, finding: fault)
    text = page_of(reader, FilmPage("film.png", reader.read(FILM)))
    assert (text.count("Colour shows which parts"), text.count("Not painted")) == (legends, 1 - legends)


def test_a_page_has_the_table_the_model_the_guards_and_the_disclaimer(reader: GuardedReader) -> None:
    answer = reader.read(FILM)
    assert answer.reading is not None
    text = page_of(reader, FilmPage("ward/film.png", answer))
    model = reader.classifier
    assert text.startswith(
        "X-Lite 2026-11-28 02:31 UTC, film 1 of 1 ward/film.png Guards: pass The film as it"
    )
    assert (
        f"Model demo0: {model.info.backbone}, sees films at 64 px, trained on split {SPLIT} (2020 labels)"
        in text
    )
    assert f"SHA-256 {model.digest}" in text
    assert f"Thresholds: the model's own, chosen on validation films of split {SPLIT}." in text
    assert "Probabilities: not calibrated. They rank, they do not diagnose." in text
    assert text.endswith(f"{DISCLAIMER} Written by X-Lite {__version__}")
    top, probability = answer.reading.top(1)[0]
    assert f"Map of {spoken(top).lower()}, the likeliest finding ({probability:.1%})" in text
    at = [text.index(f" {spoken(finding)} {p:.1%} ") for finding, p in answer.reading.top(14)]
    assert at == sorted(at) and len(at) == len(FINDINGS)
    for row in worth_table(answer.reading.worths()).texts:
        assert set(" ".join(row).split()) <= set(text.split())


def test_each_film_has_a_page_and_only_what_was_read_has_numbers(reader: GuardedReader) -> None:
    refused = reader.read(np.full((200, 200), 9, np.uint8))
    unread = "The file is not a PNG"
    films = [FilmPage("a.png", reader.read(FILM)), FilmPage("b.png", refused), FilmPage("c.png", unread)]
    first, second, third = (" ".join(texts) for texts in pdf_texts(films_pdf(reader.classifier, films, WHEN)))
    assert "film 1 of 3 a.png Guards: pass" in first and "Hernia" in first
    assert "film 2 of 3 b.png Guards: refused The picture is blank" in second
    assert "film 3 of 3 c.png Not read The file is not a PNG" in third
    for page in (second, third):
        assert "%" not in page and "Hernia" not in page and DISCLAIMER in page


def test_a_caution_and_what_the_model_knows_of_the_film_are_said(reader: GuardedReader) -> None:
    child = Guards((Check("child", "probability", 0.9, 0.5),))
    answer = replace(reader, gate=Played(child)).read(FILM)
    text = page_of(reader, FilmPage("a.png", answer, ["It is a film of the train part."]))
    assert "Guards: read with caution This looks like a film of a child" in text
    assert "It is a film of the train part." in text


def test_names_in_any_script_are_text_and_no_formula(reader: GuardedReader) -> None:
    text = page_of(reader, FilmPage("$x^2$ Ångström 胸片 \u202e.png", reader.read(FILM)))
    assert "$x^2$ Ångström \\u80f8\\u7247 \\u202e.png" in text


def test_the_longest_page_holds_all_its_text_above_its_foot(reader: GuardedReader) -> None:
    """Nothing is drawn beyond the page: what is too long is cut or leaves the pictures less room."""
    seen: GuardedReading = replace(
        reader,
        gate=Played(
            Guards(
                tuple(
                    Check(reason, "probability", 0.9, 0.5)
                    for reason in ("lateral", "child", "cut", "range", "mirrored")
                )
            )
        ),
    ).read(FILM)
    pdf = films_pdf(reader.classifier, [FilmPage("n" * 400, seen, ["It is known. " * 20])], WHEN)
    [texts] = pdf_texts(pdf)
    assert "n" * 161 not in "".join(texts) and texts[-2:] == [DISCLAIMER, f"Written by X-Lite {__version__}"]
    assert pdf.count(b"/Type /Page ") == 1 and re.search(rb"/MediaBox \[ 0 0 595 842 \]", pdf)


def test_no_cell_of_the_table_reaches_into_the_next_also_in_bold() -> None:
    cells = ["Pleural thickening", "100.0%", "above 100.0%", "100% (98–100)", "100% (98–100)", "1,234"]
    cells += ["not sure", "100% and 100%", "says little"]
    rows = [film_pdf._Row([[cell] for cell in cells], above=above) for above in (True, False)]
    sheet = Sheet()
    film_pdf._table(sheet, rows)
    ends = [text.get_window_extent() for text in sheet.figure.texts]
    for row in (ends[:9], ends[9:]):
        gaps = [second.x0 - first.x1 for first, second in zip(row[:-1], row[1:], strict=True)]
        assert min(gaps) > 2 and row[-1].x1 < sheet.figure.bbox.width * (1 - MARGIN / WIDTH)


def test_the_same_reading_gives_the_same_file(reader: GuardedReader, tmp_path: Path) -> None:
    films = [FilmPage("a.png", reader.read(FILM))]
    assert films_pdf(reader.classifier, films, WHEN) == films_pdf(reader.classifier, films, WHEN)
