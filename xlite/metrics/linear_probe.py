"""How well something else than the findings can be told from a model's features.

A logistic regression on standardised features, cross-validated by whole patients (a linear probe: Alain and
Bengio, 2016). What it tells was there to be used by the model's own last layer, which is linear, too; whether
that does use it, it does not say.
"""

from collections.abc import Sequence

import numpy as np

from xlite.labels import known, positive
from xlite.patients import fewer_patients

FOLDS, STRENGTH = 5, 0.01
"""Of the cross-validation; of the regression, scikit-learn's C: features are many, films are few."""


def out_of_fold(
    features: np.ndarray, classes: np.ndarray, patients: np.ndarray, names: Sequence[str]
) -> np.ndarray:
    """Probabilities float64 (N, K) of the classes `names`, each from a regression that knew no film of the
    patient.

    features (N, C), classes (N,) of `names`, patients (N,). Raises ValueError if a class has fewer than FOLDS
    patients.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedGroupKFold, cross_val_predict
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    fewest = min(len(np.unique(patients[classes == name])) for name in names)
    if fewest < FOLDS:
        raise ValueError(f"a class has {fewest} patients, expected {FOLDS} at least")
    probe = make_pipeline(StandardScaler(), LogisticRegression(C=STRENGTH, max_iter=2000))
    folds = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=0)
    found = cross_val_predict(probe, features, classes, groups=patients, cv=folds, method="predict_proba")
    columns = {str(name): column for column, name in enumerate(np.unique(classes))}
    return np.asarray(found[:, [columns[name] for name in names]], np.float64)


def out_of_fold_labels(features: np.ndarray, labels: np.ndarray, patients: np.ndarray) -> np.ndarray:
    """Probabilities float64 (N, C) of findings, by `out_of_fold`: each from what other patients have.

    features (N, F), labels (N, C), NaN if unknown, patients (N,). NaN if the label is unknown, and for
    findings that fewer than FOLDS patients have or lack.
    """
    found = np.full(labels.shape, np.nan)
    for column in np.flatnonzero(fewer_patients(labels, patients) >= FOLDS):
        here = known(labels[:, column])
        classes = np.where(positive(labels[here, column]), "yes", "no")
        found[here, column] = out_of_fold(features[here], classes, patients[here], ["yes"])[:, 0]
    return found
