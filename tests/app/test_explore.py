"""The Explore page, as AppTest runs it: filters, figures, gallery, and what bad input does."""

import csv
import os
from io import BytesIO
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from xlite.config import bundled
from xlite.data.eda import browse
from xlite.data.eda import screen_figures as figures
from xlite.data.eda import statistics as summary
from xlite.data.folder import NihFolder
from xlite.errors import ImageError
from xlite.findings import FINDINGS, NO_FINDING

pytestmark = pytest.mark.usefixtures("one_scan")


@pytest.fixture(autouse=True)
def no_default_data(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XLITE_DATA", raising=False)


def explore(**state: object) -> AppTest:
    """The page after its first run."""
    page = AppTest.from_file(bundled("pages", "explore.py"), default_timeout=60)
    for key, value in state.items():
        page.session_state[key] = value
    return page.run()


def metrics(page: AppTest) -> dict[str, str]:
    """The row of figures; fails where the page raised."""
    assert [error.message for error in page.exception] == []
    return {metric.label: metric.value for metric in page.metric}


def gallery(page: AppTest) -> list[str]:
    """The stems of the films shown, from their captions."""
    return [caption.value.split("\n")[-1] for caption in page.caption if caption.value.startswith("**")]


def write_boxes(root: Path, *rows: str) -> None:
    lines = ["Image Index,Finding Label,Bbox [x,y,w,h],,,", *rows]
    (root / "BBox_List_2017.csv").write_text("\n".join(lines) + "\n")


def test_page_counts_the_folder(tiny_folder: Path):
    page = explore(data=str(tiny_folder))
    assert metrics(page) == {
        "Films": "24",
        "Patients": "12",
        "Without finding": "50.0%",
        "Several findings": "0.0%",
    }
    assert [tab.label for tab in page.tabs] == ["Findings", "Together", "Ages and views", "Patients"]
    assert len(page.get("plotly_chart")) == 7
    assert len(gallery(page)) == 12 and len(page.get("image")) == 12


def test_filters_narrow_figures_and_gallery(tiny_folder: Path):
    page = explore(data=str(tiny_folder))
    page.multiselect(key="has").set_value(["Effusion"]).run()
    assert metrics(page)["Films"] == "1"
    assert gallery(page) == ["00000002_000"]
    page.multiselect(key="has").set_value([]).run()
    page.selectbox(key="part").set_value("official test").run()
    assert metrics(page)["Films"] == "6"
    page.button_group(key="views").set_value(["AP"]).run()
    assert metrics(page) == {
        "Films": "3",
        "Patients": "3",
        "Without finding": "100.0%",
        "Several findings": "0.0%",
    }
    page.slider(key="ages").set_value((30, 35)).run()
    assert gallery(page) == ["00000004_001"]


def test_filters_survive_another_folder(tiny_folder: Path, tmp_path: Path):
    other = tmp_path / "other"
    other.mkdir()
    lines = (tiny_folder / "Data_Entry_2017_v2020.csv").read_text().splitlines()
    (other / "Data_Entry_2017_v2020.csv").write_text(
        "\n".join(line for line in lines if ",PA," not in line) + "\n"
    )
    page = explore(data=str(tiny_folder))
    page.selectbox(key="part").set_value("official test").run()
    page.button_group(key="views").set_value(["PA"]).run()
    assert metrics(page)["Films"] == "3"
    page.session_state["data"] = str(other)
    page.run()
    assert metrics(page)["Films"] == "12"


def test_a_filter_that_lets_nothing_through_says_so(tiny_folder: Path):
    page = explore(data=str(tiny_folder))
    page.multiselect(key="has").set_value(["Mass", "Hernia"]).run()
    assert [warning.value for warning in page.warning] == ["No film fits. Take a filter away."]
    assert metrics(page) == {}


def test_gallery_pages(tiny_folder: Path):
    page = explore(data=str(tiny_folder))
    first = gallery(page)
    page.number_input[0].set_value(2).run()
    assert len(first) == 12 and len(gallery(page)) == 12 and not set(first) & set(gallery(page))


def test_gallery_of_films_with_boxes(tiny_folder: Path):
    write_boxes(tiny_folder, "00000003_000.png,Infiltrate,256,512,256,128,,,")
    page = explore(data=str(tiny_folder))
    page.toggle(key="boxed").set_value(True).run()
    assert gallery(page) == ["00000003_000"]


def test_thumbnail_draws_each_box_in_the_frame_of_the_film(tmp_path: Path):
    path = tmp_path / "film.png"
    cv2.imwrite(str(path), np.zeros((100, 200), np.uint8))
    box = pd.DataFrame([("film", "Mass", 256.0, 512.0, 512.0, 256.0)], columns=list(FIELDS))
    plain = np.asarray(Image.open(BytesIO(browse.thumbnail(path, box[:0], side=400))))
    assert plain.shape == (200, 400, 3) and plain.max() == 0
    drawn = np.asarray(Image.open(BytesIO(browse.thumbnail(path, box, side=400)))).max(axis=2)
    # x from 100 to 300, y from 100 to 150; the name stands above
    assert drawn[100:151, [100, 300]].min() > 100 and drawn[[100, 150], 100:301].min() > 100
    assert drawn[108:142, 110:290].max() < 40 and drawn[160:].max() < 40 and drawn[80:97].max() > 100


FIELDS = ("stem", "finding", "x", "y", "w", "h")


def test_thumbnail_of_a_broken_film_raises_and_the_gallery_says_which(tiny_folder: Path):
    broken = tiny_folder / "images" / "00000001_000.png"
    broken.write_text("not a film")
    with pytest.raises(ImageError):
        browse.thumbnail(broken, pd.DataFrame(columns=list(FIELDS)))
    page = explore(data=str(tiny_folder))
    assert metrics(page)["Films"] == "24"
    assert len(page.error) == 1 and len(page.get("image")) == 11


def test_a_bad_folder_gets_one_sentence(tmp_path: Path):
    page = explore(data=str(tmp_path / "nowhere"))
    assert metrics(page) == {}
    assert [error.value for error in page.error] == [
        f"There is no data folder {tmp_path / 'nowhere'}; give the folder that holds Data_Entry_2017*.csv"
    ]


def test_tables_without_images(tiny_folder: Path):
    for film in (tiny_folder / "images").iterdir():
        film.unlink()
    page = explore(data=str(tiny_folder))
    assert metrics(page)["Films"] == "24"
    assert any("24 films found; this folder holds tables only" in caption.value for caption in page.caption)


def test_without_data_the_page_shows_the_command_and_the_button(own_home: Path):
    page = explore()
    assert metrics(page) == {}
    assert page.code[0].value.startswith("xlite data phantom data/phantom --images 600")
    assert [button.label for button in page.button] == ["Draw a small phantom folder (40 films)"]


@pytest.mark.slow
def test_the_button_draws_a_phantom_folder_and_opens_it(own_home: Path):
    page = explore()
    page.button[0].click().run()
    assert metrics(page)["Films"] == "40" and metrics(page)["Patients"] == "16"
    assert page.session_state["data"] == str(own_home / "data" / "phantom")


def test_the_button_says_what_is_in_the_way(own_home: Path):
    (own_home / "data" / "phantom").mkdir(parents=True)
    (own_home / "data" / "phantom" / "mine.txt").write_text("keep")
    page = explore()
    page.button[0].click().run()
    assert metrics(page) == {} and "not an empty folder" in page.error[0].value


def test_a_folder_in_home_is_found_by_itself(own_home: Path, tiny_folder: Path):
    (own_home / "data").mkdir()
    tiny_folder.rename(own_home / "data" / "mine")
    assert browse.find_folders(own_home) == [own_home / "data" / "mine"]
    assert metrics(explore())["Films"] == "24"


def test_a_changed_table_is_read_again(tiny_folder: Path):
    assert metrics(explore(data=str(tiny_folder)))["Films"] == "24"
    table = tiny_folder / "Data_Entry_2017_v2020.csv"
    lines = table.read_text().splitlines()
    table.write_text("\n".join(lines[:11]) + "\n")
    later = table.stat().st_mtime + 5
    os.utime(table, (later, later))
    assert metrics(explore(data=str(tiny_folder)))["Films"] == "10"


def test_matching_is_what_a_row_by_row_reading_gives(tiny_folder: Path):
    folder = NihFolder.open(tiny_folder)
    wanted = browse.Filter(views=("PA",), sexes=("F",), ages=(33, 39), part="official train+val")
    with (tiny_folder / "Data_Entry_2017_v2020.csv").open() as file:
        rows = list(csv.reader(file))[1:]
    listed = (tiny_folder / "train_val_list.txt").read_text().split()
    expected = [
        row[0]
        for row in rows
        if row[6] == "PA" and row[5] == "F" and 33 <= int(row[4]) <= 39 and row[0] in listed
    ]
    found = browse.matching(folder.table, wanted, browse.parts_of(folder))
    assert found["image"].tolist() == expected and len(expected) == 4
    assert len(browse.having(folder.table, [NO_FINDING])) == 12


def test_bars_and_cells_carry_the_findings_they_stand_for(tiny_folder: Path):
    table = NihFolder.open(tiny_folder).table
    counts = summary.finding_counts(table)
    assert list(figures.findings(counts).data[0].customdata) == list(counts.index)
    together = summary.cooccurrence(table)
    for by in ("lift", "films"):
        cells = figures.together(together, summary.lift(together, 24), by).data[-1]
        pairs = [tuple(pair) for pair in cells.customdata]
        assert pairs == [(row, column) for row in FINDINGS for column in FINDINGS]
        # a cell lies where its customdata says: x is the column, y the row
        assert (cells.x[1], cells.y[1]) == ("Cardiomegaly", "Atelectasis")


def test_cells_where_chance_gives_next_to_nothing_are_empty(tiny_folder: Path):
    table = NihFolder.open(tiny_folder).table.iloc[[0] * 200].assign(**dict.fromkeys(FINDINGS, 0))
    for finding, films in (("Mass", 40), ("Nodule", 25), ("Edema", 24)):
        table.iloc[:films, table.columns.get_loc(finding)] = 1
    table.iloc[:, table.columns.get_loc("Hernia")] = [0] * 195 + [
        1
    ] * 5  # meets none: 0.0 times of 1 expected
    facts = browse.summarise(table)
    shown = figures.together(facts["together"], facts["lift"], "lift").data[1]
    cell = {name: place for place, name in enumerate(FINDINGS)}
    texts = {other: shown.text[cell["Mass"]][cell[other]] for other in ("Mass", "Nodule", "Edema", "Hernia")}
    assert texts == {"Mass": "", "Nodule": "5.0", "Edema": "", "Hernia": ""}  # 5, 4.8 and 1 are expected
    assert np.isnan(shown.z[cell["Mass"]][cell["Hernia"]])


@pytest.mark.parametrize(
    ("most", "ticks"),
    [(0, [0]), (2, [-2, -1, 0, 1, 2]), (104, [-100, -50, 0, 50, 100]), (8243, [-5000, 0, 5000])],
)
def test_ages_has_round_ticks_both_ways(most: int, ticks: list[int]):
    histogram = pd.DataFrame({"F": [most], "M": [0]}, index=[0])
    assert list(figures.ages(histogram).layout.xaxis.tickvals) == ticks
