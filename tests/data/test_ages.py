"""The bands of age."""

import numpy as np
import pandas as pd

from xlite.data.ages import AGE_BANDS, age_band


def test_bands_have_their_ends_where_they_say() -> None:
    ages = [0.0, 17.9, 18.0, 60.0, 60.5, np.nan]
    bands = ["under 18", "under 18", "18 to 60", "18 to 60", "over 60", ""]
    assert age_band(np.array(ages)).tolist() == age_band(pd.Series(ages)).tolist() == bands
    assert {*bands} == {*AGE_BANDS, ""}
