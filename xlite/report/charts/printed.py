"""Plotly figures of a report on the pages of a PDF, drawn by matplotlib: of what these charts are made of.

That is lines, points, bands, error bars, a heat map, straight lines across, notes and a legend.
"""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Mapping, Sequence
from html import unescape
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, to_rgba
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from xlite.report.pdf_sheet import HEIGHT, QUIET, shown

if TYPE_CHECKING:
    import plotly.graph_objects as go

Spec = Mapping[str, Any]
_DASHES = {"dot": ":", "dash": "--", "dashdot": "-."}
_SHAPES = {"circle": "o", "diamond": "D", "square": "s", "triangle-up": "^"}
_TEXT, _SMALL = 6.5, 5.6
_STRUCK = "\u0336"


def print_figure(page: Figure, figure: go.Figure, box: Sequence[float]) -> None:
    """Draws a figure into left, bottom, width, height (0-1) of a page."""
    spec = figure.to_plotly_json()
    layout, left, foot, width, high = spec["layout"], *box
    named: dict[str, Axes] = {}
    for name in _axes_of(spec["data"]):
        x_axis, y_axis = (layout.get(f"{side}axis{name}") or {} for side in "xy")
        (x, right), (y, top) = (axis.get("domain") or (0, 1) for axis in (x_axis, y_axis))
        place = (left + x * width, foot + y * high, (right - x) * width, (top - y) * high)
        named[name] = _open(page, place, x_axis, y_axis)
    for trace in spec["data"]:
        _draw(named[_name(trace)], trace)
    for name, axes in named.items():
        _finish(axes, layout.get(f"xaxis{name}") or {}, layout.get(f"yaxis{name}") or {})
    for shape in layout.get("shapes") or ():
        axes = named[_name(shape, "xref")]
        axes.axvline(shape["x0"], color=QUIET, linewidth=0.6, linestyle=":", zorder=0)
    for note in layout.get("annotations") or ():
        _note(page, named, note, box)
    labels = [trace for trace in spec["data"] if trace.get("name") and trace.get("showlegend", True)]
    if layout.get("showlegend") and labels:
        handles, texts = next(iter(named.values())).get_legend_handles_labels()
        where = (left, foot - 24 / HEIGHT)  # below the axis's title
        page.legend(
            handles, texts, loc="upper left", bbox_to_anchor=where, ncols=2, fontsize=_TEXT, frameon=False
        )


