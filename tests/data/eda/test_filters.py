"""Filters of a folder's films, their chips, and what a click on a chart asks for."""

import csv
from pathlib import Path
from typing import Any

import pytest
from unknown_labels import hide_labels

from xlite.data.eda import charts, filters
from xlite.data.eda.coded import CodedFilms
from xlite.data.eda.filters import Filter, Selection
from xlite.data.folder import NihFolder
from xlite.data.joined import JoinedFolder
from xlite.findings import NO_FINDING
from xlite.serving.address import KEYS


def chosen(films: CodedFilms, **wanted: Any) -> list[str]:
    """The stems of the films that a filter lets through."""
    return films.table["stem"].iloc[Selection(films, Filter(**wanted)).rows()].tolist()


def test_a_selection_is_what_a_row_by_row_reading_gives(tiny_folder: Path):
    folder = NihFolder.open(tiny_folder)
    wanted = Filter(views=("PA",), sexes=("F",), ages=(33, 39), part="official train+val")
    with (tiny_folder / "Data_Entry_2017_v2020.csv").open() as file:
        rows = list(csv.reader(file))[1:]
    listed = (tiny_folder / "train_val_list.txt").read_text().split()
    expected = [
        row[0]
        for row in rows
        if row[6] == "PA" and row[5] == "F" and 33 <= int(row[4]) <= 39 and row[0] in listed
    ]
    films = CodedFilms.code(folder.table, folder.boxes(), filters.parts_of(folder))
    found = Selection(films, wanted).rows()
    assert folder.table["image"].iloc[found].tolist() == expected and len(expected) == 4


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ({}, ["1_0", "1_1", "1_2", "2_0", "3_0", "3_1", "4_0", "5_0"]),
        ({"has": ("Mass", "Nodule")}, ["1_0", "3_1"]),
        ({"has": (NO_FINDING,)}, ["1_2", "3_0", "4_0", "5_0"]),
        ({"amounts": ("1", "3")}, ["1_1", "2_0", "3_1"]),
        ({"ages": (0, 100)}, ["1_0", "1_1", "1_2", "2_0", "3_0", "4_0", "5_0"]),  # not the one of 412 years
        ({"ages": (18, 19)}, ["1_1", "1_2"]),
        ({"series": ("2", "3 to 5")}, ["1_0", "1_1", "1_2", "3_0", "3_1"]),
        ({"followups": ("1",)}, ["1_1", "3_1"]),
        ({"boxed": True}, ["1_0", "1_1", "2_0"]),
        ({"part": "official test", "sexes": ("F",), "views": ("PA",)}, ["3_0", "5_0"]),
        ({"has": ("Hernia",)}, []),
    ],
)
def test_each_field_lets_its_films_through(coded: CodedFilms, wanted: dict[str, Any], expected: list[str]):
    assert chosen(coded, **wanted) == expected


def test_what_a_field_alone_lets_through_can_be_left_out(coded: CodedFilms):
    selection = Selection(coded, Filter(views=("AP",), sexes=("M",)))
    assert selection.keep.nonzero()[0].tolist() == [1, 2]
    assert selection.without("views").nonzero()[0].tolist() == [0, 1, 2, 6]
    assert selection.without("views", "sexes").all()


def test_a_chip_says_how_many_films_are_left_and_what_takes_it_away(coded: CodedFilms):
    wanted = Filter(has=("Mass", "Nodule"), ages=(17, 17), views=("AP", "PA"), followups=("0",), boxed=True)
    found = [(chip.words, chip.films, chip.without) for chip in filters.chips(Selection(coded, wanted))]
    assert found == [
        ("Mass", 3, {"has": ["Nodule"]}),
        ("Nodule", 2, {"has": ["Mass"]}),
        ("Age 17", 1, {"ages": (0, 100)}),
        ("View AP or PA", 1, {"views": []}),
        ("Follow-up 0", 1, {"followups": []}),
        ("With boxes", 1, {"boxed": False}),
    ]
    others = Filter(amounts=("1",), ages=(10, 19), sexes=("M",), series=("1", "2"), part="official test")
    assert [chip.words for chip in filters.chips(Selection(coded, others))] == [
        "1 finding",
        "Age 10 to 19",
        "Sex M",
        "1 or 2 films of the patient",
        "official test",
    ]
    assert filters.chips(Selection(coded, Filter())) == []


