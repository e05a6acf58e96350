"""The section on a model elsewhere: words, each above its tables."""

import pytest
from demo_home import drawn_report
from elsewhere_reports import elsewhere as made

from xlite.evaluation.elsewhere.elsewhere_report import Guarded
from xlite.evaluation.report import Report
from xlite.report.document import Block, Cell, Heading, Table, Text
from xlite.report.elsewhere_sentences import by_topic
from xlite.report.sections.elsewhere import elsewhere
from xlite.report.sections.whole import tabs, whole
from xlite.report.terminal import summary
from xlite.report.view import View
from xlite.report.write import curves_of

pytestmark = pytest.mark.slow


def view_of(**changes: object) -> tuple[View, Report]:
    report, films = drawn_report()
    report = report.model_copy(update={"elsewhere": made(**changes)})
    return View(report, curves_of(report, films)), report


def tables(blocks: list[Block]) -> dict[str, Table]:
    return {block.header[0]: block for block in blocks if isinstance(block, Table)}


def test_words_stand_above_their_tables() -> None:
    view, report = view_of()
    blocks = elsewhere(view)
    assert report.elsewhere is not None
    words = {name: Text(" ".join(said)) for name, said in by_topic(report.elsewhere).items()}
    found = tables(blocks)
    assert blocks == [
        words["sides"], words["ranking"], found["AUC"], words["calibration"], found["Calibration error"],
        found["Calibration intercept"], words["calls"], found["Sensitivity"], found["Specificity"],
        words["mix"], found["Films"], words["guards"], found["Guards"], words["distances"],
    ]  # fmt: skip
    with_it = ["100 of 1,000 (10.0%)", "40 of 200 (20.0%)"]
    assert found["AUC"].texts == [
        ["Effusion", "0.850 (0.830–0.870)", "0.700 (0.620–0.780)", "-0.150 (-0.232 to -0.068)", *with_it],
        ["Mass", "0.800 (0.700–0.900)", "0.800 (0.700–0.900)", "+0.000 (-0.141 to +0.141)", *with_it],
        ["mean of 2", "0.825 (0.800–0.850)", "0.750 (0.700–0.790)", "-0.075 (-0.131 to -0.028)", "", ""],
    ]
    assert found["Calibration error"].texts[0] == [
        "Effusion", "0.020 (0.010–0.030)", "0.050", "+0.030", "0.010", "0.040",
    ]  # fmt: skip
    assert found["Calibration intercept"].texts[0] == [
        "Effusion", "+0.000 (-0.100 to +0.100)", "-0.600 (-0.900 to -0.300)", "-0.600 (-0.916 to -0.284)",
        "1.000 (0.900–1.100)", "0.900 (0.600–1.200)",
    ]  # fmt: skip
    assert found["Specificity"].texts[0] == [
        "Effusion", "0.900 (0.880–0.920)", "0.500 (0.400–0.600)", "-0.400 (-0.502 to -0.298)", "0.250",
    ]  # fmt: skip
    assert found["Films"].texts[::2] == [
        ["view: AP", "400 (40%)", "180 (90%)"],
        ["sex: F", "480 (48%)", "100 (50%)"],
        ["age band: under 18", "50", "0"],
    ]
    there = ["180 (90.0%)", "17 (8.5%)", "2 (1.0%)", "1 (0.5%)"]
    names = ["passed", "warned of", "would be turned or inverted", "refused"]
    assert found["Guards"].texts == [list(row) for row in zip(names, there, strict=True)]
    both = Guarded(films=10, verdicts={"pass": 9, "caution": 1, "offer": 0, "refuse": 0}, reasons={})
    guards = tables(elsewhere(view_of(guards_here=both)[0]))["Guards"]
    here = ["9 (90.0%)", "1 (10.0%)", "0 (0.0%)", "0 (0.0%)"]
    assert guards.texts == [list(row) for row in zip(names, here, there, strict=True)]
    assert guards.caption == "Of 10 films here and 200 films there that the guards looked at."


def test_what_rests_on_films_that_the_model_knows_is_struck_through() -> None:
    here = made().here.model_copy(update={"contaminated": True})
    view, _ = view_of(here=here)
    [_, own, there, change, *_] = tables(elsewhere(view))["AUC"].rows[0]
    assert own == Cell("0.850 (0.830–0.870)", struck=True)
    assert there == Cell("0.700 (0.620–0.780)")
    assert change == Cell("-0.150 (-0.232 to -0.068)", struck=True)


def test_document_tab_and_terminal_have_it_if_there_is_something_to_compare() -> None:
    view, report = view_of()
    assert report.elsewhere is not None
    headings = [block.text for block in whole(view)[1] if isinstance(block, Heading)]
    assert headings[:2] == ["Beside its own test films", "Findings"]
    assert list(tabs(view))[0] == "Elsewhere"
    assert by_topic(report.elsewhere)["ranking"][0] in summary(report).splitlines()
    bare = report.model_copy(update={"elsewhere": None})
    assert elsewhere(View(bare, view.curves)) == []
    assert "Elsewhere" not in tabs(View(bare, view.curves))
