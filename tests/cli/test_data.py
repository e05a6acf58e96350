"""`xlite data` and `xlite eda`."""

import json
import os
from pathlib import Path

import cv2
import pytest
from command_line import Command

from xlite.split_names import SPLITS


@pytest.mark.slow
def test_check_says_what_is_wrong_and_exits_1(xlite: Command, tiny_folder: Path) -> None:
    status, out, err = xlite("data", "check", tiny_folder, "--json")
    assert (status, err) == (0, "")
    assert json.loads(out) == {
        "ok": True,
        "missing": [],
        "unreadable": [],
        "duplicates": [],
        "off_table": [],
        "passed_over": {},
    }
    images = tiny_folder / "images"
    (images / "00000001_000.png").unlink()
    (images / "00000002_000.png").write_text("no film")
    (images / "99999999_000.png").write_bytes((images / "00000003_000.png").read_bytes())
    status, out, _ = xlite("data", "check", tiny_folder, "--json")
    report = json.loads(out)
    assert (status, report["ok"], report["missing"]) == (1, False, ["00000001_000"])
    assert report["off_table"] == ["images/99999999_000.png"]
    assert report["duplicates"] == [["images/00000003_000.png", "images/99999999_000.png"]]
    assert [name for name, _ in report["unreadable"]] == ["images/00000002_000.png"]
    status, out, _ = xlite("data", "check", tiny_folder)
    assert status == 1
    assert "1 missing:\n  00000001_000\n" in out


def test_a_part_without_films_is_told(xlite: Command, tiny_folder: Path) -> None:
    table = next(tiny_folder.glob("Data_Entry*"))
    header, *rows = table.read_text().splitlines()
    table.write_text("\n".join([header, *rows[:24]]) + "\n")
    names = [row.split(",")[0] for row in rows]
    for name, listed in (("train", names), ("val", []), ("test", [])):
        (tiny_folder / f"chexnet_{name}_list.txt").write_text("".join(f"{one}\n" for one in listed))
    status, out, err = xlite("data", "split", tiny_folder, "--strategy", "chexnet")
    assert status == 0 and "val           0 films" in out
    assert err.splitlines() == [
        "Warning: the val part has no film, so nothing chooses the best epoch, thresholds or a calibrator",
        "Warning: the test part has no film, so nothing judges a model on films that chose nothing",
    ]


@pytest.mark.slow
def test_split_and_leakage(xlite: Command, tiny_folder: Path) -> None:
    status, out, _ = xlite("data", "split", tiny_folder, "--json")
    split = json.loads(out)
    assert status == 0
    assert split["id"].startswith("patient-42-")
    assert sum(part["images"] for part in split["parts"].values()) == 24
    assert (split["shared_patients"], split["parts"]["train"]) == (0, {"images": 16, "patients": 8})
    parts = [tiny_folder / "splits" / "patient" / f"{part}.csv" for part in ("train", "test")]
    status, out, _ = xlite("data", "leakage", "--train", parts[0], "--test", parts[1], "--json")
    assert status == 0
    assert json.loads(out)["shared_patients"] == 0
    assert xlite("data", "split", tiny_folder, "--strategy", "image")[0] == 2
    assert xlite("data", "split", tiny_folder, "--strategy", "image", "--allow-leakage")[0] == 0


@pytest.mark.slow
def test_films_that_are_missing_are_counted(xlite: Command, tiny_folder: Path, tmp_path: Path) -> None:
    told = "3 of the 24 films in the table"
    report = tmp_path / "report.md"
    for film in sorted((tiny_folder / "images").iterdir())[:3]:
        film.unlink()
    assert told in xlite("data", "split", tiny_folder)[1]
    assert json.loads(xlite("data", "split", tiny_folder, "--json")[1])["missing"] == 3
    assert told in xlite("eda", tiny_folder, "--out", report)[1]


def test_a_film_that_cannot_be_decoded_points_to_the_check(xlite: Command, tiny_folder: Path) -> None:
    film = tiny_folder / "images" / "00000001_000.png"
    film.write_bytes(film.read_bytes()[:200])
    status, _, err = xlite("data", "cache", tiny_folder)
    assert (status, err.count("\n"), film.name in err, "`xlite data check`" in err) == (2, 1, True, True)


