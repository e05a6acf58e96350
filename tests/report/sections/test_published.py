"""Published results beside a report."""

import pytest
from demo_home import drawn_report

from xlite.evaluation import references
from xlite.report.document import Cell, Text, to_markdown
from xlite.report.sections.published import published, published_beside
from xlite.report.view import View

pytestmark = pytest.mark.slow


def test_published_results_are_grey_unless_they_are_of_the_same_films(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    report, films = drawn_report()
    assert not any(one.comparable for one in report.references)
    said = "No published result is of these films: all are for orientation, and none may be ranked.\n"
    assert to_markdown("", published(View(report, {}))).startswith(said)
    monkeypatch.setitem(references.TEST_LISTS, references.films_digest(films.stems), "official")
    report, _ = drawn_report()
    view = View(report, {})
    same = [one.name for one in report.references if one.comparable]
    assert (len(same), same[0], same[-1]) == (10, "Wang 2017", "EVA-X-B, 86 M")
    text = to_markdown("", published(view))
    others = "The others are of other films and may not be ranked with this one.\n"
    assert text.startswith(f"Measured on these films too: 10. {others}")
    assert "| Wang 2017 | 0.745 | measured on NIH's official test list, as here |" in text
    assert "| *CheXNet* | *0.841* | *measured on a random patient split of their own, and these are" in text
    table = published_beside(view, ["Hernia", "Mass"])
    assert table.header == ["AUC", "demo", "DenseNet-121, 448 px", "jrzech", "CheXNet"]
    assert list(table.rows[1][2:]) == [Cell("0.825"), Cell("0.838", grey=True), Cell("0.868", grey=True)]
    assert table.caption == "Of other films, not to be compared: jrzech, CheXNet."


def test_a_report_on_drawn_films_names_no_published_result() -> None:
    report, _ = drawn_report()
    view = View(report.model_copy(update={"references": ()}), {})
    assert published(view) == [
        Text("These films are drawn: no published result may stand beside one of theirs.")
    ]
    table = published_beside(view, ["Mass"])
    assert (table.header, table.caption) == (["AUC", "demo"], "")
