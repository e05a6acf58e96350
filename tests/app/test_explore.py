"""The Explore page, run by AppTest: filters, figures, gallery, and bad input."""

import json
import os
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from app_pages import viewer, write_boxes
from command_line import wait_for
from demo_home import save_demo_model
from streamlit.testing.v1 import AppTest
from unknown_labels import hide_labels

from xlite.classify import Classifier
from xlite.data.eda.embedded import corners, within
from xlite.data.eda.ranking import ORDERS
from xlite.data.folder import NihFolder
from xlite.data.layout import find_folders
from xlite.data.predictions import write_predictions
from xlite.data.small_phantom import drawing_of, small_phantom
from xlite.data.split_files import read_split
from xlite.evaluation.embedding import Embedding
from xlite.evaluation.films import Films, write_labels
from xlite.labelling.labelling import Labelling
from xlite.places import bundled
from xlite.runs.embedding_run import EmbeddingRun

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


def after_drawing(page: AppTest) -> None:
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


def drawn(page: AppTest) -> dict[str, dict[str, Any]]:
    """The charts of the open tab, as the browser gets them, by their titles."""
    (element,) = page.get("bidi_component")
    charts = json.loads(element.proto.json or element.proto.mixed.json)["charts"]
    return {chart["title"]: chart for chart in charts}


def bars(chart: dict[str, Any]) -> dict[str, str]:
    """What stands beside each bar that is not empty."""
    texts = {row["label"]: row["marks"][0]["text"] for row in chart["rows"]}
    return {label: text for label, text in texts.items() if not text.startswith("0 ")}


def chips(page: AppTest) -> list[str]:
    """The words of the chips."""
    return [button.label for button in page.button if (button.key or "").startswith("chip-")]


def open_tab(page: AppTest, name: str) -> AppTest:
    """The page with that tab open."""
    page.session_state["charts"] = name
    return page.run()


@pytest.mark.slow
def test_page_counts_the_folder(tiny_folder: Path):
    page = explore(data=str(tiny_folder))
    assert metrics(page) == {
        "Films": "24",
        "Patients": "12",
        "Without finding": "50.0%",
        "Several findings": "0.0%",
    }
    assert [tab.label for tab in page.tabs] == [
        *("Findings", "Together", "Ages and views", "Patients", "Parts and boxes"),
        *("Embedding", "Leakage", "Class weights", "Editions"),
    ]
    assert list(drawn(page)) == ["Films per finding", "Findings per film"]
    assert bars(drawn(page)["Findings per film"]) == {"0": "12  50.0%", "1": "12  50.0%"}
    assert chips(page) == []
    assert len(gallery(page)) == 12 and len(page.get("image")) == 12


@pytest.mark.slow
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


@pytest.mark.slow
def test_each_tab_has_its_charts_and_computes_nothing_of_the_others(tiny_folder: Path):
    page = explore(data=str(tiny_folder))
    titles = {tab: list(drawn(open_tab(page, tab))) for tab in ("Together", "Ages and views", "Patients")}
    assert titles == {
        "Together": ["Findings together"],
        "Ages and views": ["Age and sex", "Prevalence by view", "Sex", "View"],
        "Patients": ["Films of the patient", "Follow-up number"],
    }
    assert list(drawn(open_tab(page, "Parts and boxes"))) == [
        "Part of a list or split",
        "Boxes",
    ]
    assert metrics(page)["Films"] == "24"


@pytest.mark.slow
def test_charts_and_chips_follow_each_field(tiny_folder: Path):
    page = explore(data=str(tiny_folder), charts="Ages and views", views=["AP"], has=["No Finding"])
    assert metrics(page)["Films"] == "12"
    assert chips(page) == ["No finding: 12", "View AP: 12"]
    assert bars(drawn(page)["Sex"]) == {"F": "6  50.0%", "M": "6  50.0%"}
    assert bars(drawn(page)["View"]) == {"AP": "12  100.0%"}
    page.button_group(key="sexes").set_value(["F"]).run()
    assert chips(page) == ["No finding: 12", "Sex F: 6", "View AP: 6"]
    assert bars(drawn(page)["Sex"]) == {"F": "6  50.0%", "M": "6  50.0%"}
    chosen = [mark["chosen"] for row in drawn(page)["Sex"]["rows"] for mark in row["marks"]]
    assert chosen == [True, False]


