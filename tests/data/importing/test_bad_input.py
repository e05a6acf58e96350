"""What cannot be imported, in one sentence each, and leaves nothing behind."""

import os
from pathlib import Path

import pytest
from foreign_sets import (
    CHEXPERT,
    SETS,
    importing,
    refused,
    write_chestx_det,
    write_chexpert,
    write_mimic,
    write_own,
    write_padchest,
    write_picture,
    write_rsna,
    write_siim,
    write_table,
    write_vindr_kaggle,
)

from xlite.data.importing.columns import corrected, guess_columns
from xlite.data.importing.labels import Policy
from xlite.data.importing.mapping import Rule, read_mapping
from xlite.data.importing.sources import read_source
from xlite.data.importing.write import write_import

FRONTAL_ONLY = "expected frontal chest films with labels: give a folder or a table that has some"


@pytest.mark.parametrize("kind", [kind for kind in SETS if kind not in ("csv", "xrv")])
def test_a_folder_of_another_kind(kind: str, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    said = refused(importing(kind, tmp_path / "empty", tmp_path / "out"))
    assert said.startswith(f"{tmp_path}/empty is not a folder of ") and ": it holds no " in said
    assert refused(importing(kind, tmp_path / "gone", tmp_path / "out")) == (
        f"there is no {tmp_path}/gone; give the folder that the data set lies in"
    )
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("kind", ["csv", "xrv"])
def test_no_table_and_several(kind: str, tmp_path: Path) -> None:
    assert "holds no table (.csv)" in refused(importing(kind, tmp_path, tmp_path / "out"))
    write_table(tmp_path / "a.csv", ["a"], [["1"]])
    write_table(tmp_path / "b.csv", ["a"], [["1"]])
    said = refused(importing(kind, tmp_path, tmp_path / "out"))
    assert said == f"{tmp_path} holds 2 tables; give the path of the one that lists its films"


def test_an_unknown_kind(tmp_path: Path) -> None:
    assert refused(importing("brax", tmp_path, tmp_path / "out")).startswith(
        "'brax' is not a kind of data set; expected one of chexpert, mimic"
    )


def test_a_table_that_joins_to_no_film(tmp_path: Path) -> None:
    source = write_own(tmp_path / "source")
    for film in (source / "scans").iterdir():
        film.rename(film.with_name(f"other{film.name}"))
    said = refused(importing("csv", source, tmp_path / "data" / "own"))
    assert said == (
        f"none of the 24 films that {source}/films.csv names lies in {source}: the first is 'scans/001.png'; "
        "put them there, or write paths that begin there"
    )
    assert not (tmp_path / "data").exists()


def test_tables_that_join_to_nothing(tmp_path: Path) -> None:
    source = write_mimic(tmp_path)
    write_table(
        source / "mimic-cxr-2.0.0-chexpert.csv.gz",
        ["subject_id", "study_id", *CHEXPERT],
        [[1, 2, *[""] * 14]],
    )
    assert "have no study in common, so they join to nothing" in refused(
        importing("mimic", source, tmp_path / "o")
    )
    source = SETS["openi"](tmp_path / "openi")
    write_table(source / "indiana_reports.csv", ["uid", "MeSH"], [["A", "normal"]])
    assert "have no uid in common, so they join to nothing" in refused(
        importing("openi", source, tmp_path / "o")
    )


def test_a_label_column_with_other_values(tmp_path: Path) -> None:
    source = write_chexpert(tmp_path)
    table = source / "train.csv"
    table.write_text(table.read_text().replace(",-1.0,", ",maybe,", 1))
    assert refused(importing("chexpert", source, tmp_path / "out")) == (
        f"the column 'Edema' of {table} holds 'maybe' in row 1; a label is 1, 0, -1 (uncertain) or blank"
    )


def test_values_that_are_not_as_documented(tmp_path: Path) -> None:
    source = write_chexpert(tmp_path / "chexpert")
    table = source / "train.csv"
    table.write_text(table.read_text().replace("patient00001/study1/view1_frontal", "a/b", 1))
    assert "expected one such as CheXpert-v1.0/train/patient00001/study1/" in refused(
        importing("chexpert", source, tmp_path / "out")
    )
    source = write_padchest(tmp_path / "padchest")
    table = next(source.glob("PADCHEST*"))
    write_table(
        table, ["ImageID", "PatientID", "Projection", "Labels"], [["a.png", "1", "PA", "normal, sick"]]
    )
    assert "has the labels 'normal, sick' in row 1; expected a list such as ['normal']" in refused(
        importing("padchest", source, tmp_path / "out")
    )
    source = write_siim(tmp_path / "siim")
    write_table(source / "train-rle.csv", ["ImageId", "EncodedPixels"], [["a", "1 2 3"]])
    assert refused(importing("siim", source, tmp_path / "out")).endswith(
        "has the mask '1 2 3' for a: no pairs of gaps and lengths within 1024 x 1024 px"
    )
    source = write_vindr_kaggle(tmp_path / "vindr")
    table = source / "train.csv"
    table.write_text(table.read_text().replace("Pneumothorax", "Dragon"))
    assert "has the class 'Dragon'; expected one of Aortic enlargement" in refused(
        importing("vindr", source, tmp_path / "out")
    )
    source = write_rsna(tmp_path / "rsna")
    next(source.glob("*.json")).write_text('[{"img_id": "a.png"}]')
    assert "is not a mapping of RSNA: each entry has img_id and subset_img_id" in refused(
        importing("rsna", source, tmp_path / "out")
    )
    source = write_chestx_det(tmp_path / "det")
    (source / "ChestX_Det_train.json").write_text('[{"file_name": "1.png", "syms": ["Mass"], "boxes": []}]')
    assert "each film has file_name, syms and a box for each of them" in refused(
        importing("chestx-det", source, tmp_path / "out")
    )


def test_small_pictures_of_medmnist(tmp_path: Path) -> None:
    import numpy as np

    path = tmp_path / "chestmnist.npz"
    np.savez(path, train_images=np.zeros((2, 28, 28), np.uint8), train_labels=np.zeros((2, 14), np.uint8))
    assert refused(importing("medmnist", path, tmp_path / "out")) == (
        f"{path} has films of 28 px, and X-Lite reads none below 32: take chestmnist_64.npz, "
        "chestmnist_128.npz or chestmnist_224.npz"
    )


def test_a_mapping_to_an_unknown_finding(tmp_path: Path) -> None:
    source = write_chexpert(tmp_path)
    found, mapping = read_source("chexpert", source)
    mapping[5] = Rule("Edema", "Oedema")
    said = refused(lambda: write_import("chexpert", source, found, mapping, tmp_path / "out"))
    assert said.startswith(
        "'Edema' is mapped to 'Oedema', which is not one of the 14 findings; expected one of"
    )
    path = tmp_path / "mapping.csv"
    path.write_text("label,finding,blank\nEdema,Oedema,unknown\n")
    assert refused(lambda: read_mapping(path)).startswith(
        f"{path}: 'Edema' is mapped to 'Oedema', which is not one"
    )
    path.write_text("label,finding,blank\nEdema,Edema,maybe\n")
    assert (
        refused(lambda: read_mapping(path)) == f"{path}: blank is 'maybe' for 'Edema'; expected unknown or 0"
    )
    path.write_text("label,finding,blank\nEdema,Edema,0\nEdema,,0\n")
    assert (
        refused(lambda: read_mapping(path))
        == f"{path}: the label 'Edema' is mapped twice; keep one row for it"
    )
    path.write_text("label,blank\nEdema,0\n")
    assert refused(lambda: read_mapping(path)).startswith(f"{path} lacks the column 'finding'")


def test_no_films_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = write_own(tmp_path)
    table = source / "films.csv"
    table.write_text(table.read_text().replace(",PA,", ",lateral,").replace(",AP,", ",LL,"))
    assert refused(importing("csv", source, tmp_path / "out")) == (
        f"0 films are left of {source} (24 lateral films); {FRONTAL_ONLY}"
    )
    monkeypatch.chdir(source)
    assert f"0 films are left of {source} (24" in refused(importing("csv", Path("."), tmp_path / "out"))
    source = write_padchest(tmp_path / "padchest")
    header = ["ImageID", "PatientID", "Projection", "Labels"]
    write_table(next(source.glob("PADCHEST*")), header, [["a.png", "1", "PA", "['exclude']"]])
    assert refused(importing("padchest", source, tmp_path / "out")) == (
        f"0 films are left of {source} (1 marked 'exclude' by the data set); {FRONTAL_ONLY}"
    )


def test_words_for_uncertain_labels() -> None:
    assert Policy.of(["zeros", "Edema=ones"]) == Policy("zeros", {"Edema": "ones"})
    assert "--uncertain 'twos' is not understood" in refused(lambda: Policy.of(["twos"]))
    assert "--uncertain 'Oedema=ones': 'Oedema' is not one of the 14 findings" in refused(
        lambda: Policy.of(["Oedema=ones"])
    )
    assert (
        refused(lambda: Policy.of([], "ones"))
        == "--blank 'ones' is not understood; expected unknown or zeros"
    )


def test_films_of_one_name(tmp_path: Path) -> None:
    source = write_own(tmp_path)
    table = source / "films.csv"
    text = table.read_text()
    table.write_text(text.replace("001.png", "0 1.png").replace("002.png", "0_1.png"))
    for name in ("0 1", "0_1"):
        write_picture(source / "scans" / f"{name}.png")
    assert refused(importing("csv", source, tmp_path / "out")) == (
        f"{table} names 'out-0_1' for several films; each film has to have a name of its own"
    )
    for cell in ("scans/001.png", "001", r"scans\001.png"):
        table.write_text(text.replace("scans/002.png", cell))
        assert refused(importing("csv", source, tmp_path / "out")) == (
            f"{table} names the film {source}/scans/001.png in two rows, as 'scans/001.png' and as {cell!r}; "
            "keep one row for each film"
        )


def test_patients_whose_ids_were_rounded(tmp_path: Path) -> None:
    source = write_own(tmp_path)
    table = source / "films.csv"
    table.write_text(table.read_text().replace("MRN 1001", "3.2E+37"))
    assert "is neither a whole number nor a name" in refused(importing("csv", source, tmp_path / "out"))


def test_a_blank_patient_is_told_by_his_film(tmp_path: Path) -> None:
    table = tmp_path / "films.csv"
    rows = [["a.png", "1", "PA", 1], ["gone.png", "3", "PA", 1], ["b.png", "", "PA", 0]]
    write_table(table, ["file", "patient", "view", "effusion"], rows)
    for name in ("a", "b"):
        write_picture(tmp_path / f"{name}.png")
    assert refused(importing("csv", table, tmp_path / "out")) == (
        f"{table}: Patient ID '' of the film 'b.png' names no patient; give each film the id of its own"
    )


def test_columns_that_nobody_can_guess(tmp_path: Path) -> None:
    write_table(tmp_path / "t.csv", ["a", "b"], [["x", "y"]])
    columns = guess_columns(tmp_path / "t.csv")
    assert "say which with --image" in refused(lambda: read_source("csv", tmp_path, columns))
    named = corrected(columns, {"image": "a"})
    assert "say which with --patient; if none does" in refused(lambda: read_source("csv", tmp_path, named))
    named = corrected(columns, {"image": "a", "patient": "a"})
    assert "say which with --label, or name" in refused(lambda: read_source("csv", tmp_path, named))
    assert "has no column 'c' for image; it has a, b" in refused(lambda: corrected(columns, {"image": "c"}))
    assert "has no column 'c' of labels" in refused(lambda: corrected(columns, {}, names="c"))
    assert "expected FINDING=COLUMN" in refused(lambda: corrected(columns, {}, ["Effusion"]))
    assert "has no column 'c'" in refused(lambda: corrected(columns, {}, ["Effusion=c"]))
    assert "maps to 'Oedema', which is not one of the 14" in refused(
        lambda: corrected(columns, {}, ["Oedema=b"])
    )


def test_links_that_cannot_be_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source, out = write_own(tmp_path / "source"), tmp_path / "out"

    def refuse(*words: object) -> None:
        raise OSError(1, "Operation not permitted")

    monkeypatch.setattr(os, "symlink", refuse)
    importing("csv", source, out)()
    film = out / "images" / "out-001.png"
    assert not film.is_symlink() and film.stat().st_nlink == 2  # a hard link instead
    monkeypatch.setattr(os, "link", refuse)
    assert "cannot be linked to (Operation not permitted), and films are not copied" in refused(
        importing("csv", source, tmp_path / "third")
    )
    assert not (tmp_path / "third").exists()


def test_a_mapping_that_does_not_fit(tmp_path: Path) -> None:
    source = write_chexpert(tmp_path)
    found, mapping = read_source("chexpert", source)
    said = refused(lambda: write_import("chexpert", source, found, [Rule("Edem", "Edema")], tmp_path / "out"))
    assert said.startswith(
        f"the mapping makes none of the labels of {source} a finding; they are No Finding,"
    )
    record = write_import("chexpert", source, found, [*mapping, Rule("Edem", "Edema")], tmp_path / "out")
    assert "Labels of the mapping that the data set does not have: Edem." in record.notes
