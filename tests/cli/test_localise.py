"""The command that judges maps: what it prints, and bad input."""

import json
from pathlib import Path

import pytest
from demo_home import save_demo_model
from judged import BOXES
from noise_folder import write_noise_folder

from xlite.cli import run
from xlite.report.box_targets import read_targets

pytestmark = pytest.mark.slow


@pytest.fixture
def boxed(tiny_folder: Path) -> Path:
    (tiny_folder / "BBox_List_2017.csv").write_text(BOXES)
    return tiny_folder


@pytest.fixture
def model(own_home: Path) -> Path:
    return save_demo_model(own_home)


def test_the_command_prints_the_metrics(
    boxed: Path, model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    line = ["localise", str(model), "--data", str(boxed), "--part", "all", "--out", str(tmp_path / "out")]
    assert run([*line, "--checks", "1", "--method", "layercam"]) == 0
    text = capsys.readouterr().out
    assert "4 targets  pointing" in text and "rank kept: head" in text and "centre" in text
    assert text.endswith(f"Report: {tmp_path / 'out'}\n")
    assert run([*line, "--checks", "0", "--method", "gradcam", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert list(report["methods"]) == ["gradcam", "random", "centre"]
    assert report["methods"]["gradcam"]["checks"] is None


def test_the_boxes_of_two_folders_are_of_films_of_each(
    boxed: Path, model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = write_noise_folder(tmp_path / "other", patients=3, seed=1)
    (other / "BBox_List_2017.csv").write_text(BOXES)
    out, data = str(tmp_path / "out"), ["--data", str(boxed), "--data", str(other)]
    line = ["localise", str(model), *data, "--part", "all", "--out", out]
    assert run([*line, "--checks", "0", "--method", "layercam", "--json"]) == 0
    assert len(read_targets(Path(out))) == 4 + 3


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        (["--method", "cam"], "'cam' is not one of layercam, gradcam, gradcam++, hirescam, eigencam"),
        (["--boxes", "gone.csv"], "there is no file gone.csv"),
        (["--part", "most"], "'most' is not a part of a split"),
        (["--part", "val"], "none of the 5 boxes is on a film of this part"),
    ],
)
def test_bad_input_is_a_sentence(
    more: list[str], sentence: str, boxed: Path, model: Path, tmp_path: Path, capsys
) -> None:
    place = boxed / "splits" / "own"
    place.mkdir(parents=True)
    for part, number in (("train", 1), ("val", 5), ("test", 6)):
        (place / f"{part}.csv").write_text(f"image\n{number:08d}_000.png\n")
    line = ["localise", str(model), "--data", str(boxed), "--split", "own", "--out", str(tmp_path / "o")]
    assert run([*line, *more]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n"), sentence in err) == ("", 1, True), err
    assert not (tmp_path / "o").exists()


def test_a_folder_without_boxes_is_a_sentence(
    tiny_folder: Path, model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["localise", str(model), "--data", str(tiny_folder), "--out", str(tmp_path / "o")]) == 2
    assert "has no boxes; give a table as BBox_List_2017.csv with --boxes" in capsys.readouterr().err
