"""The figures about a data folder: exact on a table made by hand, and on the real tables where they are."""

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from xlite.data.eda.sections_training import difference

from xlite.cli import run
from xlite.data.eda import summary, write_eda
from xlite.data.eda.batch_composition import draw_batches, measure_batches
from xlite.data.eda.claims import check_claims, class_weights, expected_exposure
from xlite.data.eda.editions import compare_editions, other_edition
from xlite.data.eda.partitions import (
    Partition,
    balance,
    drawn,
    exposed,
    leakage,
    locate,
    overlaps,
    partitions,
    widest_shift,
)
from xlite.data.eda.survey import as_dict, survey
from xlite.data.folder import NihFolder
from xlite.data.imbalance import balanced_sample_weights
from xlite.data.splits import make_split, write_split
from xlite.errors import DataError
from xlite.findings import FINDINGS, NO_FINDING
from xlite.training.sampler import EpochSampler

ROOT = Path(__file__).resolve().parents[2]
HEADER = (
    "Image Index,Finding Labels,Follow-up #,Patient ID,Patient Age,Patient Gender,View Position,"
    "OriginalImage[Width,Height],OriginalImagePixelSpacing[x,y]"
)
# image, findings, follow-up, patient, age, sex, view
FILMS = [
    ("1_0.png", "Mass|Nodule", 0, 1, 17, "M", "PA"),
    ("1_1.png", "Mass", 1, 1, 18, "M", "AP"),
    ("1_2.png", "No Finding", 2, 1, 19, "M", "AP"),
    ("2_0.png", "Edema", 0, 2, 60, "F", "AP"),
    ("3_0.png", "No Finding", 0, 3, 61, "F", "PA"),
    ("3_1.png", "Mass|Edema|Nodule", 1, 3, 412, "F", "AP"),
    ("4_0.png", "No Finding", 0, 4, 44, "M", "PA"),
    ("5_0.png", "No Finding", 0, 5, 45, "F", "PA"),
]


@pytest.fixture
def hand(tmp_path: Path) -> NihFolder:
    """Eight films of five patients, three boxes, official lists; no images."""
    root = tmp_path / "hand"
    root.mkdir()
    rows = [",".join(map(str, film)) + ",64,64,0.1,0.1" for film in FILMS]
    (root / "Data_Entry_2017_v2020.csv").write_text("\n".join([HEADER, *rows]) + "\n")
    (root / "BBox_List_2017.csv").write_text(
        "Image Index,Finding Label,Bbox [x,y,w,h],,,\n"
        "1_0.png,Mass,10,10,128,64,,,\n1_1.png,Mass,0,0,256,64,,,\n2_0.png,Infiltrate,0,0,1024,512,,,\n"
    )
    (root / "train_val_list.txt").write_text("1_0.png\n1_1.png\n1_2.png\n2_0.png\n9_9.png\n")
    (root / "test_list.txt").write_text("3_0.png\n3_1.png\n4_0.png\n5_0.png\n")
    return NihFolder.open(root)


def row(**films: int) -> list[int]:
    """The 15 class counts in order, 0 where not given."""
    return [films.get(name, 0) for name in summary.CLASSES]


def test_counts_of_the_hand_made_table(hand: NihFolder):
    counts = summary.finding_counts(hand.table)
    assert list(counts.index[:4]) == [NO_FINDING, "Mass", "Nodule", "Edema"]
    assert counts["films"].head(4).tolist() == [4, 3, 2, 2]
    assert counts["share"].head(4).tolist() == [0.5, 0.375, 0.25, 0.25]
    assert counts["patients"].head(4).tolist() == [4, 2, 2, 2]
    assert counts["alone"].iloc[1:4].tolist() == [1 / 3, 0.0, 0.5]
    assert counts["films"].iloc[4:].tolist() == [0] * 11
    assert summary.imbalance(counts) == {
        "common": "Mass",
        "rare": "Nodule",
        "findings": 1.5,
        "with_no_finding": 2.0,
        "absent": [name for name in FINDINGS if name not in ("Mass", "Nodule", "Edema")],
    }


