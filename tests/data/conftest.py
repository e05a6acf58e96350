"""Two data folders, and the two as one."""

from pathlib import Path

import pytest
from noise_folder import write_noise_folder

from xlite.data.joined import JoinedFolder, open_data


@pytest.fixture
def west(tmp_path: Path) -> Path:
    """12 patients, 24 films."""
    return write_noise_folder(tmp_path / "west")


@pytest.fixture
def east(tmp_path: Path) -> Path:
    """15 patients, 30 films, of which 24 have the names and numbers of those in the west."""
    return write_noise_folder(tmp_path / "east", patients=15, seed=1)


@pytest.fixture
def both(west: Path, east: Path) -> JoinedFolder:
    folder = open_data(f"{west},{east}")
    assert isinstance(folder, JoinedFolder)
    return folder
