"""Each kind of data set: import, check, split; and what its quirks become. Films are never copied."""

import csv
import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from foreign_sets import (
    SETS,
    write_chestx_det,
    write_chexpert,
    write_mimic,
    write_openi_report,
    write_own_in_words,
    write_padchest,
    write_picture,
    write_rsna,
    write_siim,
    write_table,
    write_vindr,
    write_vindr_kaggle,
)

from xlite.data.folder import NihFolder
from xlite.data.folder_check import check_folder
from xlite.data.importing.labels import Policy
from xlite.data.importing.record import Record
from xlite.data.importing.siim import mask_of
from xlite.data.importing.sources import read_source
from xlite.data.importing.write import Choices, write_import
from xlite.data.leakage import Shared, films_sharing_patients
from xlite.data.split_files import read_split
from xlite.data.splits import make_split
from xlite.examples import examples
from xlite.images import read_image


def imported(kind: str, source: Path, out: Path, *uncertain: str, blank: str = "") -> Record:
    found, mapping = read_source(kind, source)
    return write_import(kind, source, found, mapping, out, Choices(policy=Policy.of(list(uncertain), blank)))


def rows(out: Path) -> dict[str, dict[str, str]]:
    """The table by the films' names, its columns by theirs."""
    with open(next(out.glob("Data_Entry_2017_*.csv")), newline="") as file:
        return {row["Image Index"]: row for row in csv.DictReader(file)}


def findings(out: Path) -> dict[str, tuple[str, set[str]]]:
    """What each film has, and what is not known of it."""
    return {
        name: (row["Finding Labels"], set(row["Unknown Labels"].split("|")) - {""})
        for name, row in rows(out).items()
    }


@pytest.mark.slow
@pytest.mark.parametrize("kind", SETS)
def test_an_imported_folder_passes_the_check_and_is_split(kind: str, tmp_path: Path) -> None:
    source, out = SETS[kind](tmp_path / "source"), tmp_path / "data" / kind
    record = imported(kind, source, out)
    folder = NihFolder.open(out)
    assert check_folder(folder).ok
    assert len(folder.table) == len(folder.paths) == record.films
    assert folder.table["patient"].nunique() == record.patients
    split = make_split(folder)
    assert split.shared_patients(folder) == 0
    assert sum(map(len, split.parts.values())) == record.films
    kept: dict[str, Any] = json.loads((out / "import.json").read_text())
    assert (kept["kind"], kept["films"], kept["source"]) == (kind, record.films, str(source))
    assert kept["tables"] and all(len(table["sha256"]) == 64 for table in kept["tables"])
    for path in folder.paths.values():
        assert path.is_symlink() == (kind != "medmnist")
        read_image(path)
    own = {row["Patient ID"].split("-")[0] for row in rows(out).values()} - {str(n) for n in range(50)}
    assert own <= {kind.split("-")[0]}  # with RSNA and ChestX-Det some are NIH's patients
    assert not [path for path in out.parent.iterdir() if path != out]


def test_chexpert(tmp_path: Path) -> None:
    out = tmp_path / "chexpert"
    record = imported("chexpert", write_chexpert(tmp_path), out)
    table = rows(out)
    assert list(table)[:2] == [
        "chexpert-patient00001_study1_view1_frontal.jpg",
        "chexpert-patient00001_study2_view1_frontal.jpg",
    ]
    first = table["chexpert-patient00001_study2_view1_frontal.jpg"]
    assert first == {
        "Image Index": "chexpert-patient00001_study2_view1_frontal.jpg",
        "Finding Labels": "Effusion",
        "Follow-up #": "1",
        "Patient ID": "chexpert-1",
        "Patient Age": "41",
        "Patient Gender": "M",
        "View Position": "AP",
        "Unknown Labels": "Atelectasis|Cardiomegaly|Infiltration|Mass|Nodule|Pneumonia|Consolidation|Edema|"
        "Emphysema|Fibrosis|Pleural_Thickening|Hernia",
    }
    assert table["chexpert-patient00003_study1_view1_frontal.jpg"]["Patient Age"] == ""  # 0 in the table
    not_labelled = ["Infiltration", "Mass", "Nodule", "Emphysema", "Fibrosis", "Pleural_Thickening", "Hernia"]
    # Without a finding, blanks are 0, and what CheXpert does not label stays unknown.
    nothing = table["chexpert-patient00002_study1_view1_frontal.jpg"]
    assert (nothing["Finding Labels"], nothing["Unknown Labels"]) == ("No Finding", "|".join(not_labelled))
    assert record.not_labelled == not_labelled
    assert record.left_out == {"lateral films": 14}
    assert (out / "test_list.txt").read_text().splitlines() == [name for name in table if "00013" in name] + [
        name for name in table if "00014" in name
    ]
    assert make_split(NihFolder.open(out), "official").id.startswith("official-42-")
    effusion = next(one for one in record.labels if one.label == "Pleural Effusion")
    assert (effusion.finding, effusion.present, effusion.absent, effusion.blank) == ("Effusion", 14, 0, 14)
    devices = next(one for one in record.labels if one.label == "Support Devices")
    assert (devices.finding, devices.present) == ("", 2)


