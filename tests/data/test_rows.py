"""Text files as rows: every line end, separator and encoding, and a sentence for each that is damaged."""

import gzip
import random
from pathlib import Path

import pytest

from xlite.data.rows import columns_of, read_header, read_rows, read_text
from xlite.errors import DataError

ROWS = [["image", "note"], ["a.png", "x"], ["b.png", "y"]]


def written(separator: str = ",", end: str = "\n") -> str:
    return "".join(separator.join(row) + end for row in ROWS)


@pytest.mark.parametrize(
    "content",
    [
        written().encode(),
        written(end="\r\n").encode(),
        written(end="\r").encode(),
        written().rstrip().encode("utf-8-sig"),
        written(separator=";").encode(),
        written(separator="\t").encode("utf-16"),  # as Excel's "Unicode text"
        ("\n\n" + written().replace("\n", "\n,\n\n")).encode(),
        b'"image", note\n"a.png","x"\n"b.png",y\n',
        gzip.compress(written(end="\r").encode(), mtime=0),
    ],
)
def test_the_same_rows_in_every_form(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "table.csv"
    path.write_bytes(content)
    header, rows = read_rows(path)
    assert ([header, *rows], read_header(path)) == (ROWS, ROWS[0])


def test_a_line_break_in_quotes_ends_no_row(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text('image,"a\nnote"\na.png,"one\ntwo"\n')
    assert read_rows(path) == (["image", "a\nnote"], [["a.png", "one\ntwo"]])


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "is empty; expected a header"),
        (b"\n , \n\n", "is empty; expected a header"),
        (
            b"\x89PNG\r\n\x1a\n\xff",
            "cannot be read as text: it is neither in UTF-8 nor in UTF-16; save it as UTF-8",
        ),
        ("image,Erguß\n".encode("latin-1"), "it is neither in UTF-8 nor in UTF-16; save it as UTF-8"),
        (b"image\n\0\0\0\n", "has NUL bytes"),
        (written().encode("utf-16-le"), "has NUL bytes"),
        (written().encode("utf-16")[:-1], "cannot be read as text"),
        (b'image\n"a.png\nb.png\n', "cannot be read as a table: line 3: unexpected end of data"),
        (b'image\n"' + b"x" * 200_000 + b'"\n', "cannot be read as a table: line 2: field larger than"),
        (b"\x1f\x8b", "cannot be read as text"),
    ],
)
def test_what_is_no_table_is_one_sentence(tmp_path: Path, content: bytes, sentence: str) -> None:
    path = tmp_path / "table.csv"
    path.write_bytes(content)
    with pytest.raises(DataError, match=sentence) as refused:
        read_rows(path)
    assert str(path) in str(refused.value) and "\n" not in str(refused.value)


def test_a_file_that_is_not_there_or_a_folder_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="there is no file .*none.csv"):
        read_text(tmp_path / "none.csv")
    with pytest.raises(DataError, match="cannot be read as text: .*Is a directory"):
        read_text(tmp_path)
    (tmp_path / "plain.csv.gz").write_text("image\n")
    with pytest.raises(DataError, match="cannot be read as text: Not a gzipped file"):
        read_text(tmp_path / "plain.csv.gz")


def test_a_damaged_archive_is_read_as_it_was_or_refused(tmp_path: Path) -> None:
    text = "".join(f"{number:08d}_000.png,{number % 97}\n" for number in range(400))
    whole, path, draw = gzip.compress(text.encode(), mtime=0), tmp_path / "table.csv.gz", random.Random(0)
    refused = 0
    for _ in range(200):
        damaged = bytearray(whole)
        damaged[draw.randrange(len(damaged))] ^= 1 << draw.randrange(8)
        path.write_bytes(damaged)
        try:
            assert read_text(path) == text
        except DataError as error:
            assert "cannot be read as text" in str(error)
            refused += 1
    assert refused > 150


def test_columns_are_taken_by_name_and_every_row_must_have_them(tmp_path: Path) -> None:
    header, rows = ["n", "image"], [["1", " a ", "more"], ["2", "b", ""]]
    assert columns_of(tmp_path, header, rows, ["image"]) == {"image": ["a", "b"]}
    with pytest.raises(DataError, match="lists no films"):
        columns_of(tmp_path, header, [], ["image"])
    with pytest.raises(DataError, match="row 2 has 1 value; expected 2"):
        columns_of(tmp_path, header, [["1", "a"], ["2"]], ["image"])
    with pytest.raises(DataError, match="row 2 has 3 values; expected 2"):
        columns_of(tmp_path, header, [["1", "a"], ["2", "b", "c"]], ["image"])


@pytest.mark.slow
def test_an_archive_that_unpacks_to_more_than_a_table_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "table.csv.gz"
    path.write_bytes(gzip.compress(b"image\n" * 10**7) * 5)  # 300 MB out of 300 KB
    with pytest.raises(DataError, match="unpacks to more than 256 MB, as no table does"):
        read_text(path)


def test_a_column_that_is_there_twice_is_refused() -> None:
    with pytest.raises(DataError, match="t.csv has the column 'b' more than once; keep the right one"):
        columns_of(Path("t.csv"), ["a", "b", "b"], [["1", "2", "3"]], ["a", "b"])
    assert columns_of(Path("t.csv"), ["a", "b", "b"], [["1", "2", "3"]], ["a"]) == {"a": ["1"]}
