"""Maps against boxes, each metric beside a slow implementation that shares no code with it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import ndimage

from xlite.metrics.bootstrap import Resamples
from xlite.metrics.estimate import Estimate
from xlite.metrics.localisation import (
    BOX_METRICS,
    centre_map,
    in_frame,
    judge_map,
    map_boxes,
    overlaps,
    peak,
    points_into,
    random_map,
    summarise,
)


def slow_boxes(heat: np.ndarray) -> set[tuple[int, int, int, int, int]]:
    """Regions by flood, pixel by pixel: (level, x, y, w, h) of each."""
    low, high = heat.min(), heat.max()
    found = set()
    for level in (60, 180):
        todo = {
            (int(r), int(c))
            for r, c in np.ndindex(heat.shape)
            if (heat[r, c] - low) / (high - low) * 255 > level
        }
        while todo:
            region, front = set(), [todo.pop()]
            while front:
                r, c = front.pop()
                region.add((r, c))
                near = {(r + i, c + j) for i in (-1, 0, 1) for j in (-1, 0, 1)} & todo
                todo -= near
                front += near
            rows, columns = zip(*region, strict=True)
            found.add(
                (level, min(columns), min(rows), max(columns) - min(columns) + 1, max(rows) - min(rows) + 1)
            )
    return found


def pixels(box, shape) -> np.ndarray:
    """A box of whole numbers as a mask."""
    x, y, w, h = (int(side) for side in box)
    mask = np.zeros(shape, bool)
    mask[y : y + h, x : x + w] = True
    return mask


@settings(max_examples=40, deadline=None)
@given(
    heat=hnp.arrays(np.float32, (9, 12), elements=st.sampled_from([0, 0, 0.1, 0.3, 0.5, 0.8, 1])),
    x=st.integers(0, 10),
    y=st.integers(0, 7),
    w=st.integers(1, 6),
    h=st.integers(1, 6),
)
def test_every_metric_of_a_map_is_that_of_counting_pixels(heat, x, y, w, h):
    box = (x, y, min(w, 12 - x), min(h, 9 - y))
    truth = pixels(box, heat.shape)
    boxes = [] if heat.min() == heat.max() else [found[1:] for found in slow_boxes(heat)]
    masks = [pixels(found, heat.shape) for found in boxes]
    iou = [(mask & truth).sum() / (mask | truth).sum() for mask in masks]
    iobb = [(mask & truth).sum() / mask.sum() for mask in masks]
    expected = {"iou": max(iou, default=0)}
    for overlap in (0.1, 0.25, 0.5, 0.75):
        expected[f"iobb_{overlap}"] = any(value > overlap for value in iobb)
        expected[f"iou_{overlap}"] = any(value > overlap for value in iou)
    expected["boxes"] = len(map_boxes(heat))
    expected["false_boxes"] = expected["boxes"] - sum(
        value > 0.25 for value in overlaps(map_boxes(heat), box)[1]
    )
    expected["pointing"] = points_into(heat, box)
    found = judge_map(heat, box)
    assert tuple(found) == BOX_METRICS
    assert found == pytest.approx({name: float(value) for name, value in expected.items()})
    assert {tuple(found) for found in map_boxes(heat).astype(int)} == set(boxes)


def test_a_map_has_the_boxes_of_both_levels_and_wang_counts_them_all():
    heat = np.zeros((20, 30), np.float32)
    heat[2:12, 3:18] = 0.5  # above 60 of 255
    heat[4:6, 5:9] = 1.0  # above 180 too
    heat[15:17, 20:22] = 0.3
    heat[17, 22] = 0.3  # touches by its corner
    assert map_boxes(heat).tolist() == [[3, 2, 15, 10], [20, 15, 3, 3], [5, 4, 4, 2]]
    found = judge_map(heat, (0, 0, 10, 8))
    assert (found["boxes"], found["false_boxes"]) == (3, 1)  # 42 of 150 px, none of 9, 8 of 8
    assert (found["iobb_0.75"], found["iou_0.25"], found["iou"]) == (1, 0, pytest.approx(42 / 188))


@pytest.mark.parametrize("value", [0.0, 0.7])
def test_a_map_of_one_value_has_no_peak_and_no_box(value):
    heat = np.full((8, 8), value, np.float32)
    assert peak(heat) is None
    assert judge_map(heat, (0, 0, 8, 8)) == dict.fromkeys(BOX_METRICS, 0)


def test_the_peak_is_the_middle_of_the_highest_pixels():
    heat = np.zeros((10, 20), np.float32)
    heat[2:4, 6:10] = 1
    assert peak(heat) == (8.0, 3.0)
    assert points_into(heat, (8, 3, 1, 1)) and points_into(heat, (4, 0, 4, 3))
    assert not points_into(heat, (8.01, 3, 5, 5))


def test_a_box_of_the_release_lies_in_the_frame_of_the_film():
    np.testing.assert_allclose(in_frame((512, 256, 102.4, 204.8), (300, 600)), [300, 75, 60, 60])
    assert in_frame((10, 20, 30, 40), (1024, 1024)).tolist() == [10, 20, 30, 40]


def test_overlaps_of_boxes_that_share_nothing_are_0():
    iou, iobb = overlaps(np.array([[0, 0, 2, 2], [5, 5, 2, 2], [2, 0, 4, 4]]), (2, 0, 2, 2))
    assert iou.tolist() == [0, 0, 0.25] and iobb.tolist() == [0, 0, 0.25]


def test_scipy_finds_the_same_regions():
    rng = np.random.default_rng(0)
    heat = ndimage.gaussian_filter(rng.random((64, 48)), 3).astype(np.float32)
    scaled = (heat - heat.min()) / (heat.max() - heat.min()) * 255
    expected = []
    for level in (60, 180):
        labels, _ = ndimage.label(scaled > level, structure=np.ones((3, 3)))
        expected += [
            (c.start, r.start, c.stop - c.start, r.stop - r.start) for r, c in ndimage.find_objects(labels)
        ]
    assert sorted(map(tuple, map_boxes(heat))) == sorted(expected)


def test_intervals_resample_patients():
    """Against a loop that draws patients one by one and counts the boxes of each."""
    rng = np.random.default_rng(1)
    patients = rng.integers(0, 12, 40)
    findings = rng.choice(["Mass", "Nodule", "Effusion"], 40)
    values = rng.random(40)
    summary = summarise(values, findings, Resamples(patients, 200, seed=3))
    drawn, different = np.random.default_rng(3), np.unique(patients)
    every, means = [], []
    for _ in range(200):
        rows = [
            row
            for k in drawn.integers(len(different), size=len(different))
            for row in np.flatnonzero(patients == different[k])
        ]
        every.append(values[rows].mean())
        means.append(np.mean([values[rows][findings[rows] == name].mean() for name in set(findings[rows])]))
    expected = np.mean([values[findings == name].mean() for name in set(findings)])
    for found, value, others in ((summary.all, values.mean(), every), (summary.mean, expected, means)):
        ends = np.percentile(others, [2.5, 97.5])
        assert (found.value, found.low, found.high) == pytest.approx((value, *ends))
    assert summary.per_finding["Mass"].value == pytest.approx(values[findings == "Mass"].mean())


def test_one_patient_has_no_interval():
    findings, resamples = np.array(["Mass", "Mass"]), Resamples(np.array([7, 7]))
    assert summarise(np.array([0.0, 1.0]), findings, resamples).all == Estimate(0.5, None, None)


def test_maps_that_know_nothing():
    rng = np.random.default_rng(0)
    noise = [random_map((5, 7), rng) for _ in range(2)]
    assert noise[0].shape == (5, 7) and (noise[0] != noise[1]).all()
    centre = centre_map((5, 7))
    assert np.unravel_index(centre.argmax(), centre.shape) == (2, 3)
    np.testing.assert_array_equal(centre, centre[::-1, ::-1])
    assert centre_map((101, 101))[50, 75] == pytest.approx(np.exp(-0.5), abs=0.02)  # a sigma of a quarter


def test_a_map_box_holds_the_pixels_above_60_and_above_180_of_255():
    heat = np.array([[0, 60, 0, 61, 0, 180, 0, 181, 0, 255]], np.float32)
    assert map_boxes(heat)[:, 0].tolist() == [3, 5, 7, 9, 7, 9]


def test_a_map_box_of_which_a_quarter_lies_in_the_box_is_false():
    heat = np.zeros((8, 8), np.float32)
    heat[2, 2:6] = 1
    judged = judge_map(heat, (2, 2, 1, 1))
    assert (judged["boxes"], judged["false_boxes"]) == (2, 2)
    assert judge_map(heat, (2, 2, 1.1, 1))["false_boxes"] == 0
