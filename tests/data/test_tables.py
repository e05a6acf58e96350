"""NIH's tables: both editions of the labels, the boxes, and lists of films."""

import gzip
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from noise_folder import HEADER_2020

from xlite.data.folder import NihFolder
from xlite.data.tables import UNKNOWN_LABELS, find_table, label_version, read_boxes, read_list, read_table
from xlite.errors import DataError
from xlite.findings import FINDINGS, canonical

ROWS = """00000001_000.png,Cardiomegaly,0,1,{a},M,PA,2682,2749,0.143,0.143{end}
00000001_001.png,Cardiomegaly|Emphysema,1,1,{b},M,AP,2894,2729,0.143,0.143{end}
00000002_000.png,No Finding,0,2,{c},F,PA,2500,2048,0.171,0.171{end}
"""


def write_table(folder: Path, edition: str, compressed: bool = False) -> Path:
    """The same three films in one of NIH's two editions."""
    if edition == "2017":
        text = HEADER_2020 + ",\n" + ROWS.format(a="058Y", b="412Y", c="006M", end=",")
        path = folder / "Data_Entry_2017.csv"
    else:
        text = HEADER_2020 + "\n" + ROWS.format(a="58", b="412", c="0.5", end="")
        path = folder / "Data_Entry_2017_v2020.csv"
    if compressed:
        path = path.with_suffix(".csv.gz")
        path.write_bytes(gzip.compress(text.encode()))
    else:
        path.write_text(text)
    return path


def expected_table() -> pd.DataFrame:
    table = pd.DataFrame(
        {
            "image": ["00000001_000.png", "00000001_001.png", "00000002_000.png"],
            "stem": ["00000001_000", "00000001_001", "00000002_000"],
            "patient": ["1", "1", "2"],
            "follow_up": [0, 1, 0],
            "age": [58.0, np.nan, 0.5],
            "sex": ["M", "M", "F"],
            "view": ["PA", "AP", "PA"],
        }
    )
    for finding in FINDINGS:
        table[finding] = np.zeros(3, np.uint8)
    table.loc[[0, 1], "Cardiomegaly"] = 1
    table.loc[1, "Emphysema"] = 1
    return table


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("edition", ["2017", "2020"])
def test_both_editions_read_alike(tmp_path, edition, compressed):
    path = write_table(tmp_path, edition, compressed)
    pd.testing.assert_frame_equal(read_table(path), expected_table())
    assert find_table(tmp_path) == path
    assert label_version(path) == edition


@pytest.mark.parametrize(
    ("name", "header", "edition"),
    [
        ("Data_Entry_2017.csv", HEADER_2020 + ",Unnamed: 11", "2017"),  # resaved by pandas
        ("Data_Entry_2017.csv", "," + HEADER_2020 + ",Unnamed: 11", "2017"),  # with row numbers
        ("Data_Entry_2017.csv", "Unnamed: 0," + HEADER_2020 + ",", "2017"),
        ("Data_Entry_2017.csv", HEADER_2020, "unknown"),  # of either edition, its empty column dropped
        ("Data_Entry_2017.csv", HEADER_2020 + ",Site", "unknown"),
        ("Data_Entry_2017.csv", HEADER_2020.partition(",Original")[0] + ",", "unknown"),
        ("hospital.csv", HEADER_2020.partition(",Original")[0], "unknown"),
        ("Data_Entry_2017_v2020.csv", "Unnamed: 0," + HEADER_2020, "2020"),
        ("Data_Entry_2017_v2020.csv", HEADER_2020 + ",Unnamed: 11", "unknown"),  # 2017's by its header
    ],
)
def test_an_edition_that_is_not_certain_is_unknown(tmp_path, name, header, edition):
    (tmp_path / name).write_text(header + "\n")
    assert label_version(tmp_path / name) == edition


@pytest.mark.parametrize(
    ("header", "ends", "edition"),
    [
        (HEADER_2020 + ",", ",", "2017"),
        (HEADER_2020 + ",Unnamed: 11", ",", "2017"),
        (HEADER_2020 + ",", "", "unknown"),  # 2020's rows under a header with a comma more
        (HEADER_2020 + ",Unnamed: 11", "", "unknown"),
        (HEADER_2020 + ",", ",,", "unknown"),
        (HEADER_2020 + ",", ",A", "unknown"),
        (HEADER_2020, ",", "unknown"),
    ],
)
def test_the_2017_edition_has_its_empty_column_in_each_row(tmp_path, header, ends, edition):
    path = tmp_path / "Data_Entry_2017.csv"
    path.write_text(header + "\n" + ROWS.format(a="058Y", b="412Y", c="006M", end=ends))
    assert label_version(path) == edition
    numbered = path.read_text().splitlines()
    path.write_text("\n".join(f"{number or ''},{line}" for number, line in enumerate(numbered)))
    assert label_version(path) == edition


