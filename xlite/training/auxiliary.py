"""What the table knows of each training film beside its findings, for heads dropped after training."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

ATTRIBUTES = ("view", "sex", "age")
"""In the order of the auxiliary heads' outputs."""


def attributes_of(table: pd.DataFrame) -> NDArray[np.float32]:
    """What a table knows of its films: float32 (N, 3) in the order of ATTRIBUTES, NaN if it does not.

    View: 1 for AP, 0 for PA. Sex: 1 for M, 0 for F. Age: in standard deviations from the mean of these films.
    """
    view, sex = table["view"].map({"PA": 0.0, "AP": 1.0}), table["sex"].map({"F": 0.0, "M": 1.0})
    age = table["age"]
    spread = age.std(ddof=0) or 1.0  # 0 if all are of one age
    return np.stack([view, sex, (age - age.mean()) / spread], axis=1).astype(np.float32)
