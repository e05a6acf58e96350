"""Archives that are hostile, cut or altered."""

import gzip
import os
import tarfile
from pathlib import Path

import pytest
from broken_server import FILMS, TABLES, Server, archive, get, member, png, refusal
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from xlite.data.download import archive as unpacking
from xlite.data.download.archive import unpack_films
from xlite.errors import DataError

HOSTILE = {
    "parent path": (member("../evil.png", size=len(png(1))), png(1)),
    "parent path inside": (member("images/../../evil.png", size=len(png(1))), png(1)),
    "absolute path": (member("/tmp/xlite-evil.png", size=len(png(1))), png(1)),
    "windows path": (member("images/..\\evil.png", size=len(png(1))), png(1)),
    "deeper path": (member("images/images/00000001_000.png", size=len(png(1))), png(1)),
    "symlink": (member("images/00000050_000.png", tarfile.SYMTYPE, target="/etc/passwd"), b""),
    "symlink as folder": (member("images", tarfile.SYMTYPE, target="/tmp"), b""),
    "hard link": (member("images/00000050_000.png", tarfile.LNKTYPE, target="/etc/passwd"), b""),
    "device": (member("images/00000050_000.png", tarfile.CHRTYPE), b""),
    "pipe": (member("images/00000050_000.png", tarfile.FIFOTYPE), b""),
    "other suffix": (member("images/run.sh", size=5), b"hello"),
    "no png inside": (member("images/00000050_000.png", size=5), b"hello"),
    "new line in the name": (member("images/00000050_000.png\n", size=len(png(1))), png(1)),
}


@pytest.mark.parametrize("evil", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_archive_writes_nothing_and_is_deleted(
    evil: tuple[tarfile.TarInfo, bytes], server: Server, tmp_path: Path
) -> None:
    out = tmp_path / "a" / "b"
    server.files["/1.gz"] = archive(evil)
    message = refusal(server, out)
    assert message.startswith("images_001.tar.gz was refused: ")
    assert message.endswith("has been deleted, run this again to fetch it anew")
    present = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*")} - {
        "home",
        "a/b/.download.lock",
    }
    assert present == {"a", "a/b", "a/b/images_001", *(f"a/b/{name}" for name in TABLES)}
    assert not Path("/tmp/xlite-evil.png").exists()


def zeros(size: int) -> bytes:
    return b"\x89PNG\r\n\x1a\n" + bytes(size - 8)


def test_a_film_too_large_is_refused_before_it_is_read(server: Server, out: Path) -> None:
    size = unpacking.MAX_FILM_BYTES + 1
    server.files["/1.gz"] = archive((member("images/00000050_000.png", size=size), zeros(size)))
    message = refusal(server, out)
    assert all(word in message for word in ("images/00000050_000.png", "33,554,433", "33,554,432"))


def test_many_films_that_are_too_much_together_are_refused(
    server: Server, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unpacking, "MAX_TOTAL_BYTES", sum(map(len, FILMS.values())) - 1)
    assert "more than 20,000 films or" in refusal(server, out)
    monkeypatch.undo()
    monkeypatch.setattr(unpacking, "MAX_FILMS", len(FILMS) - 1)
    assert "more than 39 films or 10 GB" in refusal(server, out)
    monkeypatch.undo()
    get(server, out)


def test_a_header_that_is_a_bomb_is_refused(tmp_path: Path) -> None:
    header = member("images/long", tarfile.XHDTYPE, size=2**31).tobuf(tarfile.PAX_FORMAT)
    bomb = tmp_path / "bomb.tar.gz"
    with gzip.open(bomb, "wb") as file:
        file.write(header)
        for _ in range(64):
            file.write(bytes(2**20))
    with pytest.raises(DataError, match="far more than films"):
        unpack_films(bomb, tmp_path / "images")


def test_data_behind_the_archive_is_refused(tmp_path: Path) -> None:
    bomb = tmp_path / "bomb.tar.gz"
    bomb.write_bytes(archive() + gzip.compress(bytes(32 * 2**20)))
    with pytest.raises(DataError, match="far more than films"):
        unpack_films(bomb, tmp_path / "images")


def test_a_flipped_checksum_is_found(tmp_path: Path) -> None:
    content = bytearray(archive())
    content[-6] ^= 1  # the CRC-32 in gzip's last eight bytes
    (tmp_path / "a.tar.gz").write_bytes(content)
    with pytest.raises(DataError, match="is damaged"):
        unpack_films(tmp_path / "a.tar.gz", tmp_path / "images")
    assert sorted(os.listdir(tmp_path)) == ["a.tar.gz", "home"]


@pytest.mark.slow
@given(cut=st.integers(0, len(archive()) - 1), flips=st.lists(st.integers(0, len(archive()) - 1), max_size=3))
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_a_cut_or_altered_archive_gives_its_films_or_none(tmp_path: Path, cut: int, flips: list[int]) -> None:
    content = bytearray(archive())
    for position in flips:
        content[position] ^= 0x55
    (tmp_path / "a.tar.gz").write_bytes(content[:cut])
    with pytest.raises(DataError):
        unpack_films(tmp_path / "a.tar.gz", tmp_path / "images")
    assert not (tmp_path / "images").exists()
