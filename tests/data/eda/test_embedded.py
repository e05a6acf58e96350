"""Films in the embedding: regions as text, what lies in them, clusters and the filter that asks for them."""

from dataclasses import replace

import numpy as np
import pytest

from xlite.data.eda import charts
from xlite.data.eda.coded import CodedFilms
from xlite.data.eda.embedded import MOST_CORNERS, Embedded, corners, region_of, within
from xlite.data.eda.embedding_figure import SHADES, embedding_alt, embedding_caption, embedding_figure
from xlite.data.eda.filters import Filter, Selection, chips, clicked
from xlite.data.folder import NihFolder
from xlite.errors import DataError
from xlite.findings import FINDINGS


def test_a_region_is_its_corners_as_text():
    assert corners("100,200 400,200  250,600").tolist() == [[100, 200], [400, 200], [250, 600]]
    assert region_of([100.2, 400.4, 400, 100], [200, 199.6, 600, 600]) == "100,200 400,200 400,600 100,600"
    assert region_of([-50, 400, 400], [0, 0, 1200]) == "0,0 400,0 400,1000"
    assert region_of([5, 5, 5], [7, 7, 7]) == ""


@pytest.mark.parametrize(
    "text", ["", "1,2 3,4", "1,2 3,4 5", "a,b c,d e,f", "1,2;3,4;5,6", "1,2 3,4 5,99999"]
)
def test_what_is_no_region_is_refused(text: str):
    with pytest.raises(
        DataError, match=r"is not a region of the embedding: expected three corners or more as x,y"
    ):
        corners(text)


def test_a_line_drawn_by_hand_becomes_few_corners_that_hold_the_same_films():
    turn = np.linspace(0, 2 * np.pi, 300, endpoint=False)
    xs, ys = 500 + 300 * np.cos(turn), 500 + 200 * np.sin(turn)
    shape = corners(region_of(xs, ys))
    assert 8 <= len(shape) <= MOST_CORNERS
    points = np.random.default_rng(0).uniform(0, 1000, (2000, 2))
    inside = ((points[:, 0] - 500) / 300) ** 2 + ((points[:, 1] - 500) / 200) ** 2 < 1
    assert (within(points, shape) == inside).mean() > 0.98


def test_what_is_within_a_shape_that_is_not_convex():
    shape = corners("0,0 100,0 100,100 50,20 0,100")
    points = np.array([[50, 10], [50, 50], [10, 50], [90, 50], [150, 50], [-1, 50]])
    assert within(points, shape).tolist() == [True, False, True, True, False, False]


@pytest.fixture
def films(large_table: NihFolder) -> CodedFilms:
    """2,000 films, every second of them in the embedding, on a line from left to right, in four clusters."""
    stems = large_table.table["stem"].tolist()
    there = stems[::2]
    line = np.linspace(0, 1000, len(there)).round()
    points = np.stack([line, np.full(len(there), 500)], axis=1).astype(np.int16)
    clusters = (np.arange(len(there)) * 4 // len(there)).astype(np.int8)
    probs = np.tile(np.linspace(0, 1, len(there))[:, None], (1, 14)).astype(np.float32)
    arrays = (np.append(one, one[:1], axis=0) for one in (points, clusters, probs))
    embedded = Embedded.place("demo", stems, [*there, "unknown"], *arrays, 2000)
    return replace(CodedFilms.code(large_table.table, large_table.boxes(), {}), embedded=embedded)


def embedded(films: CodedFilms) -> Embedded:
    assert films.embedded is not None
    return films.embedded


def test_films_of_the_table_that_are_not_on_the_map_are_nowhere(films: CodedFilms):
    found = embedded(films)
    np.testing.assert_array_equal(found.there, np.arange(2000) % 2 == 0)
    assert np.isnan(found.points[1::2]).all() and np.isnan(found.probs[1::2]).all()
    assert found.names == ["1", "2", "3", "4"]
    assert [int(found.among([name]).sum()) for name in found.names] == [250] * 4


def test_region_and_clusters_are_filters_with_chips_like_the_others(films: CodedFilms):
    left = Selection(films, Filter(region="0,0 500,0 500,1000 0,1000"))
    wanted = embedded(films).there & (embedded(films).points[:, 0] < 500)
    np.testing.assert_array_equal(left.keep, wanted)
    both = Selection(films, Filter(clusters=("2",), region=left.wanted.region))
    np.testing.assert_array_equal(both.keep, wanted & (embedded(films).clusters == 1))
    words = [(chip.words, chip.films, chip.without) for chip in chips(both)]
    count = int(both.keep.sum())
    assert words == [("Cluster 2", 250, {"clusters": []}), ("Region of the embedding", count, {"region": ""})]
    assert clicked(both.wanted, "clusters", "3") == {"clusters": ["2", "3"]}
    assert clicked(both.wanted, "clusters", "2") == {"clusters": []}
    nowhere = replace(films, embedded=None)
    assert not Selection(nowhere, Filter(clusters=("2",))).keep.any()


def test_clusters_are_bars_named_by_what_they_have_more_of(films: CodedFilms):
    present, second = np.zeros((2000, 15), dtype=bool), embedded(films).clusters == 1
    present[~second, 0] = present[second, 1 + FINDINGS.index("Mass")] = True
    chart = charts.clusters(Selection(replace(films, present=present), Filter(clusters=("2",))))
    assert [row.label for row in chart.rows] == ["1 No finding", "2 Mass", "3 No finding", "4 No finding"]
    [mark] = chart.rows[1].marks
    assert (mark.say, mark.chosen) == ("cluster 2 Mass: 250 films, 25.0%", True)


@pytest.mark.parametrize("shade", SHADES)
def test_the_figure_has_what_is_chosen_in_colour_and_the_rest_faint(films: CodedFilms, shade: str):
    found = embedded(films)
    wanted = Filter(views=("PA",), region="0,0 500,0 500,1000")
    selection = Selection(films, wanted)
    parts = {"split train": np.arange(2000) < 900, "split test": np.arange(2000) >= 1000}
    figure = embedding_figure(selection, found, shade, "Mass", parts)
    names = {trace.name: len(trace.x) for trace in figure.data}
    chosen = int((selection.without("region") & found.there).sum())
    assert sum(count for name, count in names.items() if name != "not chosen") == chosen
    assert names.get("not chosen", 0) == 1000 - chosen
    assert figure.layout.shapes[0].path == "M 0,0 L 500,0 L 500,1000 Z"
    assert f"{chosen:,} films laid out by what demo sees" in embedding_alt(selection, found, shade)


def test_a_map_of_drawn_films_says_of_how_many(films: CodedFilms):
    assert embedding_caption(embedded(films)).startswith("1,000 films drawn from 2,000, laid out by t-SNE")
    assert embedding_caption(replace(embedded(films), films=1000)).startswith(
        "1,000 films, laid out by t-SNE"
    )
