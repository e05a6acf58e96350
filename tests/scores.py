"""Labels and scores with many ties, for the tests of metrics."""

import numpy as np
from hypothesis import strategies as st


def films(n: int = 300, findings: int = 14, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Labels, probabilities with many ties, and patients of one to several films."""
    rng = np.random.default_rng(seed)
    labels = (rng.random((n, findings)) < rng.uniform(0.05, 0.5, findings)).astype(np.float32)
    probs = np.clip(rng.normal(0.35 + 0.2 * labels, 0.2), 0, 1).round(2)
    return labels, probs.astype(np.float32), rng.integers(1000, 1000 + n // 3, n)


@st.composite
def tied_films(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    """One finding in 2 to 40 films with scores of few levels, both labels present."""
    n = draw(st.integers(2, 40))
    labels = draw(st.lists(st.booleans(), min_size=n, max_size=n).filter(lambda y: 0 < sum(y) < len(y)))
    level = st.sampled_from([0.0, 1e-30, 0.1, 0.2, 0.3, 0.5, 1 - 2**-52, 1.0])
    scores = draw(st.lists(level, min_size=n, max_size=n))
    return np.array(labels, np.float32)[:, None], np.array(scores)[:, None]