def test_of_both_editions_the_2020_one_is_taken(tmp_path):
    write_table(tmp_path, "2017")
    newer = write_table(tmp_path, "2020", compressed=True)
    assert find_table(tmp_path) == newer


def test_a_table_from_windows_with_a_byte_order_mark_and_other_column_order(tmp_path):
    path = tmp_path / "Data_Entry_2017.csv"
    lines = [
        "Patient ID,Patient Gender,View Position,Patient Age,Follow-up #,Finding Labels,Image Index",
        "1,M,PA,058Y,0,Cardiomegaly,00000001_000.png",
    ]
    path.write_bytes("\ufeff".encode() + "\r\n".join(lines).encode())
    pd.testing.assert_frame_equal(read_table(path), expected_table()[:1])


BAD_TABLES = {
    "lacks the column 'Patient ID'": HEADER_2020.replace("Patient ID", "Person") + "\n" + ROWS,
    "is empty": "",
    "lists no films": HEADER_2020 + "\n",
    "'Broken_Rib' is not one of the 14 findings": HEADER_2020
    + "\n"
    + ROWS.replace("Emphysema", "Broken_Rib"),
    "'No Finding|Mass' contradicts itself": HEADER_2020
    + "\n"
    + ROWS.replace("No Finding", "No Finding|Mass"),
    "lists 1 film more than once, 00000001_000": HEADER_2020 + "\n" + ROWS + ROWS.splitlines()[0] + "\n",
    "Patient ID '2.7' in row 3": HEADER_2020 + "\n" + ROWS.replace(",2,{c}", ",2.7,{c}"),
    "cannot be read as a table": HEADER_2020 + "\n" + ROWS + "," * 40 + "\n",
    "row 4 has 2 values; expected 11": HEADER_2020 + "\n" + ROWS + "00000003_000.png,Mass\n",
    "Patient ID '' in row 3 names no patient": HEADER_2020 + "\n" + ROWS.replace(",2,{c}", ",,{c}"),
    "Patient ID '2E+37' in row 3": HEADER_2020 + "\n" + ROWS.replace(",2,{c}", ",2E+37,{c}"),
    "Patient ID '1' and Patient ID '001' may be": HEADER_2020 + "\n" + ROWS.replace(",2,{c}", ",001,{c}"),
    "Follow-up # '1e99' in row 2": HEADER_2020 + "\n" + ROWS.replace(",1,1,{b}", ",1e99,1,{b}"),
    "rows without a film's name": HEADER_2020 + "\n" + ROWS.replace("00000002_000.png", " "),
}


@pytest.mark.parametrize("sentence", BAD_TABLES)
def test_a_bad_table_gets_one_sentence(tmp_path, sentence):
    path = tmp_path / "Data_Entry_2017.csv"
    path.write_text(BAD_TABLES[sentence].format(a=1, b=2, c=3, end=""))
    with pytest.raises(DataError) as error:
        read_table(path)
    assert sentence in str(error.value) and "\n" not in str(error.value)


def test_a_cut_archive_gets_one_sentence(tmp_path):
    path = write_table(tmp_path, "2020", compressed=True)
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(DataError, match="cannot be read as text"):
        NihFolder.open(tmp_path)


def test_old_line_ends_windows_paths_and_names_of_dots(tmp_path):
    path = tmp_path / "Data_Entry_2017.csv"
    names = {"00000001_000.png": r"D:\cxr\00000001_000.png", "00000001_001.png": "1.2.840.1"}
    rows = ROWS.format(a=58, b=412, c=0.5, end="").replace("00000002_000.png", "1.2.840.2")
    for name, other in names.items():
        rows = rows.replace(name, other)
    path.write_bytes((HEADER_2020 + "\n" + rows).replace("\n", "\r").encode())
    table = read_table(path)
    assert table["stem"].tolist() == ["00000001_000", "1.2.840.1", "1.2.840.2"]
    expected = expected_table().assign(image=table["image"], stem=table["stem"])
    pd.testing.assert_frame_equal(table, expected)
    boxes = tmp_path / "BBox_List_2017.csv"
    boxes.write_bytes(b"Image Index,Finding Label,x,y,w,h\rC:\\films\\1.2.840.1,Mass,1,2,3,4\r")
    assert read_boxes(boxes).to_numpy().tolist() == [["1.2.840.1", "Mass", 1, 2, 3, 4]]


