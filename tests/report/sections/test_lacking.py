"""What a report's sections lack, and how to get it."""

import numpy as np
import pytest
from demo_home import drawn_report

from xlite.report.sections.lacking import lacking

pytestmark = pytest.mark.slow


def test_a_section_that_has_nothing_says_how_to_get_it_without_a_command() -> None:
    report, _ = drawn_report()
    found = lacking(report)
    assert list(found) == ["Maps", "Radiologists"]
    bare = report.model_copy(update={"operating_points": None})
    assert list(lacking(bare)) == ["Maps", "Radiologists", "Thresholds", "Calibration"]
    assert not any("xlite " in text or "--" in text for text in lacking(bare).values())
    assert np.all([text.endswith(".") for text in lacking(bare).values()])
