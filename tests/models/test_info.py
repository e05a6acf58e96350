"""What a model file keeps of its validation films: small, whole, and refused if it cannot be."""

import json
from pathlib import Path

import numpy as np
import pytest

from xlite.errors import CheckpointError
from xlite.evaluation.validation import fit_info, record_validation
from xlite.findings import FINDINGS
from xlite.images import Preprocess
from xlite.metrics.calibration import apply_calibrator
from xlite.metrics.thresholds import Thresholds, ValidationPatients
from xlite.metrics.validation_record import validation_records
from xlite.models.info import FORMAT, ModelInfo, header_of, parse_header, read_info
from xlite.places import bundled

BARE = ModelInfo(
    backbone="resnet18", attention="none", hidden=16, dropout=0.1, preprocess=Preprocess(64),
    split_id="patient-42-1a2b3c4d", label_version="2020",
)  # fmt: skip


def drawn(count: int = 3000) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Logits, labels and patients of validation films, three of each patient; Hernia on two of them only."""
    rng = np.random.default_rng(0)
    labels = (rng.random((count, 14)) < 0.2).astype(np.float32)
    labels[:, -1] = np.arange(count) < 2
    return rng.normal(2 * labels - 6, 1.5), labels, np.arange(count) // 3


def header(info: ModelInfo, **changes: str) -> dict[str, str]:
    return header_of(info) | {"format": FORMAT} | changes


def test_a_fit_records_what_its_thresholds_are_worth_in_less_than_30_kb() -> None:
    logits, labels, patients = drawn()
    info = fit_info(BARE, logits, labels, patients)
    probs = apply_calibrator(logits, info.calibration)
    thresholds = Thresholds.of(info.thresholds, info.thresholds_chosen_on)
    assert info.validation == validation_records(labels, probs, patients, thresholds)
    assert (info.thresholds["Hernia"], info.validation["Hernia"].sensitivity) == (None, None)
    assert info.validation["Hernia"].ranks_with and info.validation["Mass"].zone.low is not None
    assert len(header_of(info)["validation"]) < 30_000
    assert parse_header(header(info), Path("m.safetensors")) == info


def test_a_record_of_a_model_as_it_is_changes_nothing_else() -> None:
    logits, labels, patients = drawn(300)
    old = BARE.model_copy(update={"thresholds": dict.fromkeys(FINDINGS, 0.02)})
    info = record_validation(old, logits, labels, patients)
    assert info.model_copy(update={"validation": None}) == old
    called = apply_calibrator(logits, None)[:, 4] >= 0.02
    assert info.validation["Mass"].sensitivity.value == pytest.approx(called[labels[:, 4] > 0].mean())
    assert info.validation["Hernia"].sensitivity is not None  # two films chose nothing, but they are measured
    bare = record_validation(BARE, logits, labels, patients)
    assert bare.validation["Mass"].sensitivity is None
    assert bare.validation["Mass"].zone == info.validation["Mass"].zone


def test_a_file_without_records_is_read() -> None:
    old = header(BARE)
    del old["validation"]
    assert parse_header(old, Path("old.safetensors")) == BARE


def test_records_that_do_not_fit_the_thresholds_are_refused() -> None:
    info = fit_info(BARE, *drawn(300))
    records = json.loads(header_of(info)["validation"])

    def refused(validation: object, **changes: str) -> str:
        with pytest.raises(CheckpointError, match=r"^the header of m.safetensors is damaged") as raised:
            parse_header(header(info, validation=json.dumps(validation), **changes), Path("m.safetensors"))
        return str(raised.value)

    assert "validation lack Hernia" in refused({name: records[name] for name in FINDINGS[:-1]})
    assert "validation know no Fracture" in refused(records | {"Fracture": records["Mass"]})
    lying = records | {"Mass": records["Mass"] | {"sensitivity": None}}
    assert "validation.Mass.sensitivity is None, but its threshold is" in refused(lying)
    tampered = records["Mass"] | {"zone": records["Mass"]["zone"] | {"low": 0.9, "high": 0.1}}
    assert "a zone from 0.9 to 0.1 ends before it begins" in refused(records | {"Mass": tampered})
    said = refused(records, thresholds="null", thresholds_chosen_on="null")
    assert "validation.Atelectasis.sensitivity is 0." in said and "its threshold is None" in said
    assert "validation is 3" in refused(3)


def test_the_shipped_model_says_what_its_thresholds_are_worth() -> None:
    info = read_info(bundled("checkpoints", "demo", "model.safetensors"))
    found = info.validation["Pneumonia"]
    assert (found.positive_films, found.negative_films) == (81, 354)
    assert found.patients == ValidationPatients(72, 309)
    assert found.sensitivity.value == pytest.approx(51 / 81)
    certified = [finding for finding, one in info.validation.items() if one.zone.low is not None]
    assert certified == ["Atelectasis", "Infiltration", "Pneumonia"]
