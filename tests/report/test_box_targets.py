"""Boxes and maps, film by film: written, read, and the best and the worst of them."""

from pathlib import Path

import pandas as pd
import pytest

from xlite.errors import DataError
from xlite.report.box_targets import (
    BoxTarget,
    best_and_worst,
    methods_of,
    read_targets,
    target_caption,
    write_targets,
)

TARGETS = [
    BoxTarget("00000001_000", "Mass", "cam", 1.0, 0.5),
    BoxTarget("=1+1", "Nodule", "cam", 0.0, 0.25),
    BoxTarget("00000003_000", "Mass", "cam", 1.0, 0.125),
    BoxTarget("00000001_000", "Mass", "layercam", 0.5, 0.75),
]


def table() -> pd.DataFrame:
    return pd.DataFrame([vars(one) for one in TARGETS])


def test_what_is_written_is_read_and_no_cell_is_a_formula(tmp_path: Path) -> None:
    write_targets(tmp_path, table())
    assert read_targets(tmp_path) == TARGETS
    assert "\n=1" not in (tmp_path / "targets.csv").read_text()
    write_targets(tmp_path, None)
    assert not (tmp_path / "targets.csv").exists() and read_targets(tmp_path) == []


@pytest.mark.parametrize(
    "content", ["", "stem,finding\na,b\n", "stem,finding,method,pointing,iou\na,b,c,d,e\n"]
)
def test_a_damaged_file_is_a_sentence(tmp_path: Path, content: str) -> None:
    (tmp_path / "targets.csv").write_text(content)
    with pytest.raises(DataError, match="targets.csv is damaged"):
        read_targets(tmp_path)


def test_the_best_and_the_worst_are_by_peak_and_then_by_overlap() -> None:
    best, worst = best_and_worst(TARGETS, "cam", 1)
    assert (best, worst) == ([TARGETS[0]], [TARGETS[1]])
    best, worst = best_and_worst(TARGETS, "cam", 5)
    assert (best, worst) == ([TARGETS[0], TARGETS[2]], [TARGETS[1]])
    assert best_and_worst(TARGETS, "layercam", 5) == ([TARGETS[3]], [])
    assert best_and_worst([], "cam", 5) == ([], [])
    assert set(methods_of(TARGETS)) == {"cam", "layercam"}


def test_a_target_is_told() -> None:
    assert target_caption(TARGETS[1]) == "**Nodule**: peak beside the box, IoU 0.25  \n\\=1+1"
    assert target_caption(TARGETS[0]).startswith("**Mass**: peak in the box, IoU 0.50")
    assert target_caption(TARGETS[3]).startswith("**Mass**: peak partly, IoU 0.75")
