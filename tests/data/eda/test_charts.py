"""The charts of the Explore page: what their marks count, say and ask for."""

import json
from typing import Any

import numpy as np
import pytest

from xlite.data.eda import charts, filters
from xlite.data.eda.charts import Chart
from xlite.data.eda.coded import CodedFilms
from xlite.data.eda.filters import Filter, Selection
from xlite.findings import FINDINGS


def bars(chart: Chart) -> dict[str, int]:
    """The films of each bar, by its label."""
    return {row.label: int(row.marks[0].text.split("  ")[0].replace(",", "")) for row in chart.rows}


def test_bars_of_findings_count_films_that_have_the_chosen_ones_too(coded: CodedFilms):
    chart = charts.findings(Selection(coded, Filter(has=("Mass",))))
    found = {label: films for label, films in bars(chart).items() if films}
    assert found == {"Mass": 3, "Nodule": 2, "Edema": 1}
    assert [row.label for row in chart.rows][:4] == ["No finding", "Mass", "Nodule", "Edema"]
    mass = chart.rows[1].marks[0]
    assert (mass.field, mass.value, mass.chosen, mass.size) == ("has", ["Mass"], True, 1.0)
    assert mass.say == "Mass: 3 films, 100.0%"
    assert not chart.rows[2].marks[0].chosen and chart.rows[0].marks[0].tone == "rest"


@pytest.mark.parametrize(
    ("chart", "wanted", "expected"),
    [
        (charts.amounts, {"amounts": ("3",)}, {"0": 4, "1": 2, "2": 1, "3": 1}),
        (charts.sexes, {"sexes": ("F",), "views": ("AP",)}, {"F": 2, "M": 2}),
        (charts.views, {"views": ("AP",), "sexes": ("F",)}, {"AP": 2, "PA": 2}),
        (
            charts.parts,
            {"part": "official test", "sexes": ("M",)},
            {"official train+val": 3, "official test": 1},
        ),
        (charts.boxes, {"boxed": True, "views": ("AP",)}, {"With boxes": 2}),
        (
            charts.series,
            {"series": ("1",)},
            {"1": 3, "2": 2, "3 to 5": 3, "6 to 10": 0, "11 to 20": 0, "21 to 50": 0, "over 50": 0},
        ),
        (
            charts.follow_ups,
            {"followups": ("2",)},
            {"0": 5, "1": 2, "2": 1, "3 to 5": 0, "6 to 10": 0, "11 to 20": 0, "21 to 50": 0, "over 50": 0},
        ),
    ],
)
def test_a_chart_leaves_its_own_field_out(
    coded: CodedFilms, chart: Any, wanted: dict[str, Any], expected: dict[str, int]
):
    drawn = chart(Selection(coded, Filter(**wanted)))
    assert bars(drawn) == expected
    assert [row.label for row in drawn.rows if row.marks[0].chosen] != []


def test_a_bar_counts_what_a_click_on_it_lets_through(coded: CodedFilms):
    """For all charts of one mark a row: choose it alone, and as many films are there as it said."""
    everything = Selection(coded, Filter())
    for chart in (charts.findings, charts.amounts, charts.sexes, charts.views, charts.parts, charts.boxes,
                  charts.series, charts.follow_ups):  # fmt: skip
        drawn = chart(everything)
        for row in drawn.rows:
            state = filters.clicked(Filter(), row.marks[0].field, row.marks[0].value)
            asked = {
                name: tuple(value) if isinstance(value, list) else value for name, value in state.items()
            }
            assert len(Selection(coded, Filter(**asked)).rows()) == bars(drawn)[row.label], row.label


def test_ages_by_sex_in_bands_of_ten_years(coded: CodedFilms):
    chart = charts.ages(Selection(coded, Filter(ages=(40, 49), sexes=("F",))))
    assert [row.label for row in chart.rows][::9] == ["90 to 100", "0 to 9"] and len(chart.rows) == 10
    numbers = {row.label: [mark.text for mark in row.marks] for row in chart.rows}
    assert numbers["10 to 19"] == ["0", "3"] and numbers["40 to 49"] == ["1", "1"]
    row = next(row for row in chart.rows if row.label == "40 to 49")
    assert [mark.chosen for mark in row.marks] == [True, False]
    assert row.label_mark is not None and row.label_mark.chosen
    assert row.label_mark.say == "40 to 49 years: 2 films"
    assert [mark.value for mark in row.marks] == [[[40, 49], "F"], [[40, 49], "M"]]


def test_prevalence_by_view_leaves_views_and_findings_out(coded: CodedFilms):
    chart = charts.prevalence(Selection(coded, Filter(has=("Mass",), views=("AP",))))
    mass = chart.rows[0]
    assert mass.label == "Mass" and [mark.text for mark in mass.marks] == ["50.0%", "25.0%"]
    assert [mark.chosen for mark in mass.marks] == [True, False]
    assert mass.marks[1].value == ["Mass", "PA"] and chart.groups == ["AP", "PA"]


def test_cells_carry_the_findings_they_stand_for(coded: CodedFilms):
    for by in ("lift", "films"):
        chart = charts.cooccurrence(Selection(coded, Filter(has=("Mass", "Nodule"))), by)
        values = [[mark.value for mark in row.marks] for row in chart.rows]
        assert values == [
            [[first] if first == second else [first, second] for second in FINDINGS] for first in FINDINGS
        ]
        chosen = [mark.value for row in chart.rows for mark in row.marks if mark.chosen]
        assert chosen == [["Mass"], ["Mass", "Nodule"], ["Nodule", "Mass"], ["Nodule"]]


def test_cells_of_too_few_films_are_empty(coded: CodedFilms):
    names = list(FINDINGS)
    present = np.zeros((200, 15), dtype=bool)
    for finding, films in (("Mass", 40), ("Nodule", 25), ("Edema", 24)):
        present[:films, 1 + names.index(finding)] = True
    present[-5:, 1 + names.index("Hernia")] = True  # together with none of them, though chance gives 1
    table = coded.table.iloc[[0] * 200].assign(**dict.fromkeys(FINDINGS, 0))
    table[names] = present[:, 1:].astype(np.uint8)
    films = CodedFilms.code(table.assign(stem=[str(at) for at in range(200)]), coded.table.iloc[:0], {})
    chart = charts.cooccurrence(Selection(films, Filter()), "lift")
    row = chart.rows[names.index("Mass")]
    texts = {other: row.marks[names.index(other)].text for other in ("Mass", "Nodule", "Edema", "Hernia")}
    assert texts == {"Mass": "", "Nodule": "5.0", "Edema": "", "Hernia": ""}  # 5, 4.8 and 1 are expected
    assert row.marks[names.index("Hernia")].tone == "none"


def test_every_chart_can_be_sent_to_the_browser(coded: CodedFilms):
    for wanted in (Filter(), Filter(has=("Hernia",)), Filter(views=("AP",), ages=(10, 19))):
        selection = Selection(coded, wanted)
        drawn = [chart(selection) for group in charts.TABS.values() for chart in group]
        drawn += [charts.cooccurrence(selection, by) for by in ("lift", "films")]
        sent = json.loads(json.dumps([chart.plain() for chart in drawn], allow_nan=False))
        bare = [chart["title"] for chart in sent if not chart["rows"]]
        assert (len(sent), bare) == (13, ["Data folder"])  # one alone is open
        sizes = [mark["size"] for chart in sent for row in chart["rows"] for mark in row["marks"]]
        assert all(0 <= size <= 1 for size in sizes)
