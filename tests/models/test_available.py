from pathlib import Path

import pytest
from demo_home import save_demo_model

from xlite.models import available


def test_only_the_shipped_folder_of_the_checkout_counts(
    own_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(available, "bundled", (tmp_path / "package").joinpath)
    save_demo_model(tmp_path / "package", "leftover")
    assert available.model_files() == {}
    shipped = save_demo_model(tmp_path / "package", available.SHIPPED)
    assert available.model_files() == {"demo": shipped}