@pytest.mark.parametrize(
    ("before", "field", "value", "after"),
    [
        ({}, "has", ["Mass"], {"has": ["Mass"]}),
        ({"has": ("Edema",)}, "has", ["Mass", "Nodule"], {"has": ["Edema", "Mass", "Nodule"]}),
        ({"has": ("Mass",)}, "has", ["Mass", "Nodule"], {"has": ["Mass", "Nodule"]}),
        ({"has": ("Mass", "Edema", "Nodule")}, "has", ["Mass", "Nodule"], {"has": ["Edema"]}),
        ({}, "ages", [[20, 29], ""], {"ages": (20, 29)}),
        ({"ages": (20, 29), "sexes": ("F",)}, "ages", [[20, 29], ""], {"ages": (0, 100)}),
        ({"ages": (20, 29)}, "ages", [[20, 29], "F"], {"ages": (20, 29), "sexes": ["F"]}),
        ({"ages": (20, 29), "sexes": ("F",)}, "ages", [[20, 29], "F"], {"ages": (0, 100), "sexes": []}),
        ({"views": ("PA",)}, "seen", ["Mass", "AP"], {"has": ["Mass"], "views": ["AP"]}),
        ({"has": ("Mass",), "views": ("AP",)}, "seen", ["Mass", "AP"], {"has": [], "views": []}),
        ({}, "part", "official test", {"part": "official test"}),
        ({"part": "official test"}, "part", "official test", {"part": ""}),
        ({"boxed": True}, "boxed", True, {"boxed": False}),
        ({"amounts": ("2",)}, "amounts", "1", {"amounts": ["2", "1"]}),
        ({"amounts": ("2", "1")}, "amounts", "2", {"amounts": ["1"]}),
    ],
)
def test_a_click_asks_for_what_was_not_asked_for_and_takes_away_what_was(
    before: dict[str, Any], field: str, value: Any, after: dict[str, Any]
):
    assert filters.clicked(Filter(**before), field, value) == after


def test_each_field_of_a_filter_is_in_the_address():
    assert set(Filter().state()) <= set(KEYS)
    assert Filter().state() == {
        **{
            name: []
            for name in (
                "has",
                "unknown",
                "amounts",
                "sexes",
                "views",
                "series",
                "followups",
                "folders",
                "clusters",
            )
        },
        "ages": (0, 100),
        "part": "",
        "boxed": False,
        "region": "",
    }


def test_films_whose_label_is_unknown(tiny_folder: Path) -> None:
    stems = NihFolder.open(tiny_folder).table["stem"].tolist()
    folder = hide_labels(tiny_folder, {stems[0]: ("Mass", "Edema"), stems[1]: ("Mass",)})
    films = CodedFilms.code(folder.table, folder.boxes(), filters.parts_of(folder))
    assert films.partly_unknown == ("Mass", "Edema")
    assert chosen(films, unknown=("Mass",)) == stems[:2]
    assert chosen(films, unknown=("Mass", "Edema")) == stems[:1]
    (chip,) = filters.chips(Selection(films, Filter(unknown=("Mass", "Pleural_Thickening"))))
    assert (chip.words, chip.films) == ("Label unknown: Mass, Pleural thickening", 0)


def test_films_of_several_folders_are_chosen_by_folder(joined: JoinedFolder, coded: CodedFilms) -> None:
    films = CodedFilms.code(joined.table, joined.boxes(), filters.parts_of(joined))
    assert films.folders is not None and films.folders.names == ("hand", "other")
    mass = Selection(films, Filter(has=("Mass",), folders=("other",)))
    assert films.table["stem"].iloc[mass.rows()].tolist() == ["other~1_0", "other~1_1", "other~3_1"]
    assert [(chip.words, chip.films, chip.without) for chip in filters.chips(mass)] == [
        ("Mass", 6, {"has": []}),
        ("Folder other", 3, {"folders": []}),
    ]
    assert filters.clicked(mass.wanted, "folders", "hand") == {"folders": ["other", "hand"]}
    bars = charts.folders(mass).rows
    assert [(row.label, row.marks[0].text, row.marks[0].chosen) for row in bars] == [
        ("hand", "3  50.0%", False),
        ("other", "3  50.0%", True),
    ]
    # A link to films of one of several, opened on one folder alone, hides none of them.
    assert coded.folders is None and Selection(coded, Filter(folders=("other",))).keep.all()
