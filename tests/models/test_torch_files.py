"""Files of torch.save that are damaged, or claim to hold more than they do."""

import io
import zipfile
from pathlib import Path

import pytest
import torch

from xlite.models.torch_files import UNREADABLE, load_plain, load_plain_file

CONTENT = {"weight": torch.arange(300.0), "rows": [1, 2]}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    torch.save(CONTENT, tmp_path / "weights.pt")
    return tmp_path / "weights.pt"


@pytest.mark.parametrize("zipped", [True, False])
def test_what_torch_saved_is_read(tmp_path, zipped):
    torch.save(CONTENT, tmp_path / "weights.pt", _use_new_zipfile_serialization=zipped)
    found = load_plain(tmp_path / "weights.pt")
    assert torch.equal(found["weight"], CONTENT["weight"]) and found["rows"] == [1, 2]
    again = load_plain_file(io.BytesIO((tmp_path / "weights.pt").read_bytes()))
    assert torch.equal(again["weight"], CONTENT["weight"])


def test_a_flipped_bit_in_a_weight_is_found(path):
    content = bytearray(path.read_bytes())
    at = content.index(CONTENT["weight"].numpy().tobytes()) + 41
    content[at] ^= 4
    path.write_bytes(bytes(content))
    assert not torch.equal(torch.load(path, weights_only=True)["weight"], CONTENT["weight"])
    with pytest.raises(ValueError, match="its record weights/data/0 is damaged: its checksum does not match"):
        load_plain(path)


def test_a_file_that_unpacks_to_more_than_it_weighs_is_refused(path, tmp_path):
    with zipfile.ZipFile(path) as plain, zipfile.ZipFile(tmp_path / "bomb.pt", "w") as bomb:
        for name in plain.namelist():
            data = bytes(10**7) if name.endswith("data/0") else plain.read(name)
            bomb.writestr(name, data, zipfile.ZIP_DEFLATED)
    with pytest.raises(ValueError, match="its records are larger than the file"):
        load_plain(tmp_path / "bomb.pt")


def test_a_pickle_that_asks_for_all_memory_is_refused(tmp_path):
    huge = b"\x80\x02cbuiltins\nbytearray\n\x8a\x08" + (2**62).to_bytes(8, "little") + b"\x85R."
    (tmp_path / "huge.pt").write_bytes(huge)
    with pytest.raises(UNREADABLE):
        load_plain(tmp_path / "huge.pt")


MANY = 200_000
DEEP = {
    "alone": b")" + b"\x85" * MANY,
    "beside numbers": b")" + b"K\x01\x86" * MANY,
    "of two alike": b")" + b"q\0h\0\x86" * MANY,
    "between marks": b"(" * MANY + b")" + b"t" * MANY,
}


@pytest.mark.slow
@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("deep", DEEP.values(), ids=DEEP)
def test_tuples_that_lie_deep_in_each_other_are_refused(tmp_path, zipped, deep):
    """As the key of a dict they crashed the process."""
    pickled = b"\x80\x02}" + deep + b"K\x01s."
    path = tmp_path / "deep.pt"
    if zipped:
        with zipfile.ZipFile(path, "w") as records:
            records.writestr("deep/version", "3\n")
            records.writestr("deep/data.pkl", pickled)
    else:
        torch.save(CONTENT, path, _use_new_zipfile_serialization=False)
        content = path.read_bytes()
        start = content.index(b"\x80\x02}q\x00(X\x06\x00\x00\x00weight")
        path.write_bytes(content[:start] + pickled + content[start:])
    with pytest.raises(ValueError, match="its tuples lie too deep in each other"):
        load_plain(path)
