"""The kinds of heat map, and what their colours mean. No torch."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Method:
    """A kind of map: the title that people read, and what sets it apart from the others.

    `library` is its class in pytorch-grad-cam; empty if `xlite.explain.maps` has it in closed form.
    `per_finding` is False if a film has one map for all findings.
    """

    title: str
    description: str
    library: str = ""
    per_finding: bool = True


METHODS = {
    "layercam": Method("LayerCAM", "What speaks for the finding, without what speaks against it."),
    "gradcam": Method(
        "Grad-CAM", "What speaks against the finding is taken off: often empty for unlikely ones."
    ),
    "gradcam++": Method(
        "Grad-CAM++",
        "Grad-CAM with other weights, meant for findings in several places.",
        library="GradCAMPlusPlus",
    ),
    "hirescam": Method(
        "HiResCAM",
        "Gradient times feature, cell by cell: in these models the same as Grad-CAM.",
        library="HiResCAM",
    ),
    "eigencam": Method(
        "EigenCAM",
        "What stands out in the film, whatever the finding: one map for all.",
        library="EigenCAM",
        per_finding=False,
    ),
}
"""Every kind of map by its name on the command line; the first is the default."""

DEFAULT_METHOD = next(iter(METHODS))
CLOSED_FORM = tuple(name for name, method in METHODS.items() if not method.library)
"""The kinds that take one forward pass for all findings; the others go through pytorch-grad-cam."""


def map_legend(cells: tuple[int, int], method: str = DEFAULT_METHOD, bar: bool = False) -> str:
    """What the colours of a map of (h, w) cells by one of METHODS mean, and what they do not.

    `bar`: a colour bar beside the map names its colours; without one they are inferno's.
    """
    rows, columns = cells
    shown = "raise a finding's score" if METHODS[method].per_finding else "stand out, whatever the finding"
    grid = f"{rows} × {columns} cells, each about {100 / (rows * columns):.0f} % of the film; one is outlined"
    colours = "the right end of the colour bar most" if bar else "pale yellow most, red and violet less"
    return (
        f"Colour shows which parts of the film {shown}: {colours}, bare film not at all; "
        f"each map is scaled to its own peak. A map is coarse ({grid}): it does not locate or outline a "
        "finding."
    )
