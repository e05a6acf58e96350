"""The Explore page, run by AppTest: filters, figures, gallery, and bad input."""

import os
from pathlib import Path

import pytest
from command_line import wait_for
from streamlit.testing.v1 import AppTest

from xlite.data.layout import find_folders
from xlite.data.small_phantom import drawing_of, small_phantom
from xlite.places import bundled

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


def drawn(page: AppTest) -> None:
    """The page after the phantom folder has been drawn, or could not be."""
    drawing = drawing_of(small_phantom())
    assert drawing is not None
    wait_for(lambda: not drawing.is_running)
    page.run()


def metrics(page: AppTest) -> dict[str, str]:
    """The row of metrics; fails if the page raised."""
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
    assert len(page.warning) == 1 and "No film" in page.warning[0].value
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


def test_the_gallery_says_which_film_is_broken(tiny_folder: Path):
    broken = tiny_folder / "images" / "00000001_000.png"
    broken.write_text("not a film")
    page = explore(data=str(tiny_folder))
    assert metrics(page)["Films"] == "24"
    assert len(page.error) == 1 and len(page.get("image")) == 11


def test_a_bad_folder_gets_one_sentence(tmp_path: Path):
    page = explore(data=str(tmp_path / "nowhere"))
    assert metrics(page) == {}
    (error,) = (error.value for error in page.error)
    assert str(tmp_path / "nowhere") in error and "Data_Entry_2017\\*.csv" in error


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
    drawn(page)
    assert metrics(page)["Films"] == "40" and metrics(page)["Patients"] == "16"
    assert page.session_state["data"] == str(own_home / "data" / "phantom")


def test_the_button_says_what_is_in_the_way(own_home: Path):
    (own_home / "data" / "phantom").mkdir(parents=True)
    (own_home / "data" / "phantom" / "mine.txt").write_text("keep")
    page = explore()
    page.button[0].click().run()
    drawn(page)
    assert metrics(page) == {} and "not an empty folder" in page.error[0].value


def test_an_emptied_sidebar_shows_no_folder_and_offers_those_of_the_home(own_home: Path, tiny_folder: Path):
    (own_home / "data").mkdir()
    mine = tiny_folder.rename(own_home / "data" / "mine")
    page = explore(data="")
    assert metrics(page) == {}
    labels = [button.label for button in page.button]
    assert labels == ["Open mine", "Draw a small phantom folder (40 films)"]
    page.button[0].click().run()
    assert metrics(page)["Films"] == "24" and page.session_state["data"] == str(mine)


def test_a_folder_in_home_is_found_by_itself(own_home: Path, tiny_folder: Path):
    (own_home / "data").mkdir()
    tiny_folder.rename(own_home / "data" / "mine")
    assert find_folders(own_home) == [own_home / "data" / "mine"]
    assert metrics(explore())["Films"] == "24"


def test_a_changed_table_is_read_again(tiny_folder: Path):
    assert metrics(explore(data=str(tiny_folder)))["Films"] == "24"
    table = tiny_folder / "Data_Entry_2017_v2020.csv"
    lines = table.read_text().splitlines()
    table.write_text("\n".join(lines[:11]) + "\n")
    later = table.stat().st_mtime + 5
    os.utime(table, (later, later))
    assert metrics(explore(data=str(tiny_folder)))["Films"] == "10"


def test_names_in_the_table_are_shown_as_they_are(tiny_folder: Path):
    table = tiny_folder / "Data_Entry_2017_v2020.csv"
    table.write_text(table.read_text().replace("00000001_000.png", "a $x$ [y](z) *b*.png"))
    (tiny_folder / "images" / "00000001_000.png").rename(tiny_folder / "images" / "a $x$ [y](z) *b*.png")
    page = explore(data=str(tiny_folder))
    assert any("\\$x\\$ \\[y\\](z) \\*b\\*" in caption.value for caption in page.caption)