@pytest.mark.slow
def test_a_chip_takes_its_field_away_and_one_button_all(tiny_folder: Path):
    page = explore(data=str(tiny_folder), views=["AP"], followups=["1"], amounts=["0"])
    assert chips(page) == ["0 findings: 12", "View AP: 12", "Follow-up 1: 12"]
    next(button for button in page.button if button.label.startswith("View AP")).click().run()
    assert chips(page) == ["0 findings: 12", "Follow-up 1: 12"]
    page.button(key="no-chips").click().run()
    assert chips(page) == [] and metrics(page)["Films"] == "24"


def test_a_filter_to_nothing_still_shows_the_chips_that_lead_back(tiny_folder: Path):
    page = explore(data=str(tiny_folder), has=["Mass", "Hernia"])
    assert chips(page) == ["Mass: 1", "Hernia: 0"] and len(page.warning) == 1
    next(button for button in page.button if button.label.startswith("Hernia")).click().run()
    assert metrics(page)["Films"] == "1"


@pytest.mark.slow
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


@pytest.mark.slow
def test_gallery_pages(tiny_folder: Path):
    page = explore(data=str(tiny_folder))
    first = gallery(page)
    page.number_input[0].set_value(2).run()
    assert len(first) == 12 and len(gallery(page)) == 12 and not set(first) & set(gallery(page))


@pytest.mark.slow
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


def without_images(root: Path) -> Path:
    for film in (root / "images").iterdir():
        film.unlink()
    return root


def test_tables_without_images_are_rows_that_open(tiny_folder: Path):
    page = explore(data=str(without_images(tiny_folder)))
    assert metrics(page)["Films"] == "24"
    (table,) = (table.value for table in page.dataframe)
    assert table["Film"].tolist()[:2] == ["00000001_000", "00000001_001"] and len(table) == 24
    assert table.iloc[0, :4].tolist() == ["00000001_000", "Cardiomegaly", "1", 0]
    assert any("A row opens its film." in caption.value for caption in page.caption)
    page.text_input(key="film").set_value("00000001_001").run()
    assert [heading.value for heading in page.subheader] == ["00000001_001", "Patient 1"]
    (timeline,) = (table.value for table in page.dataframe)
    assert timeline["Film"].tolist() == ["00000001_000", "00000001_001"]
    assert timeline["Gone"].tolist() == ["", "Cardiomegaly"]
    assert "This folder has no image of this film." in [info.value for info in page.info]


def test_patients_of_the_films(tiny_folder: Path):
    page = explore(data=str(tiny_folder), rows="patients", has=["No Finding"])
    (table,) = (table.value for table in page.dataframe)
    assert table.iloc[0].tolist() == ["1", 1, 2, "F", "No finding"] and len(table) == 12


@pytest.mark.slow
def test_films_in_order_of_age_and_follow_up(tiny_folder: Path):
    page = explore(data=str(tiny_folder), order="old")
    assert gallery(page)[:3] == ["00000012_000", "00000012_001", "00000011_000"]
    page.selectbox(key="order").set_value("last").run()
    assert gallery(page)[:2] == ["00000001_001", "00000002_001"]


@pytest.mark.slow
def test_a_film_opens_with_its_patient_s_and_closes(tiny_folder: Path):
    write_boxes(tiny_folder, "00000003_000.png,Infiltrate,256,512,256,128,,,")
    page = explore(data=str(tiny_folder), views=["PA"])
    page.button(key="open-00000003_000").click().run()
    assert metrics(page) == {} and page.session_state["film"] == "00000003_000"
    assert page.subheader[0].value == "00000003_000" == viewer(page)["name"] and len(page.get("image")) == 2
    words = [markdown.value for markdown in page.markdown]
    assert "Follow-up 0, film 1 of 2 of the patient" in words
    assert "1 box: Infiltration" in words and "In official train+val" in words
    assert "3 of 12 chosen films" in [caption.value for caption in page.caption]
    assert chips(page) == ["View PA: 12"]
    page.button(key="film-after").click().run()
    assert page.subheader[0].value == "00000004_000"
    page.button(key="open-00000004_001").click().run()
    assert page.subheader[0].value == "00000004_001"
    page.button(key="close").click().run()
    assert metrics(page)["Films"] == "12"


