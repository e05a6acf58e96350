"""Maps against boxes, each metric beside a slow implementation that shares no code with it."""

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import ndimage

from xlite.explain import upsample_map
from xlite.metrics.localisation import (
    BOX_METRICS,
    centre_map,
    in_frame,
    judge_map,
    map_boxes,
    overlaps,
    peaks,
    points_into,
    random_map,
)


def flood(todo: set[tuple[int, int]]) -> Iterator[set[tuple[int, int]]]:
    """The regions that pixels (row, column) make which touch, also by corners."""
    while todo:
        region, front = set(), [todo.pop()]
        while front:
            r, c = front.pop()
            region.add((r, c))
            near = {(r + i, c + j) for i in (-1, 0, 1) for j in (-1, 0, 1)} & todo
            todo -= near
            front += near
        yield region


def slow_boxes(heat: np.ndarray) -> list[tuple[int, int, int, int]]:
    """The boxes x, y, w, h of both levels, by flood, pixel by pixel."""
    low, high = heat.min(), heat.max()
    found = []
    for level in (60, 180):
        todo = {
            (int(r), int(c))
            for r, c in np.ndindex(heat.shape)
            if (heat[r, c] - low) / (high - low) * 255 > level
        }
        for region in flood(todo):
            rows, columns = zip(*region, strict=True)
            found.append(
                (min(columns), min(rows), max(columns) - min(columns) + 1, max(rows) - min(rows) + 1)
            )
    return found


def pixels(box, shape) -> np.ndarray:
    """A box of whole numbers as a mask."""
    x, y, w, h = (int(side) for side in box)
    mask = np.zeros(shape, bool)
    mask[y : y + h, x : x + w] = True
    return mask


def slow_pointing(heat: np.ndarray, boxes: list[tuple[int, int, int, int]]) -> float:
    """The chance that one of the highest regions, chosen at random, points into a box, region by region."""
    todo = {(int(r), int(c)) for r, c in np.ndindex(heat.shape) if heat[r, c] == heat.max()}
    if len(todo) == heat.size:
        return 0.0
    chances = []
    for region in flood(todo):
        middle = (
            sum(c for _, c in region) / len(region) + 0.5,
            sum(r for r, _ in region) / len(region) + 0.5,
        )
        holds = any(c <= middle[0] <= c + 1 and r <= middle[1] <= r + 1 for r, c in region)
        points = [middle] if holds else [(c + 0.5, r + 0.5) for r, c in region]
        hits = [any(x <= px <= x + w and y <= py <= y + h for x, y, w, h in boxes) for px, py in points]
        chances.append(sum(hits) / len(hits))
    return sum(chances) / len(chances)


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(
    heat=hnp.arrays(np.float32, (9, 12), elements=st.sampled_from([0, 0, 0, 0.1, 0.3, 0.5, 0.8, 1])),
    drawn=st.lists(
        st.tuples(st.integers(0, 10), st.integers(0, 7), st.integers(1, 6), st.integers(1, 6)),
        min_size=1,
        max_size=3,
    ),
)
def test_every_metric_of_a_map_is_that_of_counting_pixels(heat, drawn):
    true = [(x, y, min(w, 12 - x), min(h, 9 - y)) for x, y, w, h in drawn]
    truths = [pixels(box, heat.shape) for box in true]
    boxes = [] if heat.min() == heat.max() else slow_boxes(heat)
    masks = [pixels(box, heat.shape) for box in boxes]
    iou = [max((mask & truth).sum() / (mask | truth).sum() for truth in truths) for mask in masks]
    iobb = [max((mask & truth).sum() / mask.sum() for truth in truths) for mask in masks]
    expected = {"pointing": slow_pointing(heat, true)}
    for overlap in (0.1, 0.25, 0.5, 0.75):
        expected[f"iobb_{overlap}"] = any(value > overlap for value in iobb)
        expected[f"iou_{overlap}"] = any(value > overlap for value in iou)
    expected |= {"iou": max(iou, default=0), "boxes": len(boxes)}
    expected["false_boxes"] = sum(value <= 0.25 for value in iobb)
    found = judge_map(heat, true)
    assert set(found) == set(BOX_METRICS)
    assert found == pytest.approx({name: float(value) for name, value in expected.items()})
    assert sorted(map(tuple, map_boxes(heat))) == sorted(boxes)
    if len(true) == 1:
        assert judge_map(heat, true[0]) == found


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
    assert peaks(heat) == []
    assert judge_map(heat, (0, 0, 8, 8)) == dict.fromkeys(BOX_METRICS, 0)


