"""Plotly's figures as matplotlib draws them: markup, colours, places, and what is left out."""

import numpy as np
import plotly.graph_objects as go
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from plotly.subplots import make_subplots

from xlite.report.charts.printed import legend_rows, plain, print_figure

BOX = (0.1, 0.2, 0.8, 0.5)


def printed(figure: go.Figure) -> tuple[Figure, list[Axes]]:
    page = Figure(figsize=(4, 4))
    print_figure(page, figure, BOX)
    return page, list(page.axes)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (None, ""),
        ("", ""),
        ("a<br>b<br />c", "a b c"),
        ("<b>AUC</b> 0.8 &lt; 0.9 &amp; more", "AUC 0.8 < 0.9 & more"),
        ("Mass <s>0.8</s>", "Mass 0\u0336.\u03368\u0336"),
        ("<s></s>x", "x"),
        ("$x_1$", "$x_1$"),
        ("中", "\\u4e2d"),
    ],
)
def test_markup_becomes_plain_text_and_what_is_struck_stays_struck(text: str | None, expected: str) -> None:
    assert plain(text) == expected


def test_a_legend_has_two_columns_and_names_only_what_it_shows() -> None:
    figure = go.Figure([go.Scatter(name=name) for name in ("a", "b", "c")])
    figure.add_scatter(name="hidden", showlegend=False)
    figure.add_scatter()
    assert legend_rows(figure) == 0  # not shown unless it is asked for
    figure.update_layout(showlegend=True)
    assert legend_rows(figure) == 2
    page, [axes] = printed(figure)
    assert [text.get_text() for text in page.legends[0].get_texts()] == ["a", "b", "c"]
    assert len(axes.lines) == 5


def test_a_figure_without_traces_leaves_the_page_empty() -> None:
    page, axes = printed(go.Figure())
    assert axes == [] and page.legends == [] and page.texts == []


def test_lines_points_and_error_bars_keep_numbers_colours_and_shapes() -> None:
    figure = go.Figure(
        [
            go.Scatter(x=np.array([0.0, 0.5, 1.0]), y=[0, 0.25, 1], mode="lines", line=dict(
                color="rgba(47,102,144,0.5)", dash="dash", width=4)),
            go.Scatter(x=[0.5], y=[0.25], mode="markers", marker=dict(
                color="#2f6690", symbol="diamond-open", size=10),
                error_y=dict(array=[0.2], arrayminus=[0.1], color="red")),
        ]
    )  # fmt: skip
    _, [axes] = printed(figure)
    line, point = axes.lines[:2]
    assert line.get_xydata().tolist() == [[0, 0], [0.5, 0.25], [1, 1]]
    assert (line.get_linestyle(), line.get_linewidth(), line.get_marker()) == ("--", 2.8, "")
    assert line.get_color() == (47 / 255, 102 / 255, 144 / 255, 0.5)
    assert (point.get_linestyle(), point.get_marker(), point.get_markersize()) == ("None", "D", 5)
    assert (point.get_color(), point.get_markerfacecolor()) == (to_rgba("#2f6690"), "white")
    [bars] = axes.collections
    np.testing.assert_allclose(bars.get_segments(), [[[0.5, 0.15], [0.5, 0.45]]])
    assert bars.get_color()[0].tolist() == list(to_rgba("red"))


def test_axes_have_the_places_ranges_ticks_and_titles_of_the_figure() -> None:
    figure = make_subplots(rows=1, cols=2, horizontal_spacing=0.2)
    figure.add_scatter(x=[0, 1], y=[0, 1], row=1, col=1)
    figure.add_scatter(x=[0, 1], y=[2, 3], row=1, col=2)
    figure.update_xaxes(range=[-1, 2], title="1 − <i>specificity</i>", row=1, col=1)
    figure.update_xaxes(tickvals=[0, 1], ticktext=["no", "<b>yes</b>"], row=1, col=2)
    figure.add_vline(x=0.5, row=1, col=2)
    _, axes = printed(figure)
    np.testing.assert_allclose([one.get_position().bounds for one in axes], [
        [0.1, 0.2, 0.32, 0.5], [0.58, 0.2, 0.32, 0.5],
    ])  # fmt: skip
    left, right = axes
    assert left.get_xlim() == (-1, 2) and left.get_xlabel() == "1 − specificity"
    assert [tick.get_text() for tick in right.get_xticklabels()] == ["no", "yes"]
    assert [line.get_xdata() for line in right.lines[1:]] == [[0.5, 0.5]] and len(left.lines) == 1


def test_a_band_is_filled_and_has_no_line() -> None:
    _, [axes] = printed(
        go.Figure(go.Scatter(x=[0, 1, 1, 0], y=[0, 0, 1, 1], fill="toself", fillcolor="rgba(0,0,255,0.2)"))
    )
    [band] = axes.patches
    assert band.get_facecolor() == (0, 0, 1, 0.2) and len(axes.lines) == 0
    assert band.get_xy()[:4].tolist() == [[0, 0], [1, 0], [1, 1], [0, 1]]


def test_cells_of_a_heat_map_hold_their_texts_and_an_undefined_one_none() -> None:
    z = np.array([[0.9, np.nan], [-0.1, -0.9]])
    heat = go.Heatmap(
        z=z, x=["AUC", "AP"], y=["Mass", "Edema"], text=[["+.9", "none"], ["-.1", "-.9"]], zmin=-1, zmax=1,
        colorscale=[[0, "#0000ff"], [0.5, "#ffffff"], [1, "#ff0000"]], colorbar=dict(title="gap"),
    )  # fmt: skip
    figure = go.Figure(heat)
    figure.add_annotation(x="AP", y="Mass", text="too few", showarrow=False)
    page, [axes, bar] = printed(figure)
    texts = {text.get_text(): (text.get_position(), text.get_color()) for text in axes.texts}
    assert texts == {
        "+.9": ((0.5, 0.5), "white"),
        "-.1": ((0.5, 1.5), "black"),
        "-.9": ((1.5, 1.5), "white"),
        "too few": ((1.5, 0.5), to_rgba("black")),
    }
    [cells] = axes.collections
    np.testing.assert_array_equal(np.ma.getmaskarray(cells.get_array()), np.isnan(z))
    assert cells.get_clim() == (-1, 1) and bar.get_ylabel() == "gap"
    page.draw_without_rendering()
    assert [tick.get_text() for tick in axes.get_yticklabels()] == ["Mass", "Edema"]


def test_notes_lie_on_the_page_on_an_axis_and_beside_it() -> None:
    figure = go.Figure(go.Scatter(x=[0, 1], y=[0, 1]))
    figure.add_annotation(x=0.5, y=1, xref="paper", yref="paper", text="n = 200", font_size=14)
    figure.add_annotation(x=0.25, y=0.75, text="<b>here</b>", xanchor="left", font_color="red")
    page, [axes] = printed(figure)
    [above], [inside] = page.texts, axes.texts
    assert (above.get_text(), above.get_position()) == ("n = 200", pytest.approx((0.5, 0.7)))
    assert (above.get_fontsize(), inside.get_fontsize()) == (6.5, 6.5)
    assert (inside.get_text(), inside.get_position(), inside.get_ha()) == ("here", (0.25, 0.75), "left")
    assert inside.get_color() == to_rgba("red") and not inside.get_parse_math()