def test_cache_makes_what_training_reads(xlite: Command, tiny_folder: Path) -> None:
    status, out, _ = xlite("data", "cache", tiny_folder, "--size", 32)
    assert status == 0
    assert "24 films of 32 px" in out and str(tiny_folder / "cache") in out


def test_the_help_names_every_split(xlite: Command) -> None:
    assert "|".join(SPLITS) in xlite("data", "split", "--help")[1]


@pytest.mark.slow
def test_phantom_draws_a_folder_and_download_logs_on_stdout(
    xlite: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ["--images", 3, "--patients", 2, "--size", 32, "--seed", 1]
    status, out, err = xlite("data", "phantom", tmp_path / "p", *words)
    assert (status, err, len(list((tmp_path / "p" / "images").iterdir()))) == (0, "", 3)
    assert "3 films of 2 patients" in out and str(tmp_path / "p") in out

    def fetch(url: str, path: Path, *rest: object) -> None:
        path.write_text("Image Index,\n" if path.name.endswith(".csv.new") else "00000001_000.png\n")

    monkeypatch.setattr("xlite.data.download.nih.fetch", fetch)
    status, out, err = xlite("data", "download", tmp_path / "d", "--labels-only")
    assert (status, err, out.count(": fetched\n")) == (0, "", 4)
    assert out.endswith(f"ChestX-ray14 labels: {tmp_path / 'd'}\n")


def test_check_shows_names_without_their_effects_and_counts_what_it_passes_over(
    xlite: Command, tiny_folder: Path
) -> None:
    images = tiny_folder / "images"
    film = (images / "00000001_000.png").read_bytes()
    (images / "red\x1b[31m").write_bytes(film)
    (images / "name\udce9.png").write_bytes(b"no film")
    (images / "._00000001_000.png").write_bytes(film)
    (images / "notes.txt").write_text("no film")
    if hasattr(os, "mkfifo"):
        os.mkfifo(images / "pipe.png")
    status, out, err = xlite("data", "check", tiny_folder)
    assert (status, err) == (1, "") and out.replace("\n", "").isprintable()
    assert r"images/00000001_000.png = images/red\x1b[31m" in out
    assert r"images/name\udce9.png: the file is not a PNG" in out
    assert out.splitlines()[-1].startswith("3 passed over (1 hidden, ") == hasattr(os, "mkfifo")
    status, out, _ = xlite("data", "check", tiny_folder, "--json")
    report = json.loads(out)
    assert report["off_table"] == ["images/name\udce9.png", "images/red\x1b[31m"]
    assert report["passed_over"] == {"hidden": 1, "not a film": 1, "not a file": 1}


@pytest.mark.slow
def test_a_pipe_in_place_of_a_table_is_refused_at_once(xlite: Command, tiny_folder: Path) -> None:
    if not hasattr(os, "mkfifo"):
        pytest.skip("this system has no pipes in folders")
    pipe = tiny_folder / "pipe.csv"
    os.mkfifo(pipe)
    table = tiny_folder / "Data_Entry_2017_v2020.csv"
    for words in (
        ["data", "leakage", "--train", pipe, "--test", pipe],
        ["score", pipe, "--table", table, "--out", tiny_folder / "out"],
        ["eda", tiny_folder, "--other-table", pipe, "--out", tiny_folder / "out.md"],
    ):
        status, _, err = xlite(*words)
        assert (status, err.count("\n"), "it is a pipe, a socket or a device" in err) == (2, 1, True)


@pytest.mark.slow
def test_check_lists_films_that_the_gate_would_turn_or_refuse(xlite: Command, tmp_path: Path) -> None:
    data = tmp_path / "data"
    assert xlite("data", "phantom", data, "--images", 3, "--patients", 3, "--size", 256)[0] == 0
    first, second, third = sorted((data / "images").iterdir())
    for path, change in ((first, lambda film: film[::-1, ::-1]), (second, lambda film: 255 - film)):
        cv2.imwrite(str(path), change(cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)))
    status, out, _ = xlite("data", "check", data, "--guards", "--json")
    found = json.loads(out)["suspected"]
    assert status == 0
    assert [(film["file"], film["verdict"], film["reasons"][0]) for film in found] == [
        (f"images/{first.name}", "offer", "rotated_180"),
        (f"images/{second.name}", "offer", "inverted"),
    ]
    status, out, _ = xlite("data", "check", data, "--guards")
    assert status == 0
    assert f"2 suspected:\n  images/{first.name}: The film looks upside down (probability " in out
