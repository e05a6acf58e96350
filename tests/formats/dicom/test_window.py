"""Windows: which one counts, and what it makes of values."""

import numpy as np
import pytest
from pydicom.dataset import Dataset

from xlite.formats.dicom.window import Window, apply_window, middle, stated_windows


@pytest.mark.parametrize("function", ["LINEAR", "LINEAR_EXACT", "SIGMOID"])
def test_each_function_is_that_of_the_standard(function: str) -> None:
    """PS3.3 C.11.2.1.2 and C.11.2.1.3, for center 10 and width 10."""
    values = np.array([-2, 5, 9, 10, 13, 20])
    expected = {
        "LINEAR": np.clip((values - 9.5) / 9 + 0.5, 0, 1),
        "LINEAR_EXACT": np.clip((values - 10) / 10 + 0.5, 0, 1),
        "SIGMOID": 1 / (1 + np.exp(-4 * (values - 10) / 10)),
    }[function]
    found = apply_window(values, Window(10, 10, function))
    assert found.dtype == np.uint8 and found.tolist() == np.rint(expected * 255).tolist()


def test_the_middle_of_counted_values_is_that_of_the_pixels() -> None:
    values, counts = np.array([30.0, 10, 20]), np.array([1, 150, 49])
    low, high = np.percentile(np.repeat(values, counts), (0.5, 99.5))
    window = middle(values, counts)
    assert window.center == pytest.approx((low + high) / 2) and window.width == pytest.approx(high - low)
    assert middle(np.array([7.0]), np.array([9])) == Window(7.0, 1e-6, "LINEAR_EXACT")


def test_a_header_without_a_window_states_none() -> None:
    assert stated_windows(Dataset()) == []