def test_tallies_of_the_hand_made_table(hand: NihFolder):
    assert summary.findings_per_film(hand.table).to_dict() == {0: 4, 1: 2, 2: 1, 3: 1}
    assert summary.findings_per_patient(hand.table).to_dict() == {0: 2, 1: 1, 2: 1, 3: 1}
    assert summary.films_per_patient(hand.table).to_dict() == {1: 3, 2: 1, 3: 1}


def test_facts_of_the_hand_made_table(hand: NihFolder):
    assert summary.describe_table(hand.table) == {
        "films": 8,
        "patients": 5,
        "sex": {"M": 4, "F": 4},
        "view": {"PA": 4, "AP": 4},
        "age_missing": 1,
        "age_median": 44.0,
        "age_min": 17.0,
        "age_max": 61.0,
        "patients_with_several": 2,
        "films_of_patients_with_several": 5,
        "most_films": 3,
        "follow_ups": 3,
        "several_findings": 2,
        "with_finding": 4,
    }


def test_findings_together(hand: NihFolder):
    together = summary.cooccurrence(hand.table)
    named = together.loc[["Mass", "Nodule", "Edema"], ["Mass", "Nodule", "Edema"]]
    assert named.to_numpy().tolist() == [[3, 2, 1], [2, 2, 1], [1, 1, 2]]
    assert together.to_numpy().sum() == named.to_numpy().sum()
    lifts = summary.lift(together, len(hand.table))
    assert lifts.loc["Mass", "Nodule"] == 2 * 8 / (3 * 2)
    assert lifts.loc["Mass", "Edema"] == 1 * 8 / (3 * 2)
    assert np.isnan(lifts.loc["Mass", "Mass"]) and np.isnan(lifts.loc["Mass", "Hernia"])
    pairs = summary.pairs(hand.table)
    assert pairs[["first", "second", "films"]].to_numpy().tolist() == [
        ["Mass", "Nodule", 2],
        ["Mass", "Edema", 1],
        ["Nodule", "Edema", 1],
    ]


def test_age_bands_have_their_ends_where_they_say(hand: NihFolder):
    ages = pd.Series([0.0, 17.9, 18.0, 60.0, 60.5, np.nan])
    bands = ["under 18", "under 18", "18 to 60", "18 to 60", "over 60", "unknown"]
    assert summary.age_band(ages).tolist() == bands
    histogram = summary.age_histogram(hand.table)
    assert histogram.index.tolist() == list(range(0, 65, 5))
    assert histogram.loc[[15, 40, 45, 60], ["F", "M"]].to_numpy().tolist() == [[0, 3], [0, 1], [1, 0], [2, 0]]
    assert histogram.to_numpy().sum() == 7


def test_prevalence_by_view(hand: NihFolder):
    by_view = summary.prevalence_by(hand.table, hand.table["view"])
    assert by_view["films"].to_dict() == {"AP": 4, "PA": 4}
    assert by_view["Mass"].to_dict() == {"AP": 0.5, "PA": 0.25}
    assert by_view[NO_FINDING].to_dict() == {"AP": 0.25, "PA": 0.75}
    assert by_view["Hernia"].to_dict() == {"AP": 0.0, "PA": 0.0}


def test_box_sizes(hand: NihFolder):
    sizes = summary.box_sizes(hand.boxes())
    assert sizes.index.tolist() == ["Infiltration", "Mass"]
    assert sizes.loc["Mass"].tolist() == [2, 2, 192, 64, 192 * 64 / 1024**2]
    assert sizes.loc["Infiltration"].tolist() == [1, 1, 1024, 512, 0.5]


def test_balance_leaves_out_films_that_the_table_lacks(hand: NihFolder):
    (official,) = partitions(hand)
    assert official.name == "official"
    balanced = balance(hand.table, locate(hand.table, [official])["official"])
    no_finding = NO_FINDING
    assert balanced.loc["train+val"].tolist() == [4, 2, *row(**{no_finding: 1}, Mass=2, Nodule=1, Edema=1)]
    assert balanced.loc["test"].tolist() == [4, 3, *row(**{no_finding: 3}, Mass=1, Nodule=1, Edema=1)]


