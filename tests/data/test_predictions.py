"""predictions.csv: read back exactly as written, and each fault of a file said in one sentence."""

import gzip
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xlite.data.predictions import (
    distinct_names,
    read_averaged,
    read_predictions,
    spoken_name,
    write_predictions,
)
from xlite.errors import DataError
from xlite.findings import FINDINGS

HEADER = (
    "image,Atelectasis,Cardiomegaly,Effusion,Infiltration,Mass,Nodule,Pneumonia,Pneumothorax,Consolidation,"
    "Edema,Emphysema,Fibrosis,Pleural_Thickening,Hernia"
)


def row(name: str, *values: object) -> str:
    """A line of the file; the values that are not given are 0.5."""
    return ",".join([name, *map(str, values), *["0.5"] * (14 - len(values))])


def write(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(lines) + "\n")
    return path


def test_the_file_is_the_contracts(tmp_path: Path) -> None:
    probs = np.full((2, 14), 0.5, np.float32)
    probs[0, :3], probs[1, 13] = (0, 1, 1e-10), 0.1
    write_predictions(tmp_path / "p.csv", ["b.png", 'a,"1".png'], probs)
    half = ",".join(["0.500000000"] * 11)
    assert (tmp_path / "p.csv").read_text() == (
        f"{HEADER}\n"
        f"b.png,0.00000000,1.00000000,1.00000001e-10,{half}\n"
        f'"a,""1"".png",{half},0.500000000,0.500000000,0.100000001\n'
    )
    found = read_predictions(tmp_path / "p.csv")
    assert (found.stems, found.names) == (["b", 'a,"1"'], ["b.png", 'a,"1".png'])
    np.testing.assert_array_equal(found.probs.astype(np.float32), probs)


@settings(deadline=None, max_examples=30)
@given(st.lists(st.floats(0, 1, width=32), min_size=14, max_size=14))
def test_float32_survives_the_file(tmp_path_factory: pytest.TempPathFactory, values: list[float]) -> None:
    path = tmp_path_factory.mktemp("p") / "p.csv"
    write_predictions(path, ["a.png"], np.array([values], np.float32))
    np.testing.assert_array_equal(read_predictions(path).probs.astype(np.float32)[0], np.float32(values))


def test_columns_are_found_by_name_whatever_their_order_prefix_and_alias(tmp_path: Path) -> None:
    titles = [f"prob_{name}" for name in reversed(FINDINGS)]
    titles[titles.index("prob_Infiltration")] = "prob_Infiltrate"
    titles[titles.index("prob_Pleural_Thickening")] = " Pleural Thickening"
    lines = [
        "\ufeff" + ",".join([*titles, "No Finding", "Image Index"]),
        ",".join([*(f"0.{13 - i:02d}" for i in range(14)), "x", "images/00000001_000.png"]),
    ]
    path = tmp_path / "p.csv.gz"
    path.write_bytes(gzip.compress("\r\n".join(lines).encode()))
    found = read_predictions(path)
    assert (found.stems, found.names) == (["00000001_000"], ["images/00000001_000.png"])
    np.testing.assert_allclose(found.probs, [np.arange(14) / 100])


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        ([""], "is empty"),
        ([HEADER], "holds no predictions"),
        ([HEADER.removeprefix("image,"), row("")], "'image'.*'Image Index'"),
        (
            ["image,Mass", "a.png,0.5"],
            "lacks 13 of the 14 findings: Atelectasis, Cardiomegaly, .*, Hernia",
        ),
        (
            [HEADER.replace("Mass", "Masss"), row("a.png")],
            "lacks 1 of the 14 findings: Mass;",
        ),
        ([HEADER + ",prob_Mass", row("a.png") + ",0.5"], "two columns for Mass"),
        (
            [HEADER + ",Image Index", row("a.png") + ",b.png"],
            "two columns for the film's name, 'image' and 'Image Index'",
        ),
        ([HEADER, row("a.png"), row(" ")], "row 2 names no film"),
        ([HEADER, row("a.png"), "b.png,0.5"], "row 2 has 2 values; expected 15"),
        (
            [HEADER, row("a.png"), row("b.png"), row("x/a.jpg")],
            "1 film more than once, a first",
        ),
        ([HEADER, row("a.png"), row("b.png", 0.5, "high")], "row 2: 'high' for Cardiomegaly is not a number"),
        ([HEADER, row("a.png", 0.5, "0_1")], "row 1: '0_1' for Cardiomegaly is not a number"),
        ([HEADER, row("a.png"), row("b.png", "０.５")], "row 2: '０.５' for Atelectasis is not a number"),
        ([HEADER, row("a.png", "٠")], "row 1: '٠' for Atelectasis is not a number"),
        ([HEADER, row("a.png", "\u00a00.5")], "for Atelectasis is not a number"),
        ([HEADER, row("a.png", "")], "row 1: '' for Atelectasis is not a number"),
        (
            [HEADER, row("a.png"), row("b.png", 0.5, "nan", "NaN")],
            "2 values are NaN, first nan for Cardiomegaly of b.png",
        ),
        (
            [HEADER, row("a.png", -2.5), row("b.png", 1.5), row("c.png", "inf")],
            "3 values are outside 0-1, first -2.5 for Atelectasis of a.png",
        ),
    ],
)
def test_bad_files_are_one_sentence(tmp_path: Path, lines: list[str], sentence: str) -> None:
    path = write(tmp_path / "p.csv", *lines)
    with pytest.raises(DataError, match=sentence) as caught:
        read_predictions(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_files_that_are_no_text_are_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="there is no predictions file"):
        read_predictions(tmp_path / "none.csv")
    for name, content in (
        ("a.csv", b"\x89PNG\xff\x00"),
        ("b.csv.gz", b"image"),
        ("c.csv.gz", gzip.compress(b"x" * 99)[:-9]),
    ):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(DataError, match="cannot be read"):
            read_predictions(tmp_path / name)
    with pytest.raises(DataError, match="cannot be read"):
        read_predictions(tmp_path)