def test_the_peak_is_the_middle_of_the_highest_pixels():
    heat = np.zeros((10, 20), np.float32)
    heat[2:4, 6:10] = 1
    assert [points.tolist() for points in peaks(heat)] == [[[8.0, 3.0]]]
    assert points_into(heat, (8, 3, 1, 1)) == points_into(heat, (4, 0, 4, 3)) == 1
    assert points_into(heat, (8.01, 3, 5, 5)) == 0


def test_nothing_points_between_peaks_of_equal_height():
    heat = np.zeros((10, 20), np.float32)
    heat[4, 2] = heat[4:6, 16:18] = 1
    left, between, right = (1, 3, 3, 3), (7, 2, 5, 5), (16, 4, 2, 2)
    assert [points.tolist() for points in peaks(heat)] == [[[2.5, 4.5]], [[17.0, 5.0]]]
    assert [points_into(heat, box) for box in (left, between, right)] == [0.5, 0, 0.5]
    assert points_into(heat, np.array([left, right])) == 1
    assert judge_map(heat, [left, between])["pointing"] == 0.5


def test_a_ring_points_at_its_pixels_and_not_into_its_hole():
    heat = np.zeros((9, 9), np.float32)
    heat[2:7, 2:7] = 1
    heat[3:6, 3:6] = 0
    [points] = peaks(heat)
    assert len(points) == 16
    assert points_into(heat, (3, 3, 3, 3)) == 0
    assert points_into(heat, (0, 0, 3, 9)) == 5 / 16


def test_peaks_of_equal_height_stay_so_when_a_map_is_made_finer():
    coarse = np.zeros((7, 7), np.float32)
    coarse[3, 1] = coarse[3, 5] = 0.7
    coarse[3, 3] = 0.3
    for shape in ((512, 419), (333, 512), (500, 365)):
        heat = upsample_map(coarse, shape)
        assert len(peaks(heat)) == 2
        assert points_into(heat, (0, 0, shape[1] / 2, shape[0])) == 0.5


def test_no_box_of_a_target_is_false():
    heat = np.zeros((20, 40), np.float32)
    heat[5:10, 4:10] = 1
    heat[5:10, 30:36] = 0.9
    left, right = (4, 5, 6, 5), (30, 5, 6, 5)
    both = judge_map(heat, [left, right])
    assert (both["boxes"], both["false_boxes"], both["iou"], both["pointing"]) == (4, 0, 1, 1)
    assert judge_map(heat, left)["false_boxes"] == 2
    assert judge_map(heat, right) == both | {"pointing": 0, "false_boxes": 2}


def test_a_box_of_the_release_lies_in_the_frame_of_the_film():
    np.testing.assert_allclose(in_frame((512, 256, 102.4, 204.8), (300, 600)), [300, 75, 60, 60])
    assert in_frame((10, 20, 30, 40), (1024, 1024)).tolist() == [10, 20, 30, 40]


def test_overlaps_of_boxes_that_share_nothing_are_0():
    iou, iobb = overlaps(np.array([[0, 0, 2, 2], [5, 5, 2, 2], [2, 0, 4, 4]]), (2, 0, 2, 2))
    assert iou.tolist() == [[0], [0], [0.25]] and iobb.tolist() == [[0], [0], [0.25]]


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


def test_maps_that_know_nothing():
    rng = np.random.default_rng(0)
    noise = [random_map((5, 7), rng) for _ in range(2)]
    assert noise[0].shape == (5, 7) and (noise[0] != noise[1]).all()
    assert noise[0].dtype == np.float32 and 0 <= noise[0].min() < 0.5 < noise[0].max() <= 1
    centre = centre_map((5, 7))
    assert np.unravel_index(centre.argmax(), centre.shape) == (2, 3)
    np.testing.assert_array_equal(centre, centre[::-1, ::-1])
    for few in ((1, 1), (2, 2)):  # the grid of a student for 64 px; it would be flat, and hit no box
        assert np.unravel_index(centre_map(few).argmax(), (3, 3)) == (1, 1) and np.ptp(centre_map(few)) > 0.5
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


def test_pixels_a_millionth_of_the_range_below_the_highest_are_as_high():
    heat = np.zeros((3, 9), np.float32)
    heat[1, 1], heat[1, 7] = 1e6, 1e6 - 1
    assert [points.tolist() for points in peaks(heat)] == [[[1.5, 1.5]], [[7.5, 1.5]]]
    heat[1, 7] -= 1
    assert [points.tolist() for points in peaks(heat)] == [[[1.5, 1.5]]]


def test_boxes_of_small_whole_numbers_do_not_run_over():
    iou, iobb = overlaps(np.array([[200.0, 0, 100, 10]]), np.array([200, 0, 100, 10], np.uint8))
    assert iou.tolist() == iobb.tolist() == [[1]]
