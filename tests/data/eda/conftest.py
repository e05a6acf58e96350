"""A small table made by hand, whose statistics can be counted on one's fingers."""

import shutil
from pathlib import Path

import pytest
from noise_folder import HEADER_2020

from xlite.data.eda import filters
from xlite.data.eda.coded import CodedFilms
from xlite.data.folder import NihFolder
from xlite.data.joined import JoinedFolder, join

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
    (root / "Data_Entry_2017_v2020.csv").write_text("\n".join([HEADER_2020, *rows]) + "\n")
    (root / "BBox_List_2017.csv").write_text(
        "Image Index,Finding Label,Bbox [x,y,w,h],,,\n"
        "1_0.png,Mass,10,10,128,64,,,\n1_1.png,Mass,0,0,256,64,,,\n2_0.png,Infiltrate,0,0,1024,512,,,\n"
    )
    (root / "train_val_list.txt").write_text("1_0.png\n1_1.png\n1_2.png\n2_0.png\n9_9.png\n")
    (root / "test_list.txt").write_text("3_0.png\n3_1.png\n4_0.png\n5_0.png\n")
    return NihFolder.open(root)


@pytest.fixture
def joined(hand: NihFolder, tmp_path: Path) -> JoinedFolder:
    """The eight films twice, as those of two hospitals with other films of the same names."""
    other = tmp_path / "other"
    shutil.copytree(hand.root, other)
    return join([hand, NihFolder.open(other)])


@pytest.fixture
def coded(hand: NihFolder) -> CodedFilms:
    """The hand-made films as numbers, with the parts of their lists."""
    return CodedFilms.code(hand.table, hand.boxes(), filters.parts_of(hand))