def test_windows_paths_names_without_suffix_and_old_line_ends(tmp_path: Path) -> None:
    names = [r"D:\cxr\images\00000001_000.PNG", "1.2.840.77.1000", "1.2.840.77.1001", "scans/a.dcm"]
    path = tmp_path / "p.csv"
    path.write_bytes(
        "\r".join([HEADER.replace(",", ";"), *(row(n).replace(",", ";") for n in names)]).encode()
    )
    found = read_predictions(path)
    assert found.stems == ["00000001_000", "1.2.840.77.1000", "1.2.840.77.1001", "a"]
    assert found.names == names and (found.probs == 0.5).all()


def test_a_web_page_saved_as_predictions_is_one_sentence(tmp_path: Path) -> None:
    path = write(tmp_path / "p.csv", "<!DOCTYPE html>", "<html><body>Not found</body></html>")
    with pytest.raises(DataError, match="has no column 'image'.*<!DOCTYPE html>"):
        read_predictions(path)


def test_several_files_joined_by_commas_are_averaged_film_by_film(tmp_path: Path) -> None:
    a = write(tmp_path / "a.csv", HEADER, row("1.png", 0.2), row("2.png", 0.9))
    b = write(tmp_path / "b.csv", HEADER, row("2.jpg", 0.3), row("1.jpg", 0.4))
    c = write(tmp_path / "c,d.csv", HEADER, row("1.png", 0.6), row("2.png", 0.6))
    found = read_averaged(f"{a}, {b}")
    assert found.names == ["1.png", "2.png"]
    np.testing.assert_allclose(found.probs[:, 0], [0.3, 0.6])
    assert (found.probs[:, 1:] == 0.5).all()
    np.testing.assert_array_equal(read_averaged(c).probs, read_predictions(c).probs)
    write(tmp_path / "c.csv", HEADER, row("1.png"), row("3.png"))
    with pytest.raises(DataError, match="c.csv and .*a.csv are averaged but differ in 2 films, 2 first"):
        read_averaged(f"{a},{tmp_path / 'c.csv'}")


def test_names_are_text_to_a_spreadsheet_and_read_back_as_they_were(tmp_path: Path) -> None:
    names = [
        "=cmd|' /C calc'!A0.png",
        "+1",
        "-1.png",
        "@x",
        "'=x",
        "a;=b.png",
        "\tx",
        "x\ny",
        "\x1b[2J",
        "name\udce9",
    ]
    names += ["'t Veld.png", " blank ", "x\u202egnp.exe", 'a"b,c', "C:\\new\\x41.png"]
    write_predictions(tmp_path / "p.csv", names, np.full((len(names), 14), 0.5))
    text = (tmp_path / "p.csv").read_text(encoding="utf-8")
    assert text.replace("\n", "").isprintable() and text.count("\n") == 1 + len(names)
    assert not any(line.startswith(("=", "+", "-", "@")) for line in text.splitlines())
    assert "\n'+1,0.5" in text and '\n"a;=b.png",0.5' in text and "\n't Veld.png,0.5" in text
    assert read_predictions(tmp_path / "p.csv").names == names


def test_a_file_is_called_by_what_a_report_can_say(tmp_path: Path) -> None:
    assert spoken_name(tmp_path / "a\x1b\udcff.csv") == r"a\x1b\udcff.csv"
    assert distinct_names(["a\udcff/p.csv", "b/p.csv"]) == [r"a\udcff/p.csv", "b/p.csv"]