@pytest.mark.parametrize(
    ("uncertain", "blank", "labels", "unknown"),
    [
        ((), "", "Effusion", {"Edema", "Pneumonia", "Atelectasis", "Cardiomegaly", "Consolidation"}),
        (("ones",), "zeros", "Effusion|Edema", set()),
        (("zeros",), "zeros", "Effusion", set()),
        (("zeros", "Edema=ones"), "zeros", "Effusion|Edema", set()),
        (("ones", "Edema=ignore"), "zeros", "Effusion", {"Edema"}),
    ],
)
def test_uncertain_and_blank_labels_count_as_one_says(
    uncertain: tuple[str, ...], blank: str, labels: str, unknown: set[str], tmp_path: Path
) -> None:
    out = tmp_path / "chexpert"
    record = imported("chexpert", write_chexpert(tmp_path), out, *uncertain, blank=blank)
    found = findings(out)["chexpert-patient00001_study1_view1_frontal.jpg"]
    assert found == (labels, unknown | set(record.not_labelled))


def test_chexpert_in_batches(tmp_path: Path) -> None:
    source = write_chexpert(tmp_path / "source")
    batch = source.parent / "CheXpert-v1.0 batch 2 (train 1)"
    (source / "train").rename(batch)
    record = imported("chexpert", source, tmp_path / "chexpert")
    assert (record.films, record.left_out) == (28, {"lateral films": 14})