def test_a_film_that_is_not_here_gets_a_sentence(tiny_folder: Path):
    page = explore(data=str(tiny_folder), film="00009999_000")
    assert metrics(page)["Films"] == "24"
    assert [info.value for info in page.info] == ["This folder has no film 00009999_000."]


def judge(home: Path, root: Path, model: str = "demo0") -> None:
    """An evaluation of the first six films: the worst is patient 3's, the surest Effusion patient 2's."""
    out = home / "checkpoints" / model / "evaluation" / "test"
    out.mkdir(parents=True)
    table = NihFolder.open(root).table.iloc[:6]
    probs = np.full((6, 14), 0.1)
    probs[4, 5], probs[2, 2] = 0.9, 0.8
    write_predictions(out / "predictions.csv", table["image"].tolist(), probs)
    write_labels(out / "labels.csv", Films(table, table["image"].tolist(), probs, probs))


@pytest.mark.slow
def test_films_by_what_a_model_said(tiny_folder: Path, only_this_home: Path):
    judge(only_this_home, tiny_folder)
    page = explore(data=str(tiny_folder), order="loss")
    assert page.selectbox(key="model").value == "demo0"
    assert gallery(page)[0] == "00000003_000"
    assert any("demo0 judged 6 of these 24 films (test)" in caption.value for caption in page.caption)
    page.selectbox(key="order").set_value("probability").run()
    page.selectbox(key="finding").set_value("Effusion").run()
    assert gallery(page)[0] == "00000002_000"
    assert "Effusion 80.0%" in [caption.value for caption in page.caption]
    page.text_input(key="film").set_value("00000002_000").run()
    table = page.dataframe[0].value
    assert table.iloc[0].tolist() == ["Effusion", "yes", pytest.approx(0.8)]


def test_an_address_with_an_order_by_model_opens_it_at_once(tiny_folder: Path, only_this_home: Path):
    judge(only_this_home, tiny_folder)
    page = AppTest.from_file(bundled("pages", "explore.py"), default_timeout=60)
    page.session_state["data"] = str(tiny_folder)
    page.query_params["order"] = ORDERS["loss"]
    page.run()
    assert gallery(page)[0] == "00000003_000"


@pytest.mark.slow
def test_films_with_labels_in_doubt_come_first_and_say_which(tiny_folder: Path):
    listed = tiny_folder / "doubts.csv"
    header = "Image Index,Patient ID,Rank,Finding,Label,Probability,Score,Rank in Finding"
    rows = ["00000007_001.png,7,1,Mass,no,0.91,0.09,1", "00000002_000.png,2,2,Effusion,yes,0.03,0.03,1"]
    listed.write_text("\n".join([header, *rows]) + "\n")
    page = explore(data=str(tiny_folder), order="doubt")
    assert gallery(page)[:3] == ["00000007_001", "00000002_000", "00000001_000"]
    said = [caption.value for caption in page.caption]
    assert any(text.startswith("2 of these 24 films have labels in doubt") for text in said)
    assert "Mass labelled no, 91.0% likely" in said and "Effusion labelled yes, 3.0% likely" in said
    page.text_input(key="film").set_value("00000002_000").run()
    assert "In doubt: Effusion labelled yes, 3.0% likely" in [one.value for one in page.markdown]
    listed.write_text("Image Index\n00000002_000.png\n")
    page = explore(data=str(tiny_folder), order="doubt")
    assert "lacks the column 'Rank'" in page.warning[0].value and gallery(page)[0] == "00000001_000"


def test_without_a_list_it_is_said_how_to_find_labels_in_doubt(tiny_folder: Path):
    page = explore(data=str(tiny_folder), order="doubt")
    said = [caption.value for caption in page.caption]
    assert any(text.startswith("No list says which labels of this folder are in doubt.") for text in said)


def test_without_a_judged_model_its_orders_say_how_to_get_one(tiny_folder: Path, only_this_home: Path):
    page = explore(data=str(tiny_folder), order="disagreement")
    (info,) = (info.value for info in page.info)
    assert info.startswith("No model has been judged on these films. The page Results judges one")
    assert gallery(page)[0] == "00000001_000"


