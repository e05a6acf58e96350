"""The embedding of films by a model's features as a figure: what is chosen in colour, the rest faint."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from xlite.data.eda.coded import CodedFilms
from xlite.data.eda.embedded import SIDE, Embedded, corners
from xlite.data.eda.filters import Selection
from xlite.findings import FINDINGS, spoken
from xlite.plots import PALETTE, QUIET, bare_layout

if TYPE_CHECKING:
    import plotly.graph_objects as go

SHADES = {
    "label": "label of a finding",
    "probability": "the model's probability of it",
    "part": "part of a split",
    "view": "view",
    "cluster": "cluster",
}
"""What films in the embedding can be coloured by, in words."""
BY_FINDING = ("label", "probability")
_PAIR = ("#4d83c9", "#e3a13b", "#3f9f7c")  # told apart by the colour-blind too, and on dark and light alike
_HEIGHT, _EDGE, _DOT = 560, 25, 5


@dataclass(frozen=True, eq=False)
class _Group:
    """Films of one colour, (N,) bool; a number each instead of a colour, if they are on a scale."""

    name: str
    films: np.ndarray
    look: Mapping[str, Any]


def embedding_figure(
    selection: Selection, embedded: Embedded, shade: str, finding: str, parts: Mapping[str, np.ndarray]
) -> "go.Figure":
    """The films in the embedding; those that the rest of the filter does not let through are faint.

    shade: one of SHADES; finding: for those BY_FINDING; parts: of one split, which films are in each.
    """
    import plotly.graph_objects as go

    films = selection.films
    chosen = selection.without("clusters", "region") & embedded.there
    faint = {"color": QUIET, "size": _DOT - 1, "opacity": 0.22}
    groups = [_Group("not chosen", embedded.there & ~chosen, faint)]
    groups += _groups(films, embedded, chosen, shade, finding, parts)
    stems = films.table["stem"].to_numpy()
    figure = go.Figure(
        [
            go.Scattergl(
                x=embedded.points[group.films, 0],
                y=embedded.points[group.films, 1],
                mode="markers",
                name=group.name,
                text=stems[group.films],
                hovertemplate="%{text}<extra></extra>",
                marker={**group.look, "line": {"width": 0}},
            )
            for group in groups
            if group.films.any()
        ]
    )
    axis = {"visible": False, "range": [-_EDGE, SIDE + _EDGE]}
    figure.update_layout(
        **bare_layout(_HEIGHT, 8),
        xaxis=axis,
        yaxis={**axis, "scaleanchor": "x"},
        dragmode="lasso",
        modebar={"bgcolor": "rgba(0,0,0,0)", "color": QUIET, "activecolor": _PAIR[0]},
        showlegend=shade != "probability",
        legend={"orientation": "h", "y": -0.02, "itemsizing": "constant"},
        annotations=_numbers(embedded) if shade == "cluster" else [],
        shapes=_outline(selection.wanted.region),
    )
    return figure


def _groups(
    films: CodedFilms,
    embedded: Embedded,
    chosen: np.ndarray,
    shade: str,
    finding: str,
    parts: Mapping[str, np.ndarray],
) -> list[_Group]:
    if shade == "probability":
        probs = embedded.probs[chosen, FINDINGS.index(finding)]
        bar = {"title": {"text": f"{spoken(finding)}, %", "side": "right"}, "thickness": 12, "len": 0.8}
        scale = {"color": 100 * probs, "colorscale": "Cividis", "colorbar": bar, "size": _DOT, "opacity": 0.9}
        return [_Group(spoken(finding), chosen, scale)]
    if shade == "cluster":
        named = {name: embedded.among([name]) for name in embedded.names}
        return _coloured(named, chosen, PALETTE)
    if shade == "part":
        others = chosen & ~np.any([*parts.values(), np.zeros_like(chosen)], axis=0)
        return [
            *_coloured(parts, chosen, _PAIR),
            _Group("in none", others, {"color": QUIET, "size": _DOT, "opacity": 0.7}),
        ]
    if shade == "view":
        return _coloured({name: films.views.among([name]) for name in films.views.names}, chosen, _PAIR)
    has = films.present[:, 1 + FINDINGS.index(finding)]
    name = spoken(finding)
    return _coloured({f"without {name.lower()}": ~has, f"labelled {name.lower()}": has}, chosen, _PAIR)


def _coloured(named: Mapping[str, np.ndarray], chosen: np.ndarray, colours: tuple[str, ...]) -> list[_Group]:
    return [
        _Group(name, mask & chosen, {"color": colours[place % len(colours)], "size": _DOT, "opacity": 0.8})
        for place, (name, mask) in enumerate(named.items())
    ]


def _numbers(embedded: Embedded) -> list[dict[str, Any]]:
    """The clusters' names at their middles: a colour alone is not for everybody."""
    found = []
    for name in embedded.names:
        x, y = np.median(embedded.points[embedded.among([name])], axis=0).tolist()
        look = {"font": {"size": 13, "color": "#ffffff"}, "bgcolor": "rgba(0,0,0,0.65)", "borderpad": 2}
        found.append({"x": x, "y": y, "text": name, "showarrow": False, **look})
    return found


def _outline(region: str) -> list[dict[str, Any]]:
    """The region that the filter asks for, if it asks for one."""
    if not region:
        return []
    path = " L ".join(f"{x},{y}" for x, y in corners(region).tolist())
    line = {"color": "#c65d7b", "width": 2}
    return [{"type": "path", "path": f"M {path} Z", "line": line, "fillcolor": "rgba(198,93,123,0.08)"}]


def embedding_alt(selection: Selection, embedded: Embedded, shade: str) -> str:
    """What the figure shows, for those who do not see it."""
    count = int((selection.without("clusters", "region") & embedded.there).sum())
    return (
        f"{count:,} films laid out by what {embedded.model} sees in them, coloured by {SHADES[shade]}. "
        "The bars below have its clusters."
    )


def embedding_caption(embedded: Embedded) -> str:
    """How many films are on it, and what it means."""
    count = int(embedded.there.sum())
    drawn = (
        f"{count:,} films" if count == embedded.films else f"{count:,} films drawn from {embedded.films:,}"
    )
    return (
        f"{drawn}, laid out by t-SNE so that neighbours are alike to the model; distances between groups, "
        "and their sizes, mean nothing. Draw around films, or choose a cluster, to see those alone."
    )
