"""Where a map peaks, in the frame of the film's own file."""

import numpy as np
import pytest

from xlite.pacs.regions import peak_box, turned_back


def corners(left: float, top: float, right: float, bottom: float) -> list[list[float]]:
    return [[left, top], [right, top], [right, bottom], [left, bottom], [left, top]]


def test_the_box_is_where_the_map_is_half_as_high_as_at_its_peak() -> None:
    coarse = np.zeros((4, 8), np.float32)
    coarse[2, 6] = 1.0
    # A cell of 10 x 10 px; between its middle and the next one the map falls to half.
    assert peak_box(coarse, (40, 80)).tolist() == corners(60, 20, 70, 30)


def test_only_what_hangs_together_with_the_peak_counts() -> None:
    coarse = np.zeros((4, 8), np.float32)
    coarse[0, 0], coarse[2, 6] = 0.9, 1.0
    assert peak_box(coarse, (40, 80)).tolist() == corners(60, 20, 70, 30)


def test_a_peak_at_the_rim_ends_with_the_film_and_large_films_keep_their_scale() -> None:
    coarse = np.zeros((8, 8), np.float32)
    coarse[0, 7] = 1.0
    box = peak_box(coarse, (3000, 2400))
    assert box.min(0).tolist() == pytest.approx([2100, 0], abs=6) and box.max(0).tolist() == [2400, 375]


@pytest.mark.parametrize(
    ("reason", "quarters"), [("rotated_90", 1), ("rotated_180", 2), ("rotated_270", 3), ("inverted", 0)]
)
def test_a_box_of_a_film_that_was_turned_lies_in_its_file_as_it_came(reason: str, quarters: int) -> None:
    file = np.zeros((40, 80), np.uint8)
    file[10:20, 50:75] = 1
    upright = np.rot90(file, quarters)
    rows, columns = np.nonzero(upright)
    box = np.array(corners(columns.min(), rows.min(), columns.max() + 1, rows.max() + 1), float)
    assert turned_back(box, upright.shape, (reason,)).tolist() == corners(50, 10, 75, 20)


def test_no_corner_lies_outside_the_film() -> None:
    box = np.array(corners(-3, -2, 90, 41), float)
    assert turned_back(box, (40, 80), ()).tolist() == corners(0, 0, 80, 40)
