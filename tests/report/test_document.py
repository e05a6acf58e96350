"""A document as Markdown and as HTML: the same words, and a file that needs nothing but itself."""

import plotly.graph_objects as go
from html_texts import HtmlTexts

from xlite.report.document import Alert, Cell, Chart, Heading, Table, Text, to_html, to_markdown

BLOCKS = [
    Heading("A & B"),
    Text("5 < 6 and *stars*"),
    Alert("Mind", ["one | two"], grave=True),
    Table(
        ["Name", "Number", "Why"], [["x_y", Cell("0.5", struck=True), Cell("old", grey=True)]], "below", (2,)
    ),
    Chart(lambda: go.Figure(go.Scatter(x=[0, 1], y=[0, 1], name="</script><b>")), "a line"),
]


def test_markdown_says_what_the_blocks_say_and_no_mark_is_taken_for_one() -> None:
    curves = [Heading("Curves"), Chart(go.Figure)]  # nothing for Markdown, so no heading either
    assert to_markdown("T_1", [*curves, *BLOCKS, *curves]) == (
        "# T_1\n\n## A & B\n\n5 \\< 6 and \\*stars\\*\n\n> **Mind**\n>\n> - one \\| two\n\n"
        "| Name | Number | Why |\n| --- | ---: | --- |\n| x_y | ~~0.5~~ | *old* |\n\nbelow\n"
    )


def test_html_is_one_file_that_loads_nothing_and_escapes_what_it_is_given() -> None:
    page = to_html("<T>", BLOCKS)
    found = HtmlTexts()
    found.feed(page)
    assert found.loads == []
    assert found.texts == [
        "<T>", "<T>", "A & B", "5 < 6 and *stars*", "Mind", "one | two", "Name", "Number", "Why", "x_y",
        "0.5", "old", "below", "a line",
    ]  # fmt: skip
    assert "<s>0.5</s>" in page and 'class="text grey">old' in page and 'class="alert grave"' in page
    assert "</script><b>" not in page and "\\u003c\\u002fscript" in page
    assert page == to_html("<T>", BLOCKS)


def test_a_table_gives_its_texts_without_marks() -> None:
    table = Table(["a", "b"], [["x", Cell("0.5", struck=True)]])
    assert table.texts == [["x", "0.5"]]