def test_written_splits_are_found_after_the_lists(hand: NihFolder):
    write_split(hand, make_split(hand, "official"))
    assert [one.name for one in partitions(hand)] == ["official", "splits/official"]


def test_exposed_counts_films_whose_patient_was_seen():
    assert exposed(np.array([1, 3]), np.array([1, 1, 3, 4])) == 0.75
    assert exposed(np.array([1]), np.array([], dtype=int)) == 0.0


def test_leakage_of_parts_that_share_patients(hand: NihFolder):
    parts = {"train": ["1_0", "3_1", "unknown"], "val": ["1_1", "2_0"], "test": ["1_2", "3_0", "4_0", "2_0"]}
    shared = locate(hand.table, [Partition("own", parts)])["own"]
    assert leakage(hand.table, shared) == {
        "shared_patients": 3,  # 1, 2 and 3
        "val_seen": 0.5,
        "test_seen": 0.5,
        "test_seen_or_val": 0.75,
    }
    official = locate(hand.table, partitions(hand))["official"]
    assert leakage(hand.table, official) == {
        "shared_patients": 0,
        "val_seen": None,
        "test_seen": 0.0,
        "test_seen_or_val": 0.0,
    }


def test_the_widest_shift_is_a_ratio(hand: NihFolder):
    parts = balance(hand.table, locate(hand.table, partitions(hand))["official"])
    assert widest_shift(parts) == ("Mass", 0.5, 0.25)
    assert widest_shift(parts.assign(**dict.fromkeys(FINDINGS, 0))) is None


def test_splits_that_are_drawn(tiny_folder: Path, hand: NihFolder):
    folder = NihFolder.open(tiny_folder)
    for strategy in ("patient", "image"):
        made = make_split(folder, strategy, 42, allow_leakage=True)
        one = drawn(folder, strategy, 42)
        assert (one.name, one.parts) == (
            f"{strategy}, seed 42",
            {part: made.stems(part) for part in ("train", "val", "test")},
        )
    assert drawn(hand, "image", 42) is None


def test_from_film_to_film(hand: NihFolder):
    """Patient 1: Mass|Nodule, Mass, nothing; patient 3: nothing, then three. Row order is no matter."""
    changes = summary.follow_ups(hand.table.sample(frac=1, random_state=0))
    named = changes.loc[[NO_FINDING, "Mass", "Nodule", "Edema"]]
    assert named["had"].tolist() == [1, 2, 1, 0]
    assert named["lacked"].tolist() == [2, 1, 2, 3]
    assert named["stays"].tolist()[:3] == [0, 0.5, 0] and np.isnan(named["stays"].iloc[3])
    assert named["appears"].tolist() == [0.5, 1, 0.5, 1 / 3]


def test_batches_are_those_of_training(tiny_folder: Path):
    labels = NihFolder.open(tiny_folder).table[list(FINDINGS)].to_numpy()
    for weights in (None, balanced_sample_weights(labels)):
        sampler, expected = EpochSampler(24, 5, seed=3, weights=weights), []
        for epoch in (1, 2, 3):
            sampler.set_epoch(epoch)
            expected += sampler.batches()[:, 0].tolist()
        assert draw_batches(24, 5, 10, 3, weights).tolist() == expected[:10]


