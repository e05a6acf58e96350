"""Several models as one engine, and what of them does not fit."""

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tiny_models import TINY, save_student, student

from xlite.classify import Classifier
from xlite.engines.ensemble import check_cells
from xlite.errors import CheckpointError, RunError
from xlite.files import digest_of
from xlite.findings import FINDINGS
from xlite.metrics.calibration import Platt, apply_calibrator
from xlite.models.checkpoint import load_model, save_model
from xlite.models.student import Student

FILM = np.random.default_rng(0).integers(0, 256, (90, 70), dtype=np.uint8)


@pytest.fixture(scope="module")
def members(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two tiny models, the first with thresholds, the second with another calibration."""
    folder, flat = tmp_path_factory.mktemp("members"), (1.0,) * 14
    thresholds = dict.fromkeys(FINDINGS, 0.5)
    return [
        save_student(
            folder / f"{name}.safetensors",
            student(seed=seed),
            calibration=Platt(scale=(2.0,) * 14, bias=flat) if seed else None,
            thresholds=thresholds,
        )
        for seed, name in enumerate(("one", "other"))
    ]


def joined(paths: list[Path]) -> str:
    return ",".join(map(str, paths))


@pytest.mark.slow
def test_logits_and_maps_are_means_and_nothing_of_a_member_is_taken_for_the_mean(members: list[Path]) -> None:
    both, alone = Classifier.load(joined(members)), [Classifier.load(path) for path in members]
    x = both.input(FILM)
    outputs = [one.output(x, "gradcam") for one in alone]
    found = both.output(x, "gradcam")
    np.testing.assert_allclose(found.logits, (outputs[0].logits + outputs[1].logits) / 2, atol=1e-6)
    np.testing.assert_allclose(found.maps, (outputs[0].maps + outputs[1].maps) / 2, atol=1e-7)
    own = [apply_calibrator(o.logits, one.info.calibration) for o, one in zip(outputs, alone, strict=True)]
    np.testing.assert_allclose(found.disagreement, abs(own[0] - own[1]) / 2, atol=1e-6)
    np.testing.assert_allclose(both.logits(x), found.logits, atol=1e-6)
    info, reading = both.info, both.read(FILM)
    assert (info.calibration, info.thresholds, info.validation) == (None, None, None)
    assert info.backbone == " + ".join([alone[0].info.backbone] * 2)
    assert reading.thresholds is None and not reading.worth("Mass").calibrated
    np.testing.assert_allclose(reading.probabilities, apply_calibrator(found.logits, None)[0], atol=1e-6)
    sizes = [one.size() for one in alone]
    assert both.size().megabytes == pytest.approx(sum(size.megabytes for size in sizes))
    assert both.engine.name == "torch"


@pytest.mark.slow
def test_it_is_called_by_its_members_and_has_a_digest_of_both(members: list[Path]) -> None:
    both = Classifier.load(joined(members))
    digests = "\n".join(digest_of(path) for path in members)
    assert (both.name, both.digest) == ("one,other", hashlib.sha256(digests.encode()).hexdigest())
    assert Classifier.load(members[0]).digest == digest_of(members[0])
    assert both.digest != Classifier.load(joined(members[::-1])).digest
    assert not both.has_weights
    with pytest.raises(CheckpointError, match="one,other is an ensemble, .* name one of its members"):
        both.model  # noqa: B018


@pytest.mark.slow
def test_the_mirror_image_of_an_ensemble_is_read_too(members: list[Path]) -> None:
    both = Classifier.load(joined(members)).flipped()
    there, back = both.read(FILM), both.read(np.ascontiguousarray(FILM[:, ::-1]))
    np.testing.assert_allclose(there.probabilities, back.probabilities, atol=1e-6)
    np.testing.assert_allclose(there.disagreement, back.disagreement, atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"split_id": "patient-43-0"}, "the same split_id; one has patient-42-0, changed has patient-43-0"),
        ({"label_version": "2017"}, "the same label_version; one has 2020, changed has 2017"),
        ({"size": 96}, "the same preprocess; one has .*size=64.*, changed has .*size=96"),
    ],
)
def test_members_that_do_not_fit_are_refused_by_name(
    change: dict[str, object], said: str, members: list[Path], tmp_path: Path
) -> None:
    model, info = load_model(members[0])
    if "size" in change:
        change = {"preprocess": replace(info.preprocess, size=96)}
    save_model(tmp_path / "changed.safetensors", model, info.model_copy(update=change))
    with pytest.raises(CheckpointError, match=said):
        Classifier.load(joined([members[0], tmp_path / "changed.safetensors"]))


def test_maps_of_other_cells_are_refused() -> None:
    check_cells(["a", "b"], [(7, 7), (7, 7)])
    with pytest.raises(
        CheckpointError, match="must have the same cells; got 8 x 7 of a, 7 x 7 of b: without"
    ):
        check_cells(["a", "b"], [(8, 7), (7, 7)])


@pytest.mark.slow
def test_members_whose_maps_have_other_cells_answer_all_that_needs_no_maps(
    members: list[Path], tmp_path: Path
) -> None:
    paths = [members[0], save_student(tmp_path / "finer.safetensors", Student(TINY, hidden=256, stages=4))]
    cells = "maps of members of an ensemble must have the same cells; got 2 x 2 of .*, 4 x 4 of finer: "
    with pytest.raises(CheckpointError, match=cells):
        Classifier.load(joined(paths))
    both, alone = Classifier.load(joined(paths), has_maps=False), [Classifier.load(path) for path in paths]
    x = both.input(FILM)
    found, own = both.output(x, None), [one.logits(x) for one in alone]
    np.testing.assert_allclose(found.logits, (own[0] + own[1]) / 2, atol=1e-6)
    apart = apply_calibrator(own[0], None) - apply_calibrator(own[1], None)
    np.testing.assert_allclose(found.disagreement, abs(apart) / 2, atol=1e-6)
    assert (found.maps.size, both.engine.methods) == (0, ())
    with pytest.raises(CheckpointError, match=cells):
        both.engine.output(x, "layercam")
    with pytest.raises(CheckpointError, match="has logits, probabilities and no maps; for more name one of"):
        both.read(FILM)


def test_an_export_reads_on_the_processor_alone(exported: tuple[Path, Path], members: list[Path]) -> None:
    with pytest.raises(RunError, match="which reads on the cpu"):
        Classifier.load(joined([exported[1], members[0]]), "cuda")
