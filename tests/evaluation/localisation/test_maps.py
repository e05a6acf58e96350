"""What maps say of targets one by one: by maps that are known, on films whose boxes are."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tiny_models import save_student, student

from xlite.classify import Classifier
from xlite.data.folder import NihFolder
from xlite.evaluation.localisation.maps import NOTED, JudgedMaps
from xlite.metrics.localisation import BASELINES, BOX_METRICS, centre_map
from xlite.metrics.target_means import BoxSummary

MIDDLE, CORNER, WHOLE = (256, 256, 512, 512), (0, 0, 100, 100), (0, 0, 1024, 1024)
HEADER = ["stem", "finding", "x", "y", "w", "h"]


@pytest.fixture(scope="module")
def classifier(tmp_path_factory: pytest.TempPathFactory) -> Classifier:
    """Its maps have 3 x 3 cells."""
    return Classifier.load(
        save_student(tmp_path_factory.mktemp("model") / "model.safetensors", student(), 96)
    )


def judged(
    classifier: Classifier, data: Path, *boxes: tuple[str, str, tuple[int, ...]], checks: int = 0
) -> JudgedMaps:
    """The boxes of films, judged by gradcam: film, finding, x, y, w, h of the release's frame."""
    table = pd.DataFrame([(stem, finding, *box) for stem, finding, box in boxes], columns=HEADER)
    found = JudgedMaps(classifier, NihFolder.open(data), table, ["gradcam"], 20, 0)
    found.read(checks, None)
    return found


def value(summary: BoxSummary) -> float | None:
    return summary.all.value


def test_the_map_of_the_centre_hits_what_lies_there_and_misses_a_corner(
    classifier: Classifier, tiny_folder: Path
) -> None:
    found = judged(
        classifier,
        tiny_folder,
        ("00000001_000", "Mass", MIDDLE),
        ("00000002_000", "Mass", CORNER),
        ("00000003_000", "Nodule", WHOLE),
    )
    assert [one["pointing"] for one in found.values["centre"]] == [1, 0, 1]
    pointing = found.metrics("centre").metrics["pointing"]
    assert value(pointing) == pytest.approx(2 / 3)
    assert {name: one.value for name, one in pointing.per_finding.items()} == {"Mass": 0.5, "Nodule": 1}
    assert found.metrics("centre").checks is None
    # What is as large as the film is hit by every map that points anywhere.
    assert found.values["random"][2]["pointing"] == 1
    assert found.metrics("random").metrics["pointing_above_random"].all.value == 0


def test_boxes_of_one_finding_on_one_film_are_one_target_and_any_of_them_is_hit(
    classifier: Classifier, tiny_folder: Path
) -> None:
    film = "00000001_000"
    found = judged(
        classifier, tiny_folder, (film, "Mass", CORNER), (film, "Edema", CORNER), (film, "Mass", MIDDLE)
    )
    assert found.targets[["stem", "finding"]].to_numpy().tolist() == [[film, "Mass"], [film, "Edema"]]
    assert [boxes.tolist() for boxes in found.targets["boxes"]] == [
        [list(CORNER), list(MIDDLE)],
        [list(CORNER)],
    ]
    assert [one["pointing"] for one in found.values["centre"]] == [1, 0]


def test_each_target_has_a_row_for_each_method_and_none_for_maps_that_know_nothing(
    classifier: Classifier, tiny_folder: Path
) -> None:
    found = judged(
        classifier, tiny_folder, ("00000001_000", "Mass", MIDDLE), ("00000002_000", "Edema", WHOLE)
    )
    assert found.names == ["gradcam", *BASELINES]
    table = found.one_by_one()
    assert table.columns.tolist() == ["stem", "finding", "method", *NOTED]
    assert table["method"].tolist() == ["gradcam"] * 2 and table["finding"].tolist() == ["Mass", "Edema"]
    assert table["iou"].tolist() == [one["iou"] for one in found.values["gradcam"]]
    assert all(set(one) == set(BOX_METRICS) for one in found.values["gradcam"])
    assert sum(found.metrics("centre").faults.values()) == 0


@pytest.mark.slow
def test_the_sheet_has_a_target_of_each_finding_before_a_second_of_any(
    classifier: Classifier, tiny_folder: Path
) -> None:
    stems = [f"{patient:08d}_{film:03d}" for patient in range(1, 6) for film in range(2)]
    mass = [(stem, "Mass", MIDDLE) for stem in stems]
    found = judged(classifier, tiny_folder, *mass, ("00000006_000", "Hernia", MIDDLE))
    assert len(found.tiles) == 8 and len(found.targets) == 11
    assert sum(row[0].finding == "Hernia" for row in found.tiles) == 1
    [hernia] = [row for row in found.tiles if row[0].finding == "Hernia"]
    assert [tile.method for tile in hernia] == ["gradcam", *BASELINES]
    assert hernia[0].image.shape == (64, 64) and hernia[0].boxes.tolist() == [[16, 16, 32, 32]]
    np.testing.assert_array_equal(hernia[2].coarse, centre_map(classifier.grid))


def test_the_same_seed_draws_the_same_random_maps(classifier: Classifier, tiny_folder: Path) -> None:
    box = ("00000001_000", "Mass", MIDDLE)
    one, two = (judged(classifier, tiny_folder, box) for _ in range(2))
    assert one.values == two.values
    np.testing.assert_array_equal(one.tiles[0][1].coarse, two.tiles[0][1].coarse)


@pytest.mark.slow
def test_checks_are_of_as_many_targets_as_were_asked_for_and_count_their_boxes(
    classifier: Classifier, tiny_folder: Path
) -> None:
    film = "00000001_000"
    boxes = [(film, "Mass", CORNER), (film, "Mass", MIDDLE), ("00000002_000", "Edema", WHOLE)]
    alone = judged(classifier, tiny_folder, *boxes, checks=1).metrics("gradcam").checks
    every = judged(classifier, tiny_folder, *boxes, checks=9).metrics("gradcam").checks
    assert alone is not None and every is not None
    assert alone.targets == 1 and alone.boxes in (1, 2)
    assert (every.targets, every.boxes) == (2, 3)
    assert every.metrics.keys() == {
        *("deletion", "insertion", "deletion_above_random", "insertion_above_random"),
        *("head", "half", "all"),
    }
    random = judged(classifier, tiny_folder, *boxes, checks=9).metrics("random").checks
    assert random is not None
    assert random.metrics.keys() == every.metrics.keys() - {"head", "half", "all"}
    assert random.metrics["deletion_above_random"].value == 0


@pytest.mark.slow
def test_a_rank_correlation_that_is_undefined_is_left_out_of_its_mean(
    classifier: Classifier, tiny_folder: Path
) -> None:
    found = judged(
        classifier,
        tiny_folder,
        ("00000001_000", "Mass", MIDDLE),
        ("00000002_000", "Edema", WHOLE),
        checks=2,
    )
    for one in found.checked["gradcam"]:
        one["head"] = 0.5
    found.checked["gradcam"][0]["head"] = float("nan")
    checks = found.metrics("gradcam").checks
    assert checks is not None and (checks.metrics["head"].targets, checks.metrics["head"].boxes) == (1, 1)
    found.checked["gradcam"][1]["head"] = float("nan")
    none = found.metrics("gradcam").checks
    assert none is not None and (none.metrics["head"].value, none.metrics["head"].targets) == (None, 0)