def test_measured_batches_are_what_a_slow_count_gives():
    labels = np.zeros((40, 14), dtype=np.uint8)
    labels[:20, 0] = labels[15:24, 1] = labels[3, 13] = 1
    measured = measure_batches(labels, size=8, seed=0, drawn=30)
    weights = balanced_sample_weights(labels)
    for column, chances in (("in_batch", None), ("balanced", weights)):
        counts = {name: [] for name in (NO_FINDING, *FINDINGS)}
        for batch in draw_batches(40, 8, 30, 0, chances).tolist():
            for number, name in enumerate(FINDINGS):
                counts[name].append(sum(int(labels[row][number]) for row in batch))
            counts[NO_FINDING].append(sum(not any(labels[row]) for row in batch))
        without = "without" if chances is None else "balanced_without"
        for name, films in counts.items():
            row = measured.classes.loc[name]
            assert row[column] == pytest.approx(sum(films) / 30)
            assert row[without] == pytest.approx(sum(n == 0 for n in films) / 30)
    rare = measured.classes.loc["Hernia"]
    assert rare["expected"] == 8 / 40 and rare["weight"] == pytest.approx(40 / 14)
    assert rare["repeats"] == pytest.approx(weights[3]) and rare["balanced_expected"] == pytest.approx(
        8 * weights[3] / 40
    )
    common = measured.classes.loc["Atelectasis"]
    assert (common["weight"], common["pos_weight"]) == (pytest.approx(40 / 280), 1)
    assert common["pull"] == common["weighted_pull"] == pytest.approx(common["in_batch"] / 8)
    share = rare["in_batch"] / 8
    assert rare["weighted_pull"] == pytest.approx(share * 40 / 14 / (share * 40 / 14 + 1 - share))
    assert measured.classes.loc["Mass"].isna().to_dict()["weight"]
    epoch = EpochSampler(40, 40, seed=0, weights=weights)
    epoch.set_epoch(1)
    films = epoch.batches().ravel().tolist()
    assert measured.seen == len(set(films)) / 40
    assert measured.most == max(films.count(film) for film in films)


def test_editions_are_compared_film_by_film(hand: NihFolder):
    text = (hand.root / "Data_Entry_2017_v2020.csv").read_text()
    text = text.replace("OriginalImagePixelSpacing[x,y]", "OriginalImagePixelSpacing[x,y],")
    text = text.replace("1_0.png,Mass|Nodule,0,1,17,", "1_0.png,Nodule|Hernia,0,1,18,")
    other = hand.root / "Data_Entry_2017.csv"
    other.write_text("\n".join(text.splitlines()[:-1]) + "\n10_0.png,Mass,0,10,50,M,PA,64,64,0.1,0.1\n")
    assert other_edition(hand.root) == other
    found = compare_editions(hand.table, other)
    assert (found.films, found.here, found.there, found.label_sets) == (7, 1, 1, 1)
    assert found.findings.loc["Mass"].tolist() == [3, 2, 1, 0]
    assert found.findings.loc["Hernia"].tolist() == [0, 1, 0, 1]
    assert found.findings.loc["Nodule"].tolist() == [2, 2, 0, 0]
    assert found.details == {"patient": 0, "follow_up": 0, "age": 1, "sex": 0, "view": 0}
    figures = survey(hand)
    assert "table (2020) beside `Data_Entry_2017.csv` (2017): 7 films\nare in both" in difference(figures)
    assert as_dict(figures)["difference"]["findings"]["Mass"]["only_here"] == 1
    json.dumps(as_dict(figures), allow_nan=False)
    other.write_text(HEADER + "\n10_0.png,Mass,0,10,50,M,PA,64,64,0.1,0.1\n")
    with pytest.raises(DataError, match="no film in common"):
        compare_editions(hand.table, other)


def test_overlaps_of_two_lists():
    one = Partition("one", {"train": ["a", "b"], "val": ["c"], "test": ["d", "e"]})
    other = Partition("other", {"train+val": ["a", "d"], "test": ["b", "c", "e"]})
    assert overlaps([one, other]).to_numpy().tolist() == [
        ["one", "other", 2, 1, 1, 1],
        ["other", "one", 3, 1, 2, 1],
    ]


def test_expected_exposure_is_what_chance_gives(hand: NihFolder):
    # three films of one patient escape with .3 ** 2 each, two of another with .3, three single ones always
    assert expected_exposure(hand.table) == pytest.approx(1 - (3 * 0.09 + 2 * 0.3 + 3) / 8)


def test_claims_about_the_hand_made_table(hand: NihFolder):
    claims = check_claims(hand.table, None)
    assert [claim.verdict for claim in claims] == ["does not hold"] * 5 + ["cannot be said"]
    assert claims[0].computed == "1.5:1 between findings (Mass 3 : Nodule 2); 2.0:1 with No Finding"
    assert claims[2].computed == "25.00% of the films; 50.00% of those only that have a finding"
    assert class_weights(summary.finding_counts(hand.table), 8).round(4).to_dict() == {
        "Mass": round(8 / 42, 4),
        "Nodule": round(8 / 28, 4),
        "Edema": round(8 / 28, 4),
    }


