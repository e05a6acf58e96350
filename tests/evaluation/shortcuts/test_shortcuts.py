"""Shortcuts of a model on real files: what its features tell, and what it does without parts of its films."""

import json
from pathlib import Path

import pytest
from command_line import Command
from judged import save_tiny_model, write_common_folder

from xlite.errors import DataError
from xlite.evaluation.options import JudgeOptions
from xlite.evaluation.shortcuts.shortcuts import judge_shortcuts


@pytest.fixture
def model(tiny_folder: Path, own_home: Path) -> Path:
    return save_tiny_model(own_home, tiny_folder)


@pytest.fixture
def common_folder(model: Path, tmp_path: Path) -> Path:
    return write_common_folder(tmp_path / "common", model)


@pytest.mark.slow
def test_shortcuts_are_looked_for_on_one_part(model: Path, common_folder: Path) -> None:
    calls = []
    found = judge_shortcuts(
        model, common_folder, "patient", "train", JudgeOptions(resamples=50), lambda *one: calls.append(one)
    )
    assert found.findings == ("Effusion", "Mass") and found.films == calls[-1][1] // 3 == calls[-1][0] // 3
    assert set(found.told) == set(found.within) == {"view", "sex", "age"}
    view = found.told["view"]
    assert view.films == {"AP": found.films // 2, "PA": found.films // 2}
    assert view.auc.value is not None and 0 <= view.auc.value <= 1
    # The first film of each patient is PA and has both findings, the second is AP and has none.
    assert [group.findings for group in found.within["view"].groups.values()] == [0, 0]
    corners = found.hidden["corners"]
    assert corners.share == pytest.approx(4 * 6 * 6 / 32**2)
    assert set(corners.per_class) == {"Effusion", "Mass"}
    assert corners.auc.value == pytest.approx((found.auc.value or 0) + (corners.change.value or 0))
    assert found.known == found.films and [caveat.kind for caveat in found.caveats] == ["trained_on"]


def test_a_part_that_bears_no_mean_is_refused(model: Path, tiny_folder: Path) -> None:
    with pytest.raises(DataError, match="none of the 14 findings has 10 patients with it"):
        judge_shortcuts(model, tiny_folder, "patient", "test", JudgeOptions(resamples=20))


@pytest.mark.slow
def test_the_command_writes_both_files(
    xlite: Command, model: Path, common_folder: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    status, text, err = xlite("shortcuts", "tiny", "--data", common_folder, "--part", "train", "--out", out)
    assert status == 0, err  # a busy machine shows a bar
    facts = json.loads((out / "shortcuts.json").read_text())
    assert facts["model"] == "tiny" and facts["told"]["view"]["films"] == {
        "AP": facts["films"] // 2,
        "PA": facts["films"] // 2,
    }
    written = (out / "shortcuts.md").read_text()
    assert written.startswith("# Does tiny read the disease or the hospital?")
    assert "Hiding corners, 14% of the film, changes the mean AUC by" in written
    assert str(out / "shortcuts.md") in text
    assert "Contaminated: " in text and "AUCs are struck through" in written
