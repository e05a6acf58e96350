import subprocess
import sys

import pytest

import xlite.explain
from xlite.explain import CLOSED_FORM, DEFAULT_METHOD, METHODS, map_legend


def test_the_kinds_of_maps_and_their_order():
    assert list(METHODS) == ["layercam", "gradcam", "gradcam++", "hirescam", "eigencam"]
    assert DEFAULT_METHOD == "layercam" and CLOSED_FORM == ("layercam", "gradcam")
    assert all(method.title and method.description.endswith(".") for method in METHODS.values())


@pytest.mark.parametrize("method", METHODS)
def test_a_legend_says_what_the_colours_mean_and_how_coarse_a_map_is(method: str):
    legend = map_legend((7, 7), method)
    assert "7 × 7 cells, each about 2 % of the film" in legend
    assert ("whatever the finding" in legend) is (method == "eigencam")
    assert ": pale yellow most, red and violet less, bare film not at all; " in legend
    assert ": the right end of the colour bar most, bare film not at all; " in map_legend(
        (7, 7), method, bar=True
    )


def test_methods_are_listed_without_torch_and_every_name_can_be_imported():
    code = "import sys, xlite.explain; sys.exit('torch' in sys.modules or 'cv2' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
    assert all(getattr(xlite.explain, name) is not None for name in xlite.explain.__all__)
    with pytest.raises(AttributeError, match="'xlite.explain' has no attribute 'heat'"):
        xlite.explain.heat  # noqa: B018
