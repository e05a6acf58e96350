"""A film among its patient's."""

import dataclasses
from pathlib import Path

import cv2
import numpy as np
import pytest

from xlite.data.eda import history
from xlite.data.eda.coded import CodedFilms


def test_a_patient_s_films_in_order(coded: CodedFilms):
    turned = dataclasses.replace(coded, follow_ups=np.array([2, 0, 1, 0, 0, 1, 0, 0]))
    assert history.patient_rows(turned, 0).tolist() == [1, 2, 0]
    assert history.patient_rows(coded, 3).tolist() == [3]


def test_what_came_and_went(coded: CodedFilms):
    table = history.timeline(coded, np.array([0, 1, 2]))
    assert table.astype(str).to_numpy().tolist() == [
        ["0", "1_0", "Mass, Nodule", "", "", "17", "PA"],
        ["1", "1_1", "Mass", "", "Nodule", "18", "AP"],
        ["2", "1_2", "No finding", "", "Mass", "19", "AP"],
    ]
    assert history.timeline(coded, np.array([4, 5]))["New"].tolist() == ["", "Mass, Nodule, Edema"]


@pytest.mark.parametrize(
    ("row", "size", "expected"),
    [
        (10, 4, [10, 11, 12, 13]),
        (14, 4, [12, 13, 14, 15]),
        (19, 4, [16, 17, 18, 19]),
        (12, 50, [*range(10, 20)]),
    ],
)
def test_the_neighbours_of_a_film(row: int, size: int, expected: list[int]):
    assert history.around(np.arange(10, 20), row, size).tolist() == expected


def test_the_parts_of_a_film(coded: CodedFilms):
    assert history.parts_with(coded, 0) == ["official train+val"]
    assert history.parts_with(coded, 7) == ["official test"]


def test_near_duplicates_are_films_of_nearly_the_same_greys(tmp_path: Path):
    rng = np.random.default_rng(0)
    film = cv2.resize(rng.integers(0, 256, (12, 12), dtype=np.uint8), (96, 96), interpolation=cv2.INTER_CUBIC)
    drawn = {
        "film": film,
        "darker": (film // 2).astype(np.uint8),
        "other": cv2.flip(film, 1),
        "black": np.zeros((96, 96), np.uint8),
    }
    paths = {name: tmp_path / f"{name}.png" for name in drawn}
    for name, image in drawn.items():
        cv2.imwrite(str(paths[name]), image)
    ((stem, alike),) = history.near_duplicates(paths, "film")
    assert stem == "darker" and 0.99 < alike <= 1.0001
    assert history.near_duplicates(paths, "black") == []