def test_boxes_with_nihs_quirks(tmp_path):
    path = tmp_path / "BBox_List_2017.csv"
    path.write_text(
        "Image Index,Finding Label,Bbox [x,y,w,h],,,\n"
        "00013118_008.png,Atelectasis,225.08,547.02,86.78,79.19,,,\n"
        "00014716_007.png,Infiltrate,686,131.5,185.5,313.5,,,\n"
    )
    expected = pd.DataFrame(
        [
            ("00013118_008", "Atelectasis", 225.08, 547.02, 86.78, 79.19),
            ("00014716_007", "Infiltration", 686.0, 131.5, 185.5, 313.5),
        ],
        columns=["stem", "finding", "x", "y", "w", "h"],
    )
    pd.testing.assert_frame_equal(read_boxes(path), expected)
    path.write_text("Image Index,Finding Label,Bbox [x,y,w,h],,,\n00014716_007.png,Mass,here,1,2,3\n")
    with pytest.raises(DataError, match="is not a table of boxes"):
        read_boxes(path)
    path.write_text("Image Index,Finding Label,x,y,w,h\na.png,Mass,nan,1,2,3\n")
    with pytest.raises(DataError, match="x, y, w and h have to be finite numbers"):
        read_boxes(path)
    path.write_text("Image Index,Finding Label,x,y,w,h\na.png,Mass,1,1,2,3\nb.png,Mass\n")
    with pytest.raises(DataError, match="has 2 columns; expected Image Index"):
        read_boxes(path)


def test_lists_as_text_and_as_csv(tmp_path):
    (tmp_path / "list.txt").write_bytes(b"00000002_000.png\r\n\r\nimages/00000001_000.jpg\r\n")
    (tmp_path / "list.csv").write_text("n,Image Index\n1,00000002_000.png\n2,00000001_000\n")
    (tmp_path / "none.csv").write_text("image\n")
    (tmp_path / "odd.csv").write_text("film\n00000002_000.png\n")
    assert read_list(tmp_path / "list.txt") == ["00000002_000", "00000001_000"]
    assert read_list(tmp_path / "list.csv") == ["00000002_000", "00000001_000"]
    assert read_list(tmp_path / "none.csv") == []
    (tmp_path / "list.tsv").write_text("image\tn\nC:\\films\\1.2.840.1\t1\n1.2.840.2.dcm\t2\n")
    assert read_list(tmp_path / "list.tsv") == ["1.2.840.1", "1.2.840.2"]
    (tmp_path / "labels.txt").write_text("00000002_000.png 0 1 0\n00000001_000.png 0 0 0\n")  # CheXNet's
    assert read_list(tmp_path / "labels.txt") == ["00000002_000", "00000001_000"]
    with pytest.raises(DataError, match="no column 'image'"):
        read_list(tmp_path / "odd.csv")
    with pytest.raises(DataError, match="there is no file"):
        read_list(tmp_path / "absent.txt")


