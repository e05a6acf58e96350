"""What the film viewer is given: films and maps bit by bit, contrasts, colours and boxes."""

import numpy as np
import pandas as pd
import pytest
from payloads import unpack

from xlite.explain.drawing import OPACITY, SCALES, scale_table
from xlite.findings import FINDINGS, spoken
from xlite.reading import Reading
from xlite.serving.viewer_data import (
    LARGEST_SIDE,
    FilmBox,
    Preset,
    ViewerFilm,
    ViewerMap,
    film_boxes,
    grid_levels,
    maps_of,
    pack,
    presets,
)

FILM = np.random.default_rng(0).integers(0, 256, (30, 50), dtype=np.uint8)
SEEN = ViewerFilm.of(FILM)
GRID = np.array([[0, 0.5], [1, 2]], np.float32)


def test_a_film_is_sent_as_it_is_and_alone():
    found = unpack(SEEN.payload)
    np.testing.assert_array_equal(found.pop("film"), FILM)
    assert found == {"id": SEEN.id}
    assert (SEEN.shape, SEEN.whole, SEEN.presets) == ((30, 50), (30, 50), tuple(presets(FILM)))


@pytest.mark.slow
def test_a_film_beyond_the_largest_is_scaled_down_and_says_so():
    film = np.zeros((1000, LARGEST_SIDE + 96), np.uint8)
    seen = ViewerFilm.of(film)
    assert (seen.shape, seen.whole) == ((977, LARGEST_SIDE), film.shape)
    assert unpack(seen.payload)["film"].shape == seen.shape
    assert unpack(pack(seen, "a"))["whole"] == [LARGEST_SIDE + 96, 1000]
    usual = np.random.default_rng(2).integers(0, 256, (2500, 2048), dtype=np.uint8)
    np.testing.assert_array_equal(unpack(ViewerFilm.of(usual).payload)["film"], usual)


def test_what_is_said_of_a_film_holds_its_maps_as_they_are_and_not_the_film():
    maps = {"Mass": ViewerMap("Mass, 3.0%", GRID), "Edema": ViewerMap("Edema", 0 * GRID, note="It is empty.")}
    payload = pack(SEEN, "é.png", maps, "Edema", [FilmBox("Mass", 1, 2, 3.5, 4)])
    found = unpack(payload)
    assert [scale["title"] for scale in found["scales"]] == list(SCALES)
    for scale in found.pop("scales"):
        np.testing.assert_array_equal(scale["table"], scale_table(scale["title"]))
    grids = [one.pop("grid").tolist() for one in found["maps"]]
    assert grids == [[[0, 64], [128, 255]], [[0, 0], [0, 0]]]
    assert found.pop("id") == SEEN.id and len(SEEN.id) == 24
    size = {"rows": 2, "columns": 2}
    assert found == {
        "name": "é.png",
        "height": 30,
        "width": 50,
        "whole": [50, 30],
        "presets": [vars(preset) for preset in presets(FILM)],
        "maps": [
            {"finding": "Mass", "title": "Mass, 3.0%", **size, "painted": True, "note": ""},
            {"finding": "Edema", "title": "Edema", **size, "painted": False, "note": "It is empty."},
        ],
        "finding": "Edema",
        "boxes": [{"title": "Mass", "x": 1, "y": 2, "width": 3.5, "height": 4}],
        "opacity": OPACITY,
        "choose": True,
    }


def test_of_equal_films_a_payload_is_equal_and_of_another_film_its_id_is_not():
    maps = {"Mass": ViewerMap("Mass", GRID)}
    again = ViewerFilm.of(FILM.copy())
    assert (again.payload, pack(again, "a", maps)) == (SEEN.payload, pack(SEEN, "a", maps))
    others = (FILM.T.copy(), 255 - FILM, FILM.reshape(50, 30))
    ids = [SEEN.id, *(ViewerFilm.of(film).id for film in others)]
    assert len(set(ids)) == 4


def test_a_film_without_maps_has_none_to_choose_and_a_finding_without_a_map_is_refused():
    bare = unpack(pack(SEEN, "a"))
    assert (bare["maps"], bare["finding"], bare["boxes"], bare["choose"]) == ([], None, [], False)
    one = unpack(pack(SEEN, "a", {"Mass": ViewerMap("Mass", GRID)}))
    assert (one["finding"], one["choose"]) == ("Mass", False)
    with pytest.raises(ValueError, match="no map of 'Edema'; expected one of Mass"):
        pack(SEEN, "a", {"Mass": ViewerMap("Mass", GRID)}, "Edema")


