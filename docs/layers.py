"""Draws docs/img/layers.svg, the picture of the layers: `python docs/layers.py`."""

from html import escape
from pathlib import Path

PICTURE = Path(__file__).resolve().parent / "img" / "layers.svg"
WIDTH, ROW, GAP, EDGE, RAIL = 1000, 46, 8, 16, 190
LINE, NAMES_A_LINE = 24, 4
# From the top down: what a layer is called in xlite/ (several stand side by side), what it does, its colour.
ROWS = (
    (("app/", "pages/"), "what a person sees: widgets and calls", "person"),
    (("cli/",), "the xlite command", "person"),
    (("sweeps/", "active/", "federated/"), "studies of runs, choice of films, federations", "run"),
    (("training/",), "the torch half of a run", "run"),
    (("pacs/",), "DICOM objects, a node, DICOMweb", "run"),
    (("runs/", "serving/"), "a run as files; many askers at once", "run"),
    (("export/",), "a model as a file, a page, a folder for a hub", "judge"),
    (("report/",), "how a judgement is shown", "judge"),
    (("evaluation/",), "what judges a model", "judge"),
    (("predict/",), "many films to files", "model"),
    (("guarded.py",), "a model behind the gate", "model"),
    (("classify.py",), "a model and all that reading needs", "model"),
    (("labelling/",), "people who label films: worklist, log, disputes", "model"),
    (("reading.py", "engines/"), "a reading; what computes it", "model"),
    (("explain/",), "every kind of heat map", "model"),
    (("models/",), "student, others' networks, files", "model"),
    (("data/",), "tables, splits, films, phantoms", "data"),
    (("metrics/",), "numbers from labels and scores", "data"),
    (("guards/",), "what a picture is, before it is read", "ground"),
    (("images.py",), "any film to an array", "ground"),
    (
        ("formats/", "access/", "plots.py", "messages.py", "presets.py", "examples.py"),
        "side by side",
        "ground",
    ),
    (("config.py", "pixels.py"), "every setting; how large a film may be", "ground"),
    (
        ("public.py", "places.py", "processors.py", "patients.py", "file_lock.py"),
        "the ground floor",
        "ground",
    ),
    (
        (
            *("findings.py", "split_names.py", "labels.py", "errors.py"),
            *("files.py", "text.py", "extras.py", "paging.py"),
        ),
        "what all stand on",
        "ground",
    ),
)
COLOURS = {
    "person": "#7e57c2",
    "run": "#00897b",
    "judge": "#c0792a",
    "model": "#3f6fb5",
    "data": "#5d8a3a",
    "ground": "#66727d",
}


def draw() -> str:
    """The picture as SVG: one row per layer, and an arrow for the one way that imports go."""
    heights = [ROW + (-(-len(names) // NAMES_A_LINE) - 1) * LINE for names, _, _ in ROWS]
    height = 2 * EDGE + sum(heights) + (len(ROWS) - 1) * GAP
    shapes = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" '
        'font-family="system-ui, sans-serif">',
        "<title>The layers of X-Lite, from what a person sees down to the ground floor</title>",
        f'<rect width="{WIDTH}" height="{height}" rx="10" fill="#ffffff"/>',
    ]
    top = EDGE
    for tall, (names, does, kind) in zip(heights, ROWS, strict=True):
        shapes += _row(top, tall, names, does, COLOURS[kind])
        top += tall + GAP
    shapes += [*_arrow(WIDTH - RAIL / 2 + 10, EDGE + 8, height - EDGE - 8), "</svg>"]
    return "\n".join(shapes) + "\n"


def _row(top: int, tall: int, names: tuple[str, ...], does: str, colour: str) -> list[str]:
    right, middle = WIDTH - RAIL, top + tall / 2 + 5
    shapes = [
        f'<rect x="{EDGE}" y="{top}" width="{right - EDGE}" height="{tall}" rx="6" fill="{colour}" '
        f'fill-opacity="0.13" stroke="{colour}"/>',
        f'<text x="{right - 14}" y="{middle}" font-size="14" text-anchor="end" fill="#39434d">'
        f"{escape(does)}</text>",
    ]
    for line, start in enumerate(range(0, len(names), NAMES_A_LINE)):
        x, y = EDGE + 14, top + ROW / 2 + 5 + line * LINE
        for name in names[start : start + NAMES_A_LINE]:
            shapes.append(
                f'<text x="{x}" y="{y}" font-size="15" font-weight="600" fill="{colour}">{name}</text>'
            )
            x += 11 * len(name) + 16  # wide enough for any system's font
    return shapes


def _arrow(x: float, top: int, bottom: int) -> list[str]:
    said = ("a layer imports", "from those below it,", "never from above")
    middle = (top + bottom) // 2
    return [
        f'<path d="M {x:g} {top} V {bottom} m -8 -12 l 8 12 l 8 -12" fill="none" stroke="#39434d" '
        'stroke-width="2"/>',
        f'<rect x="{x - 78:g}" y="{middle - 36}" width="156" height="72" fill="#ffffff"/>',
        *(
            f'<text x="{x:g}" y="{middle - 12 + 20 * line}" font-size="14" text-anchor="middle" '
            f'fill="#39434d">{words}</text>'
            for line, words in enumerate(said)
        ),
    ]


if __name__ == "__main__":
    PICTURE.write_text(draw(), encoding="utf-8")