def test_a_claim_holds_where_the_table_agrees(tmp_path: Path):
    """12 of 20 films without finding, 8 with two: the second and third claims hold, no patient is shared."""
    rows = [
        f"{n}_0.png,{'Mass|Nodule' if n < 8 else 'No Finding'},0,{n},50,F,PA,64,64,.1,.1" for n in range(20)
    ]
    (tmp_path / "Data_Entry_2017_v2020.csv").write_text("\n".join([HEADER, *rows]) + "\n")
    claims = check_claims(NihFolder.open(tmp_path).table, 0.0)
    assert [claim.verdict for claim in claims] == [
        "does not hold",
        "holds",
        "holds",
        "holds",
        "does not hold",
        "holds",
    ]


def test_report_of_the_hand_made_table(hand: NihFolder, tmp_path: Path):
    out = tmp_path / "docs" / "EDA.md"
    figures = write_eda(hand.root, out)
    text = out.read_text()
    assert text.startswith("# What is in the data\n\n8 films of 5 patients; by sex 4 M and 4 F;")
    assert f"`xlite eda hand --out {out.name}`" in text and str(tmp_path) not in text
    assert "| Mass | 3 | 37.50% | 2 | 33.33% |" in text
    assert "| Mass | Nodule | 2 | 2.67 |" in text
    assert "| No Finding | 1 (25.00%) | 3 (75.00%) |" in text
    links = re.findall(r"\]\((img/.+?\.png)\)", text)
    assert [str(out.parent / link) for link in links] == sorted(figures["figures"], key=text_order(text))
    for link in links:
        with Image.open(out.parent / link) as image:
            image.verify()
    assert figures["films"] == 8 and figures["findings"]["Mass"]["films"] == 3
    assert json.loads(json.dumps(figures, allow_nan=False))["parts"]["official"]["test"]["films"] == 4


def text_order(text: str):
    """Sorts paths by where the report links them."""
    return lambda path: text.index(Path(path).name)


@pytest.mark.filterwarnings("error")
def test_report_of_a_table_without_any_finding_box_age_or_list(tmp_path: Path):
    rows = [f"{n}_0.png,No Finding,0,{n},,F,PA,64,64,.1,.1" for n in range(4)]
    (tmp_path / "Data_Entry_2017_v2020.csv").write_text("\n".join([HEADER, *rows]) + "\n")
    figures = write_eda(tmp_path, tmp_path / "EDA.md")
    text = (tmp_path / "EDA.md").read_text()
    for sentence in ("No film has a finding.", "No film has two findings.", "No age is given."):
        assert sentence in text
    assert "All films have the same view." in text
    assert "## Boxes" not in text and "### official" not in text
    assert figures["imbalance"]["findings"] is None and figures["age_median"] is None
    json.dumps(figures, allow_nan=False)


def test_report_refuses_bad_places(tmp_path: Path, tiny_folder: Path):
    with pytest.raises(DataError, match="is a folder; give the Markdown file"):
        write_eda(tiny_folder, tmp_path)
    with pytest.raises(DataError, match="nowhere"):
        write_eda(tmp_path / "nowhere", tmp_path / "EDA.md")
    assert not (tmp_path / "EDA.md").exists()


