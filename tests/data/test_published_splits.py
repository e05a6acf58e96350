"""Splits whose lists come with X-Lite."""

import hashlib
import py_compile
from pathlib import Path

import pytest

from xlite.data import published_splits
from xlite.data.folder import PHANTOM_NOTE, PHANTOM_TITLE, NihFolder
from xlite.data.published_splits import published_split
from xlite.data.splits import PARTS, make_split

NAMES = [
    place.name for place in Path(published_splits.__file__).parent.iterdir() if (place / "test.csv").exists()
]


@pytest.mark.parametrize("split_id", NAMES)
def test_the_lists_are_those_of_the_id_and_share_no_patient(split_id: str, tiny_folder: Path) -> None:
    split = published_split(split_id, NihFolder.open(tiny_folder))
    assert split is not None and split.id == split_id
    text = "\n".join(f"{part} {stem}" for part in PARTS for stem in sorted(split.stems(part)))
    digest = hashlib.sha256(text.encode()).hexdigest()[:8]
    assert split_id == f"{split.name}-{split.seed}-{digest}"
    train, val, test = ({stem[:8] for stem in split.stems(part)} for part in PARTS)
    assert not train & val and not train & test and not val & test


def test_no_other_split_is_known_and_none_of_phantoms(tiny_folder: Path) -> None:
    folder = NihFolder.open(tiny_folder)
    py_compile.compile(published_splits.__file__)  # as Python does by itself, unless it is told not to
    others = ["", "..", "__pycache__", "unseen-42-00000000", "../published_splits", "unseen-42-2f11840a/.."]
    for split_id in others:
        assert published_split(split_id, folder) is None
    assert published_split(NAMES[0], folder) is not None
    (tiny_folder / PHANTOM_NOTE).write_text(PHANTOM_TITLE)
    assert published_split(NAMES[0], NihFolder.open(tiny_folder)) is None


def test_the_real_films_are_split_so(shared_data: Path) -> None:
    folder = NihFolder.open(shared_data / "nih_all")
    made, known = make_split(folder, "unseen"), published_split("unseen-42-2f11840a", folder)
    assert known is not None and made.id == known.id
    assert all(made.stems(part) == known.stems(part) for part in PARTS)
