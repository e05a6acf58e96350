"""Two data folders, and the two as one."""

from pathlib import Path

import pytest

from xlite.data.joined import JoinedFolder, open_data


@pytest.fixture
def both(west: Path, east: Path) -> JoinedFolder:
    folder = open_data(f"{west},{east}")
    assert isinstance(folder, JoinedFolder)
    return folder
