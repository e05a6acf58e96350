"""Films in zipped folders: found as in a folder, read by their checksum, and what attacks is refused."""

import io
import struct
import zipfile
from pathlib import Path

import cv2
import numpy as np
import pytest
from dicom_films import make, to_bytes

from xlite.data import zipped
from xlite.data.zipped import ZipInMemory, begins_as_zip, find_zipped_films, is_zip
from xlite.errors import DataError, ImageError
from xlite.images import read_image

FILM = np.random.default_rng(0).integers(0, 256, (40, 48), np.uint8)
PNG = cv2.imencode(".png", FILM)[1].tobytes()
DICOM = to_bytes(make())


def zip_of(path: Path, members: dict[str, bytes], kind: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", kind) as opened:
        for name, content in members.items():
            opened.writestr(name, content)
    return path


def refusal(path: Path) -> str:
    with pytest.raises(DataError) as caught:
        find_zipped_films(path)
    message = str(caught.value)
    assert message.startswith(f"the zip {path} ") and "\n" not in message
    return message


@pytest.mark.parametrize("kind", [zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED])
def test_films_are_found_by_suffix_or_content_and_read(tmp_path: Path, kind: int) -> None:
    members = {
        "ward/b.png": PNG,
        "ward/a.dcm": b"damaged",
        "study/IM0001": DICOM,
        "readme.txt": b"no film",
        "__MACOSX/ward/._b.png": PNG,
        ".hidden/c.png": PNG,
        "empty/": b"",
    }
    archive = zip_of(tmp_path / "films.zip", members, kind)
    assert is_zip(archive)
    films, passed_over = find_zipped_films(archive)
    assert [str(film) for film in films] == [
        *(f"{archive}/study/IM0001", f"{archive}/ward/a.dcm", f"{archive}/ward/b.png")
    ]
    assert [film.name for film in films] == ["IM0001", "a.dcm", "b.png"]
    assert passed_over == {"not a film": 1, "hidden": 2}
    np.testing.assert_array_equal(read_image(films[2]), FILM)
    np.testing.assert_array_equal(read_image(films[0]), read_image(DICOM))
    with pytest.raises(ImageError, match=r"films\.zip/ward/a\.dcm: the file is not a PNG"):
        read_image(films[1])
    assert [path.name for path in tmp_path.rglob("*.*")] == ["films.zip"]


def test_a_zip_with_bytes_before_it_or_names_of_windows_is_read(tmp_path: Path) -> None:
    archive = zip_of(tmp_path / "films.zip", {"ward\\b.png": PNG})
    archive.write_bytes(b"#!stub\n" + archive.read_bytes())
    [film], _ = find_zipped_films(archive)
    assert (film.name, str(film)) == ("b.png", f"{archive}/ward/b.png")
    np.testing.assert_array_equal(read_image(film), FILM)


def test_what_is_no_zip_is_none(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(PNG)
    (tmp_path / "folder.zip").mkdir()
    zip_of(tmp_path / "b.docx", {"a": b""})
    assert not any(map(is_zip, [*tmp_path.iterdir(), tmp_path / "gone.zip"]))


def test_names_that_lead_outside_are_refused(tmp_path: Path) -> None:
    for number, name in enumerate(("../a.png", "/etc/a.png", "x/../../a.png", "..\\a.png")):
        assert "names a file outside of it" in refusal(zip_of(tmp_path / f"{number}.zip", {name: PNG}))


def test_a_member_without_a_name_is_refused(tmp_path: Path) -> None:
    archive = zip_of(tmp_path / "films.zip", {"a.png": PNG, "/": b""})
    content = archive.read_bytes()
    at = content.rindex(b"PK\1\2")  # the entry of the folder: a name of one letter behind 46 bytes
    unnamed = content[: at + 28] + bytes(2) + content[at + 30 : at + 46] + content[at + 47 :]
    end = unnamed.rindex(b"PK\5\6")
    length = int.from_bytes(unnamed[end + 12 : end + 16], "little") - 1
    archive.write_bytes(unnamed[: end + 12] + length.to_bytes(4, "little") + unnamed[end + 16 :])
    assert "names a file outside of it" in refusal(archive)


def test_links_are_passed_over(tmp_path: Path) -> None:
    archive = tmp_path / "link.zip"
    with zipfile.ZipFile(archive, "w") as opened:
        link = zipfile.ZipInfo("link.png")
        link.external_attr = 0o120777 << 16
        opened.writestr(link, "/etc/passwd")
    assert find_zipped_films(archive) == ([], {"not a file": 1})


def test_zips_in_a_zip_encrypted_and_unusual_ones_are_refused(tmp_path: Path) -> None:
    inner = zip_of(tmp_path / "inner.zip", {"a.png": PNG}).read_bytes()
    assert "holds another zip (x/inner.zip)" in refusal(
        zip_of(tmp_path / "outer.zip", {"x/inner.zip": inner})
    )
    assert "packed in an unusual way (a.png)" in refusal(
        zip_of(tmp_path / "lzma.zip", {"a.png": PNG}, zipfile.ZIP_LZMA)
    )
    data = bytearray(zip_of(tmp_path / "secret.zip", {"a.png": PNG}).read_bytes())
    data[6] |= 1
    data[data.index(b"PK\1\2") + 8] |= 1
    (tmp_path / "secret.zip").write_bytes(data)
    assert "is encrypted; unpack it first" in refusal(tmp_path / "secret.zip")


@pytest.mark.slow
def test_bombs_are_refused_before_they_are_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bomb = zip_of(tmp_path / "bomb.zip", {f"{number}.png": bytes(10**7) for number in range(11)})
    monkeypatch.setattr(zipped, "_FREE_BYTES", 10**8)
    assert "over 100 times its size" in refusal(bomb)
    many = zip_of(tmp_path / "many.zip", {f"{number}.png": b"" for number in range(20)})
    monkeypatch.setattr(zipped, "MAX_MEMBERS", 19)
    assert "has 20 files; the limit is 19" in refusal(many)
    monkeypatch.setattr(zipped, "_MAX_DIRECTORY", 500)
    assert "cannot be read (more than 19 files)" in refusal(many)


def test_files_that_overlap_are_refused(tmp_path: Path) -> None:
    """One packed file under many names, as a bomb of megabytes that unpacks to petabytes has it."""
    data = zip_of(tmp_path / "twice.zip", {"a.png": PNG, "b.png": PNG}).read_bytes()
    entry = data.rindex(b"PK\1\2")
    (tmp_path / "twice.zip").write_bytes(data[: entry + 42] + struct.pack("<I", 0) + data[entry + 46 :])
    assert "overlap or are cut" in refusal(tmp_path / "twice.zip")
    same = tmp_path / "same.zip"
    with pytest.warns(UserWarning, match="Duplicate name"), zipfile.ZipFile(same, "w") as opened:
        opened.writestr("a.png", PNG)
        opened.writestr("a.png", PNG)
    assert "overlap" in refusal(same)


@pytest.mark.parametrize("size", [0, 1, 10**9])
def test_a_film_of_another_size_or_checksum_than_stated_is_damaged(tmp_path: Path, size: int) -> None:
    archive = zip_of(tmp_path / "films.zip", {"a.png": PNG})
    data = archive.read_bytes()
    entry = data.index(b"PK\1\2")
    archive.write_bytes(data[: entry + 24] + struct.pack("<I", size) + data[entry + 28 :])
    [film], _ = find_zipped_films(archive)
    with pytest.raises(
        ImageError, match=r"films\.zip/a\.png: the (zip is damaged here|file is larger than 512)"
    ):
        read_image(film)


@pytest.mark.slow
def test_damaged_zips_are_a_sentence_or_a_film(tmp_path: Path) -> None:
    whole = zip_of(tmp_path / "films.zip", {"a.png": PNG, "d/b": DICOM}).read_bytes()
    rng = np.random.default_rng(0)
    for _ in range(300):
        data = bytearray(whole)
        for bit in rng.integers(8 * len(data), size=3):
            data[bit // 8] ^= 1 << bit % 8
        archive = tmp_path / "damaged.zip"
        archive.write_bytes(data if rng.random() < 0.7 else data[: rng.integers(len(data))])
        try:
            films, _ = find_zipped_films(archive)
        except DataError as error:
            assert "\n" not in str(error)
            continue
        for film in films:
            try:
                assert read_image(film).shape in {FILM.shape, (48, 64)}
            except ImageError as error:
                assert str(error).startswith(f"{archive}/")


def test_a_zip_that_is_cut_or_gone_is_said_so(tmp_path: Path) -> None:
    archive = zip_of(tmp_path / "films.zip", {"a.png": PNG})
    archive.write_bytes(archive.read_bytes()[:-30])
    assert "cannot be read (File is not a zip file)" in refusal(archive)
    whole = zip_of(tmp_path / "whole.zip", {"a.png": PNG})
    [film], _ = find_zipped_films(whole)
    whole.write_bytes(b"")
    with pytest.raises(ImageError, match="the zip is damaged here"):
        read_image(film)
    assert "zipped folder" in str(
        pytest.raises(ImageError, read_image, io.BytesIO(archive.read_bytes()).read()).value
    )


def test_a_zip_in_memory_is_read_as_one_on_a_disk(tmp_path: Path) -> None:
    members = {"ward/b.png": PNG, "study/IM0001": DICOM, "readme.txt": b"no film", ".hidden/c.png": PNG}
    archive = zip_of(tmp_path / "films.zip", members)
    held = ZipInMemory("films.zip", archive.read_bytes())
    archive.unlink()
    assert begins_as_zip("films.ZIP", held.data) and not begins_as_zip("films.png", held.data)
    films, passed_over = find_zipped_films(held)
    assert [str(film) for film in films] == ["films.zip/study/IM0001", "films.zip/ward/b.png"]
    assert passed_over == {"not a film": 1, "hidden": 1}
    np.testing.assert_array_equal(read_image(films[1]), FILM)


def test_a_zip_in_memory_is_refused_as_one_on_a_disk_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = zip_of(tmp_path / "films.zip", {"../a.png": PNG, "b.png": PNG})
    for change in (lambda data: data, lambda data: data[:90]):
        archive.write_bytes(change(archive.read_bytes()))
        with pytest.raises(DataError) as caught:
            find_zipped_films(ZipInMemory(str(archive), archive.read_bytes()))
        assert str(caught.value) == refusal(archive)
    monkeypatch.setattr(zipped, "_MAX_DIRECTORY", 20)
    whole = zip_of(tmp_path / "whole.zip", {"a.png": PNG})
    with pytest.raises(DataError, match="more than 100,000 files"):
        find_zipped_films(ZipInMemory("whole.zip", whole.read_bytes()))
