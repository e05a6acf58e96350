"""Bands of age, the same in the statistics of a table and in the metrics of a model."""

import numpy as np
import pandas as pd

AGE_BANDS = ("under 18", "18 to 60", "over 60")


def age_band(ages: pd.Series | np.ndarray) -> np.ndarray:
    """The band of each age in years (N,): (N,) strings, empty if the age is missing (NaN)."""
    age = np.asarray(ages, dtype=np.float64)
    return np.select([age < 18, age <= 60, age > 60], AGE_BANDS, "")