@pytest.mark.parametrize("place", ["beside", "above"])
def test_chexpert_in_batches_by_a_relative_path(
    place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = write_chexpert(tmp_path / "source")
    (source / "train").rename(source.parent / "CheXpert-v1.0 batch 1 (validate & csv)")
    monkeypatch.chdir(source if place == "above" else source.parent)
    relative = Path(".") if place == "above" else Path(source.name)
    record = imported("chexpert", relative, tmp_path / "chexpert")
    assert (record.films, record.left_out) == (28, {"lateral films": 14})


def test_mimic(tmp_path: Path) -> None:
    out = tmp_path / "mimic"
    record = imported("mimic", write_mimic(tmp_path / "source"), out)
    table = rows(out)
    assert len(table) == 24
    name = "mimic-p10000001_s50000011_02faf08b-aaaa-bbbb-cccc-ap.jpg"
    assert [
        table[name][column] for column in ("Finding Labels", "Patient ID", "Follow-up #", "View Position")
    ] == [
        "Pneumonia",
        "mimic-10000001",
        "0",
        "AP",
    ]
    assert record.left_out == {"without labels for the study": 1, "lateral films": 12}
    assert record.conflicts == {"ViewPosition AP, but a procedure of PA and lateral; ViewPosition counts": 1}
    split = read_split(NihFolder.open(out), "published")
    assert {part: len(films) for part, films in split.parts.items()} == {"train": 16, "val": 4, "test": 4}
    parts = {part: {film[6:15] for film in split.stems(part)} for part in ("val", "test")}
    assert parts == {"val": {"p10000009", "p10000010"}, "test": {"p10000011", "p10000012"}}
    assert record.lists == ["official", "published"]


def test_mimics_views_by_their_codes_and_follow_ups_by_the_hour(tmp_path: Path) -> None:
    source, out = write_mimic(tmp_path / "source"), tmp_path / "mimic"
    table = source / "mimic-cxr-2.0.0-metadata.csv.gz"
    header, *meta = csv.reader(gzip.decompress(table.read_bytes()).decode().splitlines())
    view, code, date, time = map(
        header.index, ("ViewPosition", "ViewCodeSequence_CodeMeaning", "StudyDate", "StudyTime")
    )
    for row in meta:
        row[code] = "left lateral" if row[view] == "LATERAL" else "antero-posterior"
        row[view] = ""
        row[time], row[date] = "165500.312" if row[date] == "21000100" else "82551.0", "21000100"
    write_table(table, header, meta)
    record = imported("mimic", source, out)
    assert record.left_out == {"without labels for the study": 1, "lateral films": 12}
    assert record.views == {"AP": 24}
    found = rows(out)
    second = next(row for name, row in found.items() if name.startswith("mimic-p10000001_s50000012"))
    assert second["Follow-up #"] == "0"  # in the morning of the day


def test_padchest(tmp_path: Path) -> None:
    out = tmp_path / "padchest"
    source = write_padchest(tmp_path / "source")
    record = imported("padchest", source, out)
    found = findings(out)
    # A blank before a label, another place than the tree's name, and 16 bits.
    assert found["padchest-21684011136696400001_00-1.png"] == ("Cardiomegaly|Effusion", set())
    assert found["padchest-21684011136696400001_00-2.png"] == ("Atelectasis", set())
    assert found["padchest-21684011136696400002_00-1.png"] == ("No Finding", set())
    assert rows(out)["padchest-21684011136696400001_00-1.png"]["Patient Gender"] == "M"
    row = rows(out)["padchest-21684011136696400002_00-2.png"]
    assert (row["Patient ID"], row["Patient Age"], row["View Position"], row["Follow-up #"]) == (
        "padchest-839860488694292331637988235681460034",
        "84",
        "AP",
        "1",
    )
    assert record.left_out == {
        "marked 'exclude' by the data set": 1,
        "of which the report only says that nothing changed": 2,
        "without labels": 1,
        "lateral films": 1,
        "other views": 1,
        "without a file": 1,
    }
    assert found["padchest-21684011136696400003_00-8.png"] == ("Effusion|Pneumothorax", set())
    film = NihFolder.open(out).paths["padchest-21684011136696400001_00-1"]
    assert film.resolve() == source / "1" / "21684011136696400001_00-1.png"
    assert read_image(film).dtype == np.uint8


def test_padchest_with_all_films_in_one_folder(tmp_path: Path) -> None:
    source, out = write_padchest(tmp_path / "source"), tmp_path / "padchest"
    for film in [*source.glob("*/*.png")]:
        film.rename(source / film.name)
    for folder in ("0", "1", "2"):
        (source / folder).rmdir()
    assert imported("padchest", source, out).films == 25
    film = NihFolder.open(out).paths["padchest-21684011136696400001_00-1"]
    assert film.resolve() == source / "21684011136696400001_00-1.png"


def test_vindr(tmp_path: Path) -> None:
    out = tmp_path / "vindr"
    record = imported("vindr", write_vindr(tmp_path / "source"), out)
    odd, even = f"vindr-{1:032x}", f"vindr-{2:032x}"
    row = rows(out)[f"{odd}.dcm"]
    assert (row["View Position"], row["Patient Gender"], row["Patient Age"]) == ("PA", "F", "50")
    found = findings(out)
    assert (found[f"{odd}.dcm"][0], found[f"{even}.dcm"][0]) == ("Cardiomegaly", "No Finding")
    boxes = NihFolder.open(out).boxes()
    assert (
        boxes[boxes["stem"] == odd].values.tolist()
        == [
            [odd, "Cardiomegaly", 256.0, 256.0, 512.0, 512.0]  # of 64 x 48 px
        ]
        * 2
    )
    assert set(boxes["stem"]) == {f"vindr-{film:032x}" for film in range(1, 13, 2)}
    assert record.boxes_left_out == {"of a finding that the film does not count as having": 6}
    with open(out / "boxes_of_readers.csv", newline="") as file:
        assert len([row for row in csv.DictReader(file) if row["reader"] == "R1"]) == 12
    with open(out / "agreement.csv", newline="") as file:
        agreed = list(csv.DictReader(file))
    assert {"image": f"{odd}.dcm", "label": "Cardiomegaly", "with_it": "2", "readers": "3"} in agreed
    assert {"image": f"{even}.dcm", "label": "Pleural effusion", "with_it": "1", "readers": "3"} in agreed
    assert record.views == {"PA": 15}
    said = "All films count as PA, as the publisher says: neither headers nor the gate were asked."
    assert said in record.notes
    split = make_split(NihFolder.open(out), "official")
    assert len(split.parts["test"]) == 3


def test_vindr_as_kaggle_has_it(tmp_path: Path) -> None:
    out = tmp_path / "vindr"
    record = imported("vindr", write_vindr_kaggle(tmp_path / "source"), out)
    assert findings(out)[f"vindr-{1:032x}.dcm"][0] == "Pneumothorax"
    assert record.boxes == 12
    assert {"Emphysema", "Edema", "Pneumonia"} <= set(
        record.not_labelled
    )  # Kaggle's table has no such classes


def test_rsna_films_are_found_by_their_names_of_nih(tmp_path: Path) -> None:
    out = tmp_path / "rsna"
    record = imported("rsna", write_rsna(tmp_path / "source"), out)
    films = rows(out)
    row = films["00000001_003.dcm"]
    assert (row["Patient ID"], row["Patient Age"], row["Patient Gender"], row["View Position"]) == (
        "1",
        "61",
        "M",
        "AP",
    )
    last = "rsna-0000000c-9eaa-42f4-b0ab-c148ed3241cd"
    assert films[f"{last}.dcm"]["Patient ID"] == last
    assert record.nih_names == 11
    boxes = NihFolder.open(out).boxes()
    assert (
        boxes[boxes["stem"] == "00000001_003"].values.tolist()
        == [["00000001_003", "Pneumonia", 256.0, 128.0, 200.0, 300.0]] * 2
    )


def test_what_knows_nihs_films_is_found_in_rsnas(tmp_path: Path) -> None:
    out = tmp_path / "rsna"
    imported("rsna", write_rsna(tmp_path / "source", mapped=12), out)
    table = NihFolder.open(out).table
    # Of patient 1 this film was learned from, of patient 2 another one of ChestX-ray14.
    shared = films_sharing_patients(["00000001_003", "00000002_000"], list(table["stem"]), table)
    assert shared == Shared(["00000001_003", "00000002_003"], outside=1, untold=0)


def test_rsna_without_its_mapping_says_so(tmp_path: Path) -> None:
    record = imported("rsna", write_rsna(tmp_path / "source", mapped=0), tmp_path / "rsna")
    assert record.nih_names == 0
    assert record.notes[0].startswith("All films are of ChestX-ray14, and nothing here says which")


def test_siim_masks_become_boxes(tmp_path: Path) -> None:
    out = tmp_path / "siim"
    record = imported("siim", write_siim(tmp_path / "source"), out)
    boxes = NihFolder.open(out).boxes()
    assert record.boxes == 5
    third = boxes[boxes["stem"].str.contains(r"8323329\.3\.")]
    assert third[list("xywh")].to_numpy().tolist() == [[100, 200, 10, 50], [600, 10, 4, 20]]
    assert record.findings == {"Pneumothorax": {"present": 4, "absent": 8, "unknown": 0}}


def test_a_mask_runs_down_the_columns() -> None:
    mask = mask_of("1024 2 1022 1")  # two px at the top of column 1, one at the top of column 2
    assert np.argwhere(mask).tolist() == [[0, 1], [0, 2], [1, 1]]


def test_openi(tmp_path: Path) -> None:
    out = tmp_path / "openi"
    record = imported("openi", SETS["openi"](tmp_path / "source"), out)
    assert findings(out)["openi-1_IM-0001-4001.png"] == ("Cardiomegaly|Pleural_Thickening", set())
    assert record.left_out == {"without MeSH terms": 2, "lateral films": 13}


def test_reports_of_openi_name_no_views_so_the_gate_decides(tmp_path: Path, shared_data: Path) -> None:
    source, out = tmp_path / "source", tmp_path / "openi"
    frontal = [example.path for example in examples().values()][:2]
    lateral = sorted((shared_data / "films_of_other_kinds" / "lateral").iterdir())[0]
    other = sorted((shared_data / "films_of_other_kinds" / "ct_slice").iterdir())[0]
    films = {"CXR1_1_IM-1": frontal[0], "CXR1_1_IM-2": lateral, "CXR2_IM-1": frontal[1], "CXR2_IM-2": other}
    for name, path in films.items():
        write_picture(source / "NLMCXR_png" / f"{name}.png", read_image(path))
    write_openi_report(source / "ecgen-radiology", "CXR1", ["Pneumothorax/apex/left"], list(films)[:2])
    write_openi_report(source / "ecgen-radiology", "CXR2", ["normal"], list(films)[2:])
    record = imported("openi", source, out)
    assert {name: labels for name, (labels, _) in findings(out).items()} == {
        "openi-CXR1_1_IM-1.png": "Pneumothorax",
        "openi-CXR2_IM-1.png": "No Finding",
    }
    assert {row["View Position"] for row in rows(out).values()} == {""}
    assert record.left_out == {
        "lateral films, by the gate": 1,
        "no chest films, by the gate": 1,
    }
    assert record.views == {"frontal by the gate": 2}


def test_chestx_det(tmp_path: Path) -> None:
    out = tmp_path / "chestx-det"
    record = imported("chestx-det", write_chestx_det(tmp_path / "source"), out)
    unknown = {"Infiltration", "Pneumonia", "Edema", "Hernia"}
    assert findings(out)["00000042_006.png"] == ("Nodule", unknown)
    assert rows(out)["00000042_006.png"]["Patient ID"] == "42"
    assert NihFolder.open(out).boxes().iloc[0].tolist() == ["00000042_006", "Nodule", 100, 200, 200, 300]
    assert (record.boxes, record.boxes_left_out) == (10, {"of labels that are none of the 14": 10})
    assert len((out / "test_list.txt").read_text().splitlines()) == 10


def test_chestx_det10_does_not_label_what_the_later_set_does(tmp_path: Path) -> None:
    source = write_chestx_det(tmp_path / "source")
    for part in ("train", "test"):
        table = (source / f"ChestX_Det_{part}.json").rename(source / f"{part}.json")
        table.write_text(table.read_text().replace("Diffuse Nodule", "Nodule"))
    record = imported("chestx-det", source, tmp_path / "chestx-det10")
    assert record.findings["Nodule"]["present"] == 10
    lacking = {"Infiltration", "Pneumonia", "Edema", "Hernia", "Cardiomegaly", "Pleural_Thickening"}
    assert set(record.not_labelled) == lacking


def test_torchxrayvisions_order(tmp_path: Path) -> None:
    out = tmp_path / "xrv"
    imported("xrv", SETS["xrv"](tmp_path / "source"), out)
    assert findings(out)["xrv-1.png"] == ("Effusion", set())
    assert findings(out)["xrv-2.png"] == ("No Finding", {"Effusion"})


def test_medmnists_order(tmp_path: Path) -> None:
    out = tmp_path / "medmnist"
    record = imported("medmnist", SETS["medmnist"](tmp_path / "source"), out)
    found = findings(out)
    assert found["medmnist-train-000012.png"] == ("Pleural_Thickening", set())
    assert found["medmnist-test-000002.png"] == ("Effusion", set())
    assert record.lists == ["official", "published"]
    assert read_image(out / "images" / "medmnist-val-000003.png").shape == (64, 64)


def test_a_table_of_ones_own(tmp_path: Path) -> None:
    out = tmp_path / "csv"
    record = imported("csv", SETS["csv"](tmp_path / "source"), out)
    rest = set(record.not_labelled)
    assert len(rest) == 12
    found = findings(out)
    assert found["csv-001.png"] == ("Effusion", rest)
    assert found["csv-004.png"] == ("No Finding", rest | {"Edema"})
    assert found["csv-008.png"] == ("Edema", rest)
    row = rows(out)["csv-002.png"]
    assert (row["Patient ID"], row["Patient Gender"], row["View Position"]) == ("csv-MRN 1001", "F", "PA")
    with open(out / "films.csv", newline="") as file:
        assert next(csv.DictReader(file)) == {
            "image": "csv-001.png",
            "source_file": "scans/001.png",
            "source_name": "001",
            "source_patient": "MRN 1001",
            "nih_name": "",
        }


def test_a_table_of_ones_own_in_words(tmp_path: Path) -> None:
    out = tmp_path / "csv"
    record = imported("csv", write_own_in_words(tmp_path / "source"), out)
    found = findings(out)
    assert found["csv-film1.png"][0] == "Cardiomegaly|Effusion"
    assert found["csv-film2.png"][0] == "No Finding"
    assert record.left_out == {"without labels": 1}
    assert sorted(record.findings) == ["Cardiomegaly", "Effusion"]