@pytest.mark.slow
def test_the_films_chosen_are_kept_as_a_split(films: Path):
    page = explore(data=str(films), views=["PA"])
    assert "Keep as a split" not in {button.label for button in page.button}  # folded away until asked for
    page.session_state["take-along"] = True
    page.run()
    page.text_input(key="split-name").set_value("pa-only").run()
    next(button for button in page.button if button.label == "Keep as a split").click().run()
    split = read_split(NihFolder.open(films), "pa-only")
    assert split.way == "films" and sum(map(len, split.parts.values())) == 40
    assert page.success[0].value.startswith("The split pa-only is written: train ")
    next(button for button in page.button if button.label == "Keep as a split").click().run()
    assert "is taken by another split" in page.error[0].value


@pytest.mark.slow
def test_the_films_chosen_are_to_be_labelled(films: Path):
    page = explore(data=str(films), views=["PA"], **{"take-along": True})
    page.text_input(key="labelling-name").set_value("pa-only").run()
    next(button for button in page.button if button.label == "Label these").click().run()
    made = Labelling.named("pa-only")
    assert len(made.films) == 40 and made.settings.data == str(films)
    assert [link.proto.label for link in page.get("page_link")] == ["Open pa-only"]
    next(button for button in page.button if button.label == "Label these").click().run()
    assert "There is a labelling 'pa-only' already" in page.error[0].value


