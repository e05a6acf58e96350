"""`xlite data import`."""

import json
from pathlib import Path

import pytest
from command_line import TINY, Command, Terminal
from foreign_sets import write_chexpert, write_own, write_vindr


def test_it_ends_with_what_was_made_of_what(xlite: Command, tmp_path: Path) -> None:
    out = tmp_path / "chexpert"
    status, said, err = xlite("data", "import", "chexpert", write_chexpert(tmp_path), out)
    assert (status, err) == (0, "")
    lines = said.splitlines()
    assert lines[0].split() == ["label", "finding", "present", "absent", "uncertain", "blank"]
    assert "Pleural Effusion  Effusion                   14        0         0       14" in lines
    assert "Support Devices   unmapped                    2        0         0       26" in lines
    assert "Effusion                   14 present        14 absent         0 unknown" in lines
    assert lines[-6:] == [
        "28 films of 14 patients: 28 AP",
        "Not labelled here: Infiltration, Mass, Nodule, Emphysema, Fibrosis, Pleural thickening, Hernia",
        "Left out: lateral films (14)",
        "Lists of the data set: official",
        "The data set has no test part here: its validation part is the test list.",
        f"Data folder: {out}",
    ]


def test_columns_are_shown_and_asked_for(
    xlite: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, out = write_own(tmp_path / "source"), tmp_path / "own"
    table = source / "films.csv"
    header, *rows = table.read_text().splitlines()
    table.write_text("\n".join([f"{header},Remarks", *(f"{row},tube" for row in rows)]))
    status, said, err = xlite("data", "import", "csv", source, out)
    assert status == 2 and "label     'pleural effusion' -> Effusion\n" in said
    assert said.endswith("not used  'Remarks'\n")
    assert err == (
        "Error: the columns are guessed, and nobody can be asked here: look at them, then add --yes\n"
    )
    for answer in ("n\n", "\n"):
        monkeypatch.setattr("sys.stdin", Terminal(answer))
        status, said, err = xlite("data", "import", "csv", source, out)
        assert (status, err) == (1, "") and not out.exists()
        assert said.endswith("Nothing was imported: correct the columns with --image, --label, ...\n")
    monkeypatch.setattr("sys.stdin", Terminal("y\n"))
    status, said, _ = xlite("data", "import", "csv", source, out)
    assert status == 0 and "Import like this? [y/N]: " in said
    assert (out / "import.json").exists()


@pytest.mark.slow
def test_labels_columns_policy_and_mapping_by_options(xlite: Command, tmp_path: Path) -> None:
    source = write_own(tmp_path / "source")
    words = ["data", "import", "csv", source, tmp_path / "own", "--yes", "--json", "--name", "ward-3"]
    words += ["--label", "Mass=rib fracture", "--age", "age", "--blank", "zeros", "--uncertain", "Edema=ones"]
    status, said, err = xlite(*words)
    assert (status, err) == (0, "")
    record = json.loads(said)
    assert record["findings"]["Mass"] == {"present": 1, "absent": 23, "unknown": 0}
    assert record["findings"]["Edema"] == {"present": 5, "absent": 19, "unknown": 0}
    assert (record["name"], record["uncertain"], record["blank"]) == (
        "ward-3",
        {"default": "ignore", "Edema": "ones"},
        "zeros",
    )
    mapping = tmp_path / "own" / "mapping.csv"
    mapping.write_text(mapping.read_text().replace("rib fracture,Mass", "rib fracture,Nodule"))
    again = ["data", "import", "csv", source, tmp_path / "again", "--yes", "--json", "--mapping", mapping]
    assert json.loads(xlite(*again)[1])["findings"]["Nodule"]["present"] == 1


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["brax", "."], "'brax' is not a kind of data set; expected one of chexpert"),
        (
            ["chexpert", ".", "--image", "a"],
            "--image is for tables of your own (csv); of chexpert the columns",
        ),
        (["chexpert", ".", "--label", "a=b"], "--label is for tables of your own"),
        (["chexpert", ".", "--uncertain", "maybe"], "--uncertain 'maybe' is not understood"),
        (["chexpert", ".", "--name", "a/b"], "'a/b' cannot be a data set's name"),
        (["csv", "gone.csv"], "there is no table gone.csv"),
    ],
)
def test_bad_input(words: list[str], sentence: str, xlite: Command, tmp_path: Path) -> None:
    kind, source, *options = words
    status, said, err = xlite("data", "import", kind, source, tmp_path / "out", *options)
    assert (status, said) == (2, "")
    assert err.startswith(f"Error: {sentence}")


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["chexpert", "vindr"])
def test_an_imported_folder_is_trained_on_and_judged(kind: str, xlite: Command, tmp_path: Path) -> None:
    source = {"chexpert": write_chexpert, "vindr": write_vindr}[kind](tmp_path / "source")
    out = tmp_path / "data" / kind
    assert xlite("data", "import", kind, source, out)[0] == 0
    assert xlite("data", "check", out)[0] == 0
    assert xlite("data", "split", out)[0] == 0
    status, _, err = xlite("train", "--data", out, "--name", "imported", "--epochs", 1, *TINY.split())
    assert status == 0, err
    words = [
        "evaluate",
        "imported",
        "--data",
        out,
        "--split",
        "patient",
        "--part",
        "test",
        "--out",
        tmp_path / "report",
    ]
    status, _, err = xlite(*words)
    assert status == 0, err
    report = json.loads((tmp_path / "report" / "metrics.json").read_text())
    assert report["split"]["label_version"] == "unknown"
    assert report["split"]["images"] >= 2