def test_the_command_writes_beside_the_caller_and_says_what_is_wrong(
    hand: NihFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.chdir(tmp_path)
    table = str(hand.root / "Data_Entry_2017_v2020.csv")
    assert run(["eda", str(hand.root), "--other-table", table]) == 0
    text = Path("EDA_REPORT.md").read_text()
    assert (
        "--out EDA_REPORT.md --other-table Data_Entry_2017_v2020.csv`" in text and str(tmp_path) not in text
    )
    assert "8 films\nare in both, 0 only here, 0 only there. The findings of 0 films\ndiffer." in text
    capsys.readouterr()
    assert run(["eda", str(hand.root), "--other-table", "nowhere.csv"]) == 2
    assert capsys.readouterr().err == "Error: there is no file nowhere.csv\n"


@settings(max_examples=40)
@given(st.lists(st.lists(st.booleans(), min_size=14, max_size=14), min_size=1, max_size=12))
def test_pairs_films_and_tallies_agree_for_any_labels(labels: list[list[bool]]):
    table = pd.DataFrame(np.array(labels, dtype=np.uint8), columns=list(FINDINGS))
    table.insert(0, "patient", range(len(table)))
    number = np.array(labels).sum(axis=1)
    together = summary.cooccurrence(table)
    assert summary.findings_per_film(table).to_dict() == {
        n: int((number == n).sum()) for n in range(number.max() + 1)
    }
    assert np.diag(together).tolist() == np.array(labels).sum(axis=0).tolist()
    assert summary.pairs(table)["films"].sum() == (number * (number - 1) // 2).sum()
    lifts = summary.lift(together, len(table)).to_numpy()
    assert np.array_equal(lifts, lifts.T, equal_nan=True)


# The real tables: every figure that is published about them.

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
def real(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> tuple[dict, str]:
    """What write_eda gives for the real tables, and its Markdown."""
    import os

    shared = Path(os.environ.get("XLITE_SHARED_DATA") or ROOT.parent / "shared" / "data")
    tables = shared / "nih_tables"
    if not tables.is_dir():
        pytest.skip("no real tables here (set XLITE_SHARED_DATA)")
    out = tmp_path_factory.mktemp("eda") / "EDA_REPORT.md"
    return write_eda(tables, out), out.read_text()


def test_real_counts(real: tuple[dict, str]):
    figures, _ = real
    official = figures["parts"]["official"]
    found = {
        name: (
            one["films"],
            round(100 * one["share"], 2),
            official["train+val"][name],
            official["test"][name],
        )
        for name, one in figures["findings"].items()
    }
    assert found == PUBLISHED and list(found) == list(PUBLISHED)
    assert (official["train+val"]["films"], official["test"]["films"]) == (86524, 25596)
    assert figures["findings_per_film"] == [60361, 30963, 14306, 4856, 1247, 301, 67, 16, 1, 2]


def test_real_facts(real: tuple[dict, str]):
    figures, _ = real
    assert (figures["films"], figures["patients"], figures["most_films"]) == (112120, 30805, 184)
    assert figures["sex"] == {"M": 63340, "F": 48780}
    assert figures["view"] == {"PA": 67310, "AP": 44810}
    assert figures["label_version"] == "2020"
    assert round(100 * figures["films_of_patients_with_several"] / figures["films"]) == 84
    edema = {view: round(100 * one["Edema"], 1) for view, one in figures["prevalence"]["view"].items()}
    assert edema == {"AP": 4.5, "PA": 0.4}


def test_real_claims(real: tuple[dict, str]):
    figures, _ = real
    assert [claim["verdict"] for claim in figures["claims"]] == ["does not hold"] * 6
    computed = [claim["computed"] for claim in figures["claims"]]
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


def test_real_overlaps_and_boxes(real: tuple[dict, str]):
    figures, _ = real
    assert figures["overlaps"][0] == {
        "test": "official",
        "trained_on": "chexnet",
        "films": 25596,
        "in_train": 17920,
        "in_train_or_val": 20383,
        "clean": 5213,
    }
    seen = {name: round(leak["test_seen"], 3) for name, leak in figures["leakage"].items()}
    assert seen == {"official": 0, "chexnet": 0, "patient, seed 42": 0, "image, seed 42": 0.815}
    assert sum(one["boxes"] for one in figures["boxes"].values()) == 984
    assert round(100 * figures["boxes"]["Nodule"]["area"], 2) == 0.46


def test_the_report_in_docs_is_what_the_code_gives(real: tuple[dict, str]):
    figures, fresh = real
    kept = (ROOT / "docs" / "EDA_REPORT.md").read_text()
    dated = re.compile(r" on \d{4}-\d\d-\d\d from")
    assert dated.sub(" from", kept) == dated.sub(" from", fresh)
    names = {Path(path).name for path in figures["figures"]}
    assert names == {path.name for path in (ROOT / "docs" / "img").glob("eda_report_*.png")}
