"""The EDA report: of a table made by hand, and of the real tables if they are here."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from noise_folder import HEADER_2020
from PIL import Image

from xlite.cli import run
from xlite.data.eda import write_eda
from xlite.data.folder import NihFolder
from xlite.errors import DataError

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[3]


def test_report_of_the_hand_made_table(hand: NihFolder, tmp_path: Path):
    out = tmp_path / "docs" / "EDA.md"
    report = write_eda(hand.root, out)
    text = out.read_text()
    assert "8 films of 5 patients" in text and "4 M and 4 F" in text
    assert f"`xlite eda hand --out {out.name}`" in text and str(tmp_path) not in text
    assert "| Mass | 3 | 37.50% | 2 | 33.33% |" in text
    assert "| Mass | Nodule | 2 | 2.67 |" in text
    assert "| No Finding | 1 (25.00%) | 3 (75.00%) |" in text
    links = re.findall(r"\]\((img/.+?\.png)\)", text)
    assert {out.parent / link for link in links} == set(report.figures) and len(links) == len(report.figures)
    for figure in report.figures:
        with Image.open(figure) as image:
            image.verify()
    assert (report.path, report.missing) == (out, 8)
    found = json.loads(json.dumps(report.as_dict(), allow_nan=False))
    assert found["report"] == str(out) and found["figures"] == [str(figure) for figure in report.figures]
    assert found["films"] == 8 and found["findings"]["Mass"]["films"] == 3
    assert found["parts"]["official"]["test"]["films"] == 4


@pytest.mark.filterwarnings("error")
def test_report_of_a_table_without_any_finding_box_age_or_list(tmp_path: Path):
    rows = [f"{n}_0.png,No Finding,0,{n},,F,PA,64,64,.1,.1" for n in range(4)]
    (tmp_path / "Data_Entry_2017_v2020.csv").write_text("\n".join([HEADER_2020, *rows]) + "\n")
    report = write_eda(tmp_path, tmp_path / "EDA.md")
    text = (tmp_path / "EDA.md").read_text()
    for words in ("No film has a finding", "No film has two", "No age", "same view"):
        assert words in text
    assert "nan" not in text and "None" not in text
    assert "## Boxes" not in text and "### official" not in text
    assert report.survey.imbalance.findings is None and report.survey.overview.facts.age_median is None
    json.dumps(report.as_dict(), allow_nan=False)


def test_text_of_the_table_and_of_names_is_no_markdown(tmp_path: Path):
    root = tmp_path / "name\udce9 `data`"
    root.mkdir()
    view = "![x](http://host/x.png)<b>|\x1b[2J"
    rows = [f"{n}_0.png,Mass,0,{n},40,F,{view},64,64,.1,.1" for n in range(4)]
    (root / "Data_Entry_2017_v2020.csv").write_text("\n".join([HEADER_2020, *rows]) + "\n")
    out = tmp_path / "my name\udce9.md"
    report = write_eda(root, out)
    text = out.read_text(encoding="utf-8")
    shown = r"!\[x\](http://host/x.png)\<b\>\|\\x1b\[2J"
    assert f"by view 4 {shown}; label edition 2020" in text and f"| {shown} |" in text
    assert r"`name\udce9 'data'`" in text and text.replace("\n", "").isprintable()
    assert "](img/my%20name%E9_findings.png)" in text and all(figure.is_file() for figure in report.figures)


def test_report_refuses_bad_places(tmp_path: Path, tiny_folder: Path):
    with pytest.raises(DataError, match="is a folder"):
        write_eda(tiny_folder, tmp_path)
    with pytest.raises(DataError, match="nowhere"):
        write_eda(tmp_path / "nowhere", tmp_path / "EDA.md")
    assert not (tmp_path / "EDA.md").exists()


def test_the_command_writes_beside_the_caller_and_says_what_is_wrong(
    hand: NihFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    pytest.importorskip("sklearn")
    monkeypatch.chdir(tmp_path)
    table = str(hand.root / "Data_Entry_2017_v2020.csv")
    assert run(["eda", str(hand.root), "--other-table", table]) == 0
    text = Path("EDA_REPORT.md").read_text()
    assert (
        "--out EDA_REPORT.md --other-table Data_Entry_2017_v2020.csv`" in text and str(tmp_path) not in text
    )
    assert "8 films\nare in both, 0 only here, 0 only there" in text
    capsys.readouterr()
    assert run(["eda", str(hand.root), "--other-table", "nowhere.csv"]) == 2
    err = capsys.readouterr().err
    assert err.startswith("Error: ") and "nowhere.csv" in err and err.count("\n") == 1


# Every number that is published about the real tables.
PUBLISHED = {
    "No Finding": (60361, 53.84, 50500, 9861),
    "Infiltration": (19894, 17.74, 13782, 6112),
    "Effusion": (13317, 11.88, 8659, 4658),
    "Atelectasis": (11559, 10.31, 8280, 3279),
    "Nodule": (6331, 5.65, 4708, 1623),
    "Mass": (5782, 5.16, 4034, 1748),
    "Pneumothorax": (5302, 4.73, 2637, 2665),
    "Consolidation": (4667, 4.16, 2852, 1815),
    "Pleural_Thickening": (3385, 3.02, 2242, 1143),
    "Cardiomegaly": (2776, 2.48, 1707, 1069),
    "Emphysema": (2516, 2.24, 1423, 1093),
    "Edema": (2303, 2.05, 1378, 925),
    "Fibrosis": (1686, 1.50, 1251, 435),
    "Pneumonia": (1431, 1.28, 876, 555),
    "Hernia": (227, 0.20, 141, 86),
}


@pytest.fixture(scope="module")
def real(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], str]:
    """The report on the real tables as plain values, and its Markdown."""
    out = tmp_path_factory.mktemp("eda") / "EDA_REPORT.md"
    return write_eda(shared_data / "nih_tables", out).as_dict(), out.read_text()


@pytest.mark.release
def test_real_counts(real: tuple[dict[str, Any], str]):
    found, _ = real
    official = found["parts"]["official"]
    counted = {
        name: (
            one["films"],
            round(100 * one["share"], 2),
            official["train+val"][name],
            official["test"][name],
        )
        for name, one in found["findings"].items()
    }
    assert counted == PUBLISHED and list(counted) == list(PUBLISHED)
    assert (official["train+val"]["films"], official["test"]["films"]) == (86524, 25596)
    assert found["findings_per_film"] == [60361, 30963, 14306, 4856, 1247, 301, 67, 16, 1, 2]


def test_real_facts(real: tuple[dict[str, Any], str]):
    found, _ = real
    assert (found["films"], found["patients"], found["most_films"]) == (112120, 30805, 184)
    assert found["sex"] == {"M": 63340, "F": 48780}
    assert found["view"] == {"PA": 67310, "AP": 44810}
    assert found["label_version"] == "2020"
    assert round(100 * found["films_of_patients_with_several"] / found["films"]) == 84
    edema = {view: round(100 * one["Edema"], 1) for view, one in found["prevalence"]["view"].items()}
    assert edema == {"AP": 4.5, "PA": 0.4}


def test_real_claims(real: tuple[dict[str, Any], str]):
    found, _ = real
    assert [claim["verdict"] for claim in found["claims"]] == ["does not hold"] * 6
    computed = [claim["computed"] for claim in found["claims"]]
    assert computed[:4] == [
        "87.6:1 between findings (Infiltration 19,894 : Hernia 227); 265.9:1 with No Finding",
        "53.84% of the films",
        "18.55% of the films; 40.18% of those only that have a finding",
        "Hernia 0.20%, Edema 2.05%",
    ]
    assert computed[4].startswith("from 0.40 (Infiltration) to 35.3 (Hernia)")
    assert computed[5].startswith("by chance 81.5% of the test films have their patient in train")
    drawn = float(re.search(r"seed 42 it is ([\d.]+)%", computed[5])[1])
    assert abs(drawn - 81.5) < 1  # four standard deviations of the draw


def test_real_overlaps_and_boxes(real: tuple[dict[str, Any], str]):
    found, _ = real
    assert found["overlaps"][0] == {
        "test": "official",
        "trained_on": "chexnet",
        "films": 25596,
        "in_train": 17920,
        "in_train_or_val": 20383,
        "clean": 5213,
    }
    seen = {name: round(leak["test_seen"], 3) for name, leak in found["leakage"].items()}
    assert seen == {"official": 0, "chexnet": 0, "patient, seed 42": 0, "image, seed 42": 0.815}
    assert sum(one["boxes"] for one in found["boxes"].values()) == 984
    assert round(100 * found["boxes"]["Nodule"]["area"], 2) == 0.46


def test_the_report_in_docs_is_what_the_code_gives(real: tuple[dict[str, Any], str]):
    found, fresh = real
    kept = (ROOT / "docs" / "EDA_REPORT.md").read_text()
    dated = re.compile(r" on \d{4}-\d\d-\d\d from")
    assert dated.sub(" from", kept) == dated.sub(" from", fresh)
    names = {Path(path).name for path in found["figures"]}
    assert names == {path.name for path in (ROOT / "docs" / "img").glob("eda_report_*.png")}
