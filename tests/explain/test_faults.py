import numpy as np
import pytest

from xlite.data.tables import read_boxes
from xlite.explain.faults import MEDIAN_BOX, map_fault


@pytest.mark.parametrize(
    ("cells", "fault"),
    [
        ({}, "empty"),
        ({(3, 3): 1}, None),
        ({(1, 5): 1, (0, 0): 0.9}, None),
        ({(0, 3): 1, (3, 3): 0.9}, "outside"),
        ({(3, 6): 1}, "outside"),
        ({(0, 3): 1, (3, 3): 1}, None),
        ({(3, 3): 1, (6, 6): 1}, None),
        ({(0, 3): 1, (6, 6): 1}, "outside"),
    ],
)
def test_a_map_that_shows_no_place_is_called_what_it_is(cells, fault):
    coarse = np.zeros((7, 7), np.float32)
    for cell, height in cells.items():
        coarse[cell] = height
    assert map_fault(coarse) == fault


def test_a_map_of_almost_one_value_is_flat():
    coarse = np.full((7, 7), 2.0)
    coarse[3, 3] = 2.1
    assert map_fault(coarse) == "flat"
    coarse[3, 3] = 3
    assert map_fault(coarse) is None


def test_median_boxes_and_the_rim_are_those_of_the_tables(shared_data):
    boxes = read_boxes(shared_data / "nih_tables" / "BBox_List_2017.csv")
    medians = (boxes.w * boxes.h / 1024**2).groupby(boxes.finding).median()
    assert pytest.approx(medians.to_dict(), abs=5e-5) == MEDIAN_BOX
    middles = np.stack([boxes.x + boxes.w / 2, boxes.y + boxes.h / 2]) / 1024
    assert (np.minimum(middles, 1 - middles).min(0) < 0.08).sum() == 3