def test_a_film_of_noise_takes_little_more_than_its_pixels():
    film = np.random.default_rng(1).integers(0, 256, (1024, 1024), dtype=np.uint8)
    assert len(ViewerFilm.of(film).payload) < 1.01 * film.size


def test_levels_are_of_a_maps_own_peak():
    assert grid_levels(GRID).tolist() == grid_levels(1000 * GRID).tolist() == [[0, 64], [128, 255]]
    assert grid_levels(0 * GRID).tolist() == [[0, 0], [0, 0]]


def test_contrasts_follow_the_greys_of_the_film_without_its_borders():
    """Of a film whose greys 1-100 are equally many, each a hundredth of what is neither black nor white."""
    film = np.concatenate([np.repeat(np.arange(1, 101), 10), np.zeros(300), np.full(200, 255)])
    found = presets(film.astype(np.uint8).reshape(50, 30))
    assert found == [
        Preset("Full", 127.5, 255),
        Preset("Lungs", 30.5, 59),  # 1 to 60
        Preset("Bones, soft tissue", 70.0, 60),  # 40 to 100
    ]


@pytest.mark.parametrize("grey", [0, 255])
def test_a_film_without_greys_has_no_contrast_to_choose(grey: int):
    assert presets(np.full((20, 20), grey, np.uint8)) == [Preset("Full", 127.5, 255)]


def test_a_contrast_is_never_without_width():
    assert presets(np.full((20, 20), 90, np.uint8))[1:] == [
        Preset("Lungs", 90.0, 2),
        Preset("Bones, soft tissue", 90.0, 2),
    ]


def test_boxes_of_the_release_are_in_the_frame_of_the_film_shown():
    table = pd.DataFrame(
        [("a", "Mass", 512.0, 256.0, 102.4, 51.2), ("b", "Mass", 0.0, 0.0, 1.0, 1.0)],
        columns=["stem", "finding", "x", "y", "w", "h"],
    )
    more = table.assign(finding="Pleural_Thickening", x=0.0)
    both = pd.concat([table, more])
    assert film_boxes(both, "a", (100, 200)) == [
        FilmBox("Mass", 100.0, 25.0, 20.0, 5.0),
        FilmBox("Pleural thickening", 0.0, 25.0, 20.0, 5.0),
    ]
    assert film_boxes(both, "c", (100, 200)) == []


@pytest.mark.parametrize("quarters", range(4))
def test_boxes_turn_with_a_film_that_was_turned_upright(quarters: int):
    """A film whose box alone is white is turned as `np.rot90` turns it."""
    film = np.zeros((100, 200), np.uint8)
    film[25:30, 100:120] = 255
    table = pd.DataFrame([("a", "Mass", 512.0, 256.0, 102.4, 51.2)], columns=["stem", "finding", *"xywh"])
    turned = np.rot90(film, quarters)
    rows, columns = np.nonzero(turned)
    size = (int(np.ptp(columns)) + 1, int(np.ptp(rows)) + 1)
    wanted = [FilmBox("Mass", int(columns.min()), int(rows.min()), *size)]
    assert film_boxes(table, "a", turned.shape, quarters) == wanted


def test_the_maps_of_a_reading_come_likeliest_first_and_those_with_a_fault_are_not_painted():
    probabilities = np.linspace(0.9, 0.1, 14).astype(np.float32)[::-1]
    maps = np.zeros((14, 7, 7), np.float32)
    maps[:, 3, 3] = 2
    maps[5] = 0
    maps[6] = 1
    reading = Reading(probabilities, maps, (70, 70))
    found = maps_of(reading)
    assert list(found) == list(reversed(FINDINGS))
    assert [one.title for one in found.values()] == [
        f"{spoken(name)}, {value:.1%}" for name, value in zip(found, probabilities[::-1], strict=True)
    ]
    assert {name for name, one in found.items() if not one.painted} == {FINDINGS[5], FINDINGS[6]}
    assert all(np.array_equal(one.grid, maps[FINDINGS.index(name)]) for name, one in found.items())
