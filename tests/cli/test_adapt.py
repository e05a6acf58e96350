"""`xlite adapt`: a new model and its report, from a command line."""

import json
from pathlib import Path

import pytest
from command_line import Command
from judged import amend, save_tiny_model, write_common_folder

from xlite.examples import examples

pytestmark = pytest.mark.slow


def test_adapt_writes_a_model_that_says_so(
    xlite: Command, tiny_folder: Path, own_home: Path, tmp_path: Path
) -> None:
    model = save_tiny_model(own_home, tiny_folder)
    folder = write_common_folder(tmp_path / "elsewhere", model)
    amend(model, split_id="patient-42-00000000")
    words = ["adapt", "tiny", "--data", folder, "--films", 60, "--draws", 2]
    status, text, err = xlite(*words)
    assert (status, err) == (0, "")
    made = own_home / "checkpoints" / "tiny-at-elsewhere"
    assert sorted(path.name for path in made.iterdir()) == ["ADAPTED.md", "adapted.json", "model.safetensors"]
    facts = json.loads((made / "adapted.json").read_text())
    assert (facts["films"], facts["judged"], facts["findings"]) == (60, 240, ["Effusion", "Mass"])
    report = (made / "ADAPTED.md").read_text()
    assert report.startswith("# tiny, adapted to elsewhere\n")
    assert "| Effusion | 30 | intercept and slope | 120 of 240 |" in report
    assert "fitted to 60 films of 30 patients" in text and str(made / "ADAPTED.md") in text
    film = next(iter(examples().values())).path
    status, told, _ = xlite("predict", made / "model.safetensors", film)
    said = "Model tiny-at-elsewhere, adapted to 60 films of 30 patients of elsewhere on "
    assert status == 0 and said in told
    status, _, err = xlite(*words)
    assert (status, "exists already" in err) == (2, True)
    status, _, err = xlite(*words, "--data", tiny_folder)
    assert (status, "a model is adapted to one hospital: run it once for each data folder" in err) == (
        2,
        True,
    )
    status, text, _ = xlite(*words, "--json", "--out", tmp_path / "other")
    assert status == 0 and json.loads(text)["films"] == 60
    assert json.loads(text)["model_file"] == str(tmp_path / "other" / "model.safetensors")