def test_a_public_server_shows_no_path_and_writes_nothing(tiny_folder: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("XLITE_PUBLIC", "1")
    monkeypatch.setenv("XLITE_DATA", str(tiny_folder))
    page = explore(data=tiny_folder.name, **{"take-along": True})
    assert metrics(page)["Films"] == "24"
    assert not any(str(tiny_folder) in caption.value for caption in page.caption)
    assert not {"Keep as a split", "Label these"} & {button.label for button in page.button}
    assert [button.label for button in page.get("download_button")] == ["Table (CSV)", "List of names"]


def test_a_public_server_without_data_draws_none(own_home: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("XLITE_PUBLIC", "1")
    page = explore()
    assert [info.value for info in page.info] == ["No data folder is named."] and len(page.button) == 0


@pytest.mark.slow
def test_leakage_and_balance_of_the_folder_s_lists(tiny_folder: Path):
    page = open_tab(explore(data=str(tiny_folder)), "Leakage")
    shares, balance = (table.value for table in page.dataframe[:2])
    assert shares.to_numpy().tolist() == [["official", "0", "no such part", "0.0%", "0.0%"]]
    assert balance.iloc[0].tolist() == ["Films", "18", "6"]
    page.selectbox(key="learned-list").set_value("official train+val").run()
    page.selectbox(key="judged-list").set_value("official test").run()
    assert page.success[0].value.startswith("Nothing leaks: the 6 films judged are of 3 patients")
    page.selectbox(key="judged-list").set_value("official train+val").run()
    assert page.warning[0].value.startswith("18 films of 18 judged (100.0%) show a patient")


@pytest.mark.slow
def test_what_class_weights_and_the_sampler_do(tiny_folder: Path):
    page = open_tab(explore(data=str(tiny_folder)), "Class weights")
    assert len(page.dataframe) == 0
    page.toggle(key="draw-batches").set_value(True).run()
    assert page.dataframe[0].value["Class"].tolist()[0] == "No finding"


@pytest.mark.slow
def test_editions_side_by_side(tiny_folder: Path):
    page = open_tab(explore(data=str(tiny_folder)), "Editions")
    assert page.info[0].value.startswith("This folder has one table, 2020 labels.")
    table = (tiny_folder / "Data_Entry_2017_v2020.csv").read_text()
    (tiny_folder / "Data_Entry_2017.csv").write_text(table.replace("Effusion", "No Finding"))
    page = open_tab(explore(data=str(tiny_folder)), "Editions")
    assert page.dataframe[0].value.set_index("Finding").loc["Effusion"].tolist() == [1, 0, 1, 0]


def test_without_data_the_page_shows_the_command_and_the_button(own_home: Path):
    page = explore()
    assert metrics(page) == {}
    assert page.code[0].value.startswith("xlite data phantom data/phantom --images 600")
    assert [button.label for button in page.button] == ["Draw a small phantom folder (160 films)"]


@pytest.mark.slow
def test_the_button_draws_a_phantom_folder_and_opens_it(own_home: Path):
    page = explore()
    page.button[0].click().run()
    after_drawing(page)
    assert metrics(page)["Films"] == "160" and metrics(page)["Patients"] == "60"
    assert page.session_state["data"] == str(own_home / "data" / "phantom")


def test_the_button_says_what_is_in_the_way(own_home: Path):
    (own_home / "data" / "phantom").mkdir(parents=True)
    (own_home / "data" / "phantom" / "mine.txt").write_text("keep")
    page = explore()
    page.button[0].click().run()
    after_drawing(page)
    assert metrics(page) == {} and "not an empty folder" in page.error[0].value


@pytest.mark.slow
def test_a_film_is_in_the_viewer_at_its_own_resolution_with_its_boxes(tiny_folder: Path):
    film = np.random.default_rng(3).integers(0, 256, (1100, 1200), dtype=np.uint8)
    cv2.imwrite(str(tiny_folder / "images" / "00000002_000.png"), film)
    write_boxes(tiny_folder, "00000002_000.png,Effusion,512,256,102.4,51.2")
    shown = viewer(explore(data=str(tiny_folder), film="00000002_000"))
    np.testing.assert_array_equal(shown["film"], film)
    assert shown["boxes"] == [{"title": "Effusion", "x": 600, "y": 275, "width": 120, "height": 55}]
    other = viewer(explore(data=str(tiny_folder), film="00000002_001"))
    assert (other["boxes"], other["name"]) == ([], "00000002_001")


@pytest.fixture
def laid_out(own_home: Path, tiny_folder: Path) -> EmbeddingRun:
    """The run of the embedding of the noise films by a tiny model; it is not made yet."""
    return EmbeddingRun.of(save_demo_model(own_home), NihFolder.open(tiny_folder))


def embedded(laid_out: EmbeddingRun, **state: object) -> AppTest:
    return explore(data=str(laid_out.data), charts="Embedding", features="demo0", **state)


def made(laid_out: EmbeddingRun) -> Embedding:
    """The embedding, made here."""
    found = laid_out.work(Classifier.load(laid_out.model), NihFolder.open(laid_out.data))
    assert found is not None
    return found


@pytest.mark.slow
def test_an_embedding_is_made_when_somebody_asks_and_shows_how_far_it_is(
    laid_out: EmbeddingRun, monkeypatch: pytest.MonkeyPatch
):
    started: list[str] = []
    monkeypatch.setattr(EmbeddingRun, "start", lambda run: started.append(run.name))
    page = embedded(laid_out)
    assert metrics(page)["Films"] == "24" and not page.get("plotly_chart")
    [button] = [one for one in page.button if one.label == "Make the embedding"]
    button.click().run()
    assert started == [laid_out.name]
    laid_out.folder.mkdir(parents=True, exist_ok=True)
    with laid_out.hold():
        laid_out.update_progress(state="running", done=16, films=24)
        page.run()
        assert "Reading film 16 of 24" in [bar.proto.text for bar in page.get("progress")]
        assert [one.label for one in page.button if "embedding" in one.label.lower()] == []


@pytest.mark.slow
def test_the_embedding_has_its_films_and_its_clusters_and_regions_are_filters(laid_out: EmbeddingRun):
    found = made(laid_out)
    page = embedded(laid_out)
    assert metrics(page)["Films"] == "24"
    [chart] = page.get("plotly_chart")
    assert chart.proto.alt.startswith("24 films laid out by what demo0 sees in them")
    sizes = np.bincount(found.clusters).tolist()
    shown = drawn(page)["Clusters of the embedding"]
    assert [row["marks"][0]["text"].split()[0] for row in shown["rows"]] == [*map(str, sizes)]
    page.session_state["clusters"] = ["1"]
    assert metrics(page.run())["Films"] == str(sizes[0]) and chips(page) == [f"Cluster 1: {sizes[0]}"]
    page.session_state["clusters"] = []
    page.session_state["region"] = "0,0 500,0 500,1000 0,1000"
    inside = int(within(found.points, corners(page.session_state["region"])).sum())
    assert metrics(page.run())["Films"] == str(inside) and chips(page) == [
        f"Region of the embedding: {inside}"
    ]
    assert metrics(open_tab(page, "Findings"))["Films"] == str(inside)
    page.button(key="chip-0-Region of the embedding").click().run()
    assert metrics(page)["Films"] == "24"


@pytest.mark.slow
@pytest.mark.parametrize("shade", ["probability", "part", "view", "cluster"])
def test_the_embedding_has_the_colours_that_the_address_asks_for(laid_out: EmbeddingRun, shade: str):
    made(laid_out)
    page = embedded(laid_out, shade=shade, finding="Mass")
    assert metrics(page)["Films"] == "24" and page.selectbox(key="shade").value == shade
    spec = json.loads(page.get("plotly_chart")[0].proto.spec)
    names = {trace["name"] for trace in spec["data"]}
    assert names & {"Mass", "official test", "PA", "1"}


@pytest.mark.slow
def test_a_link_to_a_region_says_so_if_there_is_no_embedding_or_if_it_is_none(laid_out: EmbeddingRun):
    page = embedded(laid_out, region="0,0 500,0 500,1000")
    assert metrics(page)["Films"] == "24" and chips(page) == []
    assert page.warning[0].value == (
        "A part of the embedding by demo0 is asked for, and this folder has none yet."
    )
    made(laid_out)
    page = embedded(laid_out, region="somewhere")
    assert metrics(page) == {} and "is not a region of the embedding" in page.error[0].value


@pytest.mark.slow
def test_strangers_see_an_embedding_that_is_there_and_make_none(
    laid_out: EmbeddingRun, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("XLITE_PUBLIC", "1")
    monkeypatch.setenv("XLITE_DATA", str(laid_out.data))
    page = explore(data=laid_out.data.name, charts="Embedding", features="demo0")
    assert "There is no embedding of these films by demo0." in [info.value for info in page.info]
    assert [one.label for one in page.button if "embedding" in one.label.lower()] == []
    made(laid_out)
    page = explore(data=laid_out.data.name, charts="Embedding", features="demo0")
    assert len(page.get("plotly_chart")) == 1
    laid_out.points.write_bytes(b"no embedding")
    page = explore(data=laid_out.data.name, charts="Embedding", features="demo0")
    assert [error.value for error in page.error] == ["The embedding of these films is damaged."]
    assert metrics(page)["Films"] == "24"


def test_an_emptied_sidebar_shows_no_folder_and_offers_those_of_the_home(own_home: Path, tiny_folder: Path):
    (own_home / "data").mkdir()
    mine = tiny_folder.rename(own_home / "data" / "mine")
    page = explore(data="")
    assert metrics(page) == {}
    labels = [button.label for button in page.button]
    assert labels == ["Open mine", "Draw a small phantom folder (160 films)"]
    page.button[0].click().run()
    assert metrics(page)["Films"] == "24" and page.session_state["data"] == str(mine)


def test_a_folder_in_home_is_found_by_itself(own_home: Path, tiny_folder: Path):
    (own_home / "data").mkdir()
    tiny_folder.rename(own_home / "data" / "mine")
    assert find_folders(own_home) == [own_home / "data" / "mine"]
    assert metrics(explore())["Films"] == "24"


@pytest.mark.slow
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


@pytest.mark.slow
def test_labels_that_are_unknown_are_said_and_neither_positive_nor_negative(tiny_folder: Path):
    stems = NihFolder.open(tiny_folder).table["stem"].tolist()
    hide_labels(tiny_folder, {stem: ("Hernia", "Mass")[: 1 + (stem < "00000003")] for stem in stems})
    page = explore(data=str(tiny_folder), more=True)
    assert metrics(page)["Films"] == "24"
    said = [one.value for one in page.caption if "Not labelled here" in one.value]
    assert said == [
        "Not labelled here: Hernia. Of the other labels 1.3% are unknown: shares are of the films whose "
        "label is known."
    ]
    chart = drawn(page)["Films per finding"]
    assert "Hernia" not in {row["label"] for row in chart["rows"]}
    assert "Hernia" not in page.multiselect(key="has").options
    assert page.multiselect(key="unknown").options == ["Mass"]
    page.multiselect(key="unknown").set_value(["Mass"]).run()
    assert metrics(page)["Films"] == str(sum(stem < "00000003" for stem in stems))
    page.multiselect(key="unknown").set_value([]).run()
    page.session_state["film"] = "00000001_001"
    page.run()
    assert any("**No known finding; unknown: Mass**" in one.value for one in page.markdown)
    assert [error.message for error in page.exception] == []