@pytest.mark.parametrize("separator", [",", ", ", ";", " ", "\t", "\r"])
@pytest.mark.parametrize("suffix", [".png", ".JPG", ""])
def test_films_on_one_line_are_counted(tmp_path, separator, suffix):
    stems = [f"{patient:08d}_{film:03d}" for patient in range(10) for film in range(2)]
    (tmp_path / "list.txt").write_text(separator.join(f"images/{stem}{suffix}" for stem in stems))
    assert read_list(tmp_path / "list.txt") == stems


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("list.txt", "scan 1.png scan 2.png\n"),
        ("list.txt", "a.png\n<html>\n"),
        ("list.txt", "a.png,Mass\n"),
        ("list.txt", "['a.png', 'b.png']\n"),
        ("list.csv", "image,a.png,b.png\n"),
        ("list.csv", "a.png\nb.png\n"),
        ("list.csv", "image\na.png,b.png\n"),
        ("list.csv", 'image\n"a.png;b.png"\n'),
    ],
)
def test_a_list_that_may_be_something_else_is_refused(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    with pytest.raises(DataError, match="is not a list with a film on each line: .*give a name on each line"):
        read_list(tmp_path / name)


@pytest.mark.slow
@pytest.mark.alone
def test_the_real_table(shared_data):
    started = time.perf_counter()
    table = read_table(find_table(shared_data / "nih_tables"))
    assert time.perf_counter() - started < 5  # about 2 s if nothing else runs
    assert len(table) == 112120 and table["patient"].nunique() == 30805
    assert table["sex"].value_counts().to_dict() == {"M": 63340, "F": 48780}
    assert table["view"].value_counts().to_dict() == {"PA": 67310, "AP": 44810}
    counts = [11559, 2776, 13317, 19894, 5782, 6331, 1431, 5302, 4667, 2303, 2516, 1686, 3385, 227]
    assert table[list(FINDINGS)].sum().tolist() == counts
    per_film = np.bincount(table[list(FINDINGS)].sum(axis=1))
    assert per_film.tolist() == [60361, 30963, 14306, 4856, 1247, 301, 67, 16, 1, 2]
    boxes = read_boxes(shared_data / "nih_tables" / "BBox_List_2017.csv")
    assert len(boxes) == 984 and (boxes["finding"] == "Infiltration").sum() == 123


def with_unknown(*values: str, name: str = UNKNOWN_LABELS) -> str:
    """The three films in the 2020 edition, with one more column."""
    header, *rows = (HEADER_2020 + "\n" + ROWS.format(a="58", b="412", c="0.5", end="")).splitlines()
    return "\n".join([f"{header},{name}", *map(",".join, zip(rows, values, strict=True)), ""])


def test_a_label_may_be_unknown(tmp_path):
    path = tmp_path / "Data_Entry_2017_v2020.csv"
    path.write_text(with_unknown("Mass| Pleural Thickening", "", "Infiltrate"))
    table = read_table(path)
    expected = expected_table().astype(dict.fromkeys(FINDINGS, np.float32))
    expected.loc[0, ["Mass", "Pleural_Thickening"]] = np.nan
    expected.loc[2, "Infiltration"] = np.nan  # the film has none of the others
    pd.testing.assert_frame_equal(table, expected)


def test_a_table_that_calls_no_label_unknown_is_as_it_was(tmp_path):
    path = tmp_path / "Data_Entry_2017_v2020.csv"
    path.write_text(with_unknown("", " ", ""))
    pd.testing.assert_frame_equal(read_table(path), expected_table())


def test_the_column_of_unknown_labels_may_stand_anywhere_in_a_table_with_names_for_all_columns(tmp_path):
    path = tmp_path / "Data_Entry_2017.csv"
    columns = "Unknown Labels;Patient ID;Patient Gender;View Position;Patient Age;Follow-up #;Finding Labels;"
    path.write_text(f"{columns}Image Index\nMass|Hernia;1;M;PA;058Y;0;Cardiomegaly;00000001_000.png\n")
    table = read_table(path)
    assert table.columns[table.isna().any()].tolist() == ["Mass", "Hernia"]
    quirk = HEADER_2020.replace("OriginalImage[Width,Height]", '"OriginalImage[Width,Height]"')
    path.write_text(with_unknown("Mass", "", "").replace(HEADER_2020, quirk))
    with pytest.raises(DataError, match="has 11 column names over 12 values in a row, so nobody can tell"):
        read_table(path)
    lines = [line.split(",") for line in path.read_text().splitlines()]
    lines = [[*line[:2], line[-1], *line[2:-1]] for line in lines]  # now beside Finding Labels
    path.write_text("\n".join(map(",".join, lines)) + "\n")
    assert read_table(path).isna()["Mass"].tolist() == [True, False, False]


@pytest.mark.parametrize(
    ("values", "columns", "sentence"),
    [
        (("", "Emphysema|Mass", ""), 1, "Emphysema of 00000001_001.png is among its Finding Labels"),
        (("Broken_Rib", "", ""), 1, "of the Unknown Labels 'Broken_Rib' is not one of the 14 findings"),
        (("No Finding", "", ""), 1, "of the Unknown Labels 'No Finding' is not one of the 14 findings"),
        (("Mass|", "", ""), 1, "of the Unknown Labels '' is not one of the 14 findings"),
        (("a,b", "a,b", "a,b"), 2, "has the column 'Unknown Labels' more than once"),
    ],
)  # fmt: skip
def test_bad_unknown_labels_get_one_sentence(tmp_path, values, columns, sentence):
    path = tmp_path / "Data_Entry_2017.csv"
    path.write_text(with_unknown(*values, name=",".join([UNKNOWN_LABELS] * columns)))
    with pytest.raises(DataError) as error:
        read_table(path)
    assert sentence in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize("name", ["Pleural_Thickening", "Pleural thickening", " PLEURAL_thickening "])
def test_a_finding_is_known_as_people_write_it(name: str) -> None:
    assert canonical(name) == "Pleural_Thickening"
    assert canonical("Infiltrate") == "Infiltration" and {*map(canonical, FINDINGS)} == {*FINDINGS}
    with pytest.raises(ValueError, match="'Thickening' is not one of the 14 findings"):
        canonical("Thickening")