def legend_rows(figure: go.Figure) -> int:
    """How many rows the legend of a figure takes below it."""
    if not figure.layout.showlegend:
        return 0
    named = [trace for trace in figure.data if trace.name and trace.showlegend is not False]
    return -(-len(named) // 2)


def plain(text: str | None) -> str:
    """A text in plotly's markup without it: what is struck through stays so, sign by sign."""
    text = re.sub(r"<br\s*/?>", " ", text or "")
    text = re.sub(r"<s>(.*?)</s>", lambda found: _STRUCK.join([*found[1], ""]), text)
    return shown(unescape(re.sub(r"<[^>]+>", "", text)))


def _axes_of(traces: Sequence[Spec]) -> list[str]:
    return list(dict.fromkeys(map(_name, traces)))


def _name(spec: Spec, key: str = "xaxis") -> str:
    """Which of the figure's pairs of axes: empty for the first, then 2, 3 and so on."""
    return str(spec.get(key) or "x").split()[0].removeprefix("x")


def _open(page: Figure, place: Sequence[float], x_axis: Spec, y_axis: Spec) -> Axes:
    axes = page.add_axes(tuple(place))  # type: ignore[arg-type]
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set(color="#c4ccd4", linewidth=0.6)
    axes.tick_params(labelsize=_SMALL, length=0, pad=2, colors=QUIET)
    axes.set_axisbelow(True)
    sides: tuple[tuple[Literal["x", "y"], Spec], ...] = (("x", x_axis), ("y", y_axis))
    for axis, one in sides:
        if one.get("showgrid", True):
            axes.grid(axis=axis, color="#e6eaee", linewidth=0.5)
        if one.get("range") is not None:
            axes.set(**{f"{axis}lim": tuple(one["range"])})
    if x_axis.get("constrain") or y_axis.get("scaleanchor"):
        axes.set_aspect("equal", anchor="W")
    return axes


def _finish(axes: Axes, x_axis: Spec, y_axis: Spec) -> None:
    """Ticks and titles, once the axis knows its values."""
    for axis, one in ((axes.xaxis, x_axis), (axes.yaxis, y_axis)):
        if one.get("tickvals") is not None:
            texts = one.get("ticktext")
            labels = None if texts is None else [plain(str(text)) for text in texts]
            axis.set_ticks(list(one["tickvals"]), labels)
        elif one.get("nticks"):
            axis.set_major_locator(MaxNLocator(one["nticks"]))
        title = one.get("title") or {}
        if text := title if isinstance(title, str) else title.get("text"):
            axis.set_label_text(plain(text), fontsize=_TEXT, color=QUIET)


def _draw(axes: Axes, trace: Spec) -> None:
    if trace["type"] == "heatmap":
        _heat(axes, trace)
        return
    x, y = (_numbers(trace.get(side)) for side in "xy")
    if trace.get("fill"):
        axes.fill(x, y, color=_color(trace["fillcolor"]), linewidth=0)
        return
    line, mode = trace.get("line") or {}, trace.get("mode") or "lines"
    marker = trace.get("marker") or {}
    color = line.get("color") if "lines" in mode else marker.get("color")
    hollow = str(marker.get("symbol", "")).endswith("-open")
    label = plain(trace.get("name")) if trace.get("name") and trace.get("showlegend", True) else "_"
    axes.plot(
        x,
        y,
        color=_color(color),
        linewidth=0.7 * (line.get("width") or 2),
        linestyle=_DASHES.get(line.get("dash") or "", "-") if "lines" in mode else "none",
        marker=_SHAPES.get(str(marker.get("symbol") or "circle").removesuffix("-open"), "o")
        if "markers" in mode
        else "",
        markersize=0.5 * (marker.get("size") or 6),
        markerfacecolor="white" if hollow else _color(color),
        alpha=trace.get("opacity") or 1,
        clip_on=trace.get("cliponaxis", True),
        label=label,
    )
    for side in "xy":
        bars = trace.get(f"error_{side}") or {}
        if bars.get("array") is not None and len(x):
            ends = np.array([_numbers(bars["arrayminus"]), _numbers(bars["array"])])
            spread: dict[str, Any] = {f"{side}err": ends, "ecolor": _color(bars["color"])}
            axes.errorbar(x, y, **spread, fmt="none", elinewidth=1)


def _numbers(value: Any) -> NDArray[np.float64]:
    """Numbers as plotly keeps them: as they are, or as the bytes of an array."""
    if isinstance(value, Mapping):
        shape = [int(one) for one in str(value.get("shape") or -1).split(",")]
        found = np.frombuffer(b64decode(value["bdata"]), value["dtype"]).reshape(shape)
        return found.astype(np.float64)
    return np.asarray([] if value is None else value, np.float64)


def _heat(axes: Axes, trace: Spec) -> None:
    values, texts = _numbers(trace["z"]), np.asarray(trace["text"])
    scale = trace["colorscale"]
    colors = [one if isinstance(one, str) else one[1] for one in scale]
    cells = axes.pcolormesh(
        np.ma.masked_invalid(values),
        cmap=LinearSegmentedColormap.from_list("scale", [_color(one) for one in colors]),
        vmin=trace["zmin"],
        vmax=trace["zmax"],
        edgecolors="white",
        linewidth=1,
    )
    for (row, column), text in np.ndenumerate(texts):
        if np.isnan(values[row, column]):
            continue  # a cell without a colour has its text from a note, or none
        color = "white" if abs(values[row, column]) > 0.6 * trace["zmax"] else "black"
        middle: dict[str, Any] = {"ha": "center", "va": "center", "fontsize": _SMALL, "color": color}
        axes.text(column + 0.5, row + 0.5, plain(str(text)), **middle)
    for axis, names in ((axes.xaxis, trace["x"]), (axes.yaxis, trace["y"])):
        axis.set_ticks(np.arange(len(names)) + 0.5, [plain(str(name)) for name in names])
    axes.tick_params(axis="x", rotation=40)
    for label in axes.get_xticklabels():
        label.set(ha="right", rotation_mode="anchor")
    bar = axes.figure.colorbar(cells, ax=axes, fraction=0.025, pad=0.02, format="%+.2g")
    bar.outline.set_visible(False)
    bar.ax.tick_params(labelsize=_SMALL, length=0, colors=QUIET)
    title = (trace.get("colorbar") or {}).get("title") or {}
    bar.set_label(plain(title.get("text")), fontsize=_TEXT, color=QUIET)


def _note(page: Figure, named: Mapping[str, Axes], note: Spec, box: Sequence[float]) -> None:
    """A text at a place of the figure or of one of its axes."""
    font = note.get("font") or {}
    style: dict[str, Any] = {
        "fontsize": _TEXT if (font.get("size") or 12) > 11 else _SMALL,
        "color": _color(font.get("color") or "black"),
        "ha": {"left": "left", "right": "right"}.get(note.get("xanchor") or "", "center"),
        "va": {"bottom": "bottom", "top": "top"}.get(note.get("yanchor") or "", "center"),
        "parse_math": False,
    }
    text, x, y = plain(note["text"]), note["x"], note["y"]
    if note.get("xref") == "paper":
        page.text(box[0] + x * box[2], box[1] + y * box[3], text, **style)
        return
    axes = named[_name(note, "xref")]
    if isinstance(x, str):  # of a heat map, whose axes have names
        across, up = ([one.get_text() for one in f()] for f in (axes.get_xticklabels, axes.get_yticklabels))
        x, y = across.index(plain(x)) + 0.5, up.index(plain(y)) + 0.5
    inside = str(note.get("xref") or "").endswith("domain")
    where = axes.get_yaxis_transform() if inside else axes.transData
    axes.text(x, y, text, transform=where, **style)


def _color(text: str | None) -> tuple[float, ...]:
    """A colour of CSS: a name, `#2f6690` or `rgba(47,102,144,0.18)`."""
    found = re.fullmatch(r"rgba?\(([^)]*)\)", text or "black")
    if found is None:
        return to_rgba(text or "black")
    red, green, blue, *opacity = map(float, found[1].split(","))
    return red / 255, green / 255, blue / 255, *(opacity or [1.0])
