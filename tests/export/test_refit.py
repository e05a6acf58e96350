"""An export's own calibration: of validation films, or carried from that of its model."""

from pathlib import Path

import numpy as np

from xlite.evaluation.films import FilmLogits
from xlite.evaluation.validation import fit_info
from xlite.export.refit import refitted
from xlite.metrics.calibration import Platt, apply_calibrator
from xlite.models.info import Pooled
from xlite.models.onnx_file import read_onnx
from xlite.models.onnx_graph import parsed


def films() -> FilmLogits:
    """Validation films with Hernia on two patients."""
    rng = np.random.default_rng(0)
    labels = (rng.random((300, 14)) < 0.2).astype(np.float32)
    labels[:, -1] = np.arange(300) < 2
    return FilmLogits(rng.normal(2 * labels - 4, 1.5), labels, np.arange(300))


def test_an_export_is_fitted_to_its_own_answers(exported: tuple[Path, Path]) -> None:
    file, val = read_onnx(exported[1]), films()
    fitted = refitted(parsed(file.content), file.info, val, before=val.logits + 1)
    assert fitted == fit_info(file.info, val.logits, val.labels, val.patients)
    assert "Hernia" in fitted.calibration.uncalibrated()


def test_a_calibrator_that_more_films_fitted_is_carried_to_the_exports_logits(
    exported: tuple[Path, Path],
) -> None:
    file, val = read_onnx(exported[1]), films()
    scale, bias = np.linspace(0.6, 1.4, 14), np.linspace(-0.5, 0.5, 14)
    scale[3], bias[3] = 1.0, 0.0  # Infiltration is not calibrated
    own = Platt(scale=tuple(scale.tolist()), bias=tuple(bias.tolist()))
    pooled = Pooled(films=900, patients=700, runs=5)
    info = file.info.model_copy(update={"calibration": own}).noting(pooled=pooled)
    before = 1.1 * val.logits + 0.2  # what 8 bits do to logits is not all noise
    fitted = refitted(parsed(file.content), info, val, before)
    found = apply_calibrator(val.logits, fitted.calibration)
    calibrated = np.arange(14) != 3
    np.testing.assert_allclose(found[:, calibrated], apply_calibrator(before, own)[:, calibrated], atol=1e-6)
    assert fitted.calibration.uncalibrated() == ["Infiltration"]
    assert fitted.notes.pooled == pooled
    assert fitted.thresholds["Hernia"] is None and fitted.thresholds["Mass"] is not None
