from pathlib import Path

import pytest

from xlite import examples
from xlite.models import available


@pytest.fixture
def only_this_home(own_home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Nothing that ships is seen: the pages show what the test put there."""
    for module in (available, examples):
        monkeypatch.setattr(module, "bundled", (tmp_path / "package").joinpath)
    monkeypatch.delenv("XLITE_DATA", raising=False)
    return own_home
