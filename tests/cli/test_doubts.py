"""`xlite data doubts`: the list, what is said of it, and what is refused."""

import json
from pathlib import Path

import pytest
from command_line import Command
from doubtful_labels import write_doubtful_folder, write_knowing_predictions

from xlite.data.worklist import read_worklist


@pytest.mark.slow
def test_the_list_lies_in_the_folder_and_is_a_worklist(xlite: Command, tmp_path: Path) -> None:
    folder = write_doubtful_folder(tmp_path / "data")
    file = write_knowing_predictions(tmp_path / "said.csv", folder)
    status, text, err = xlite("data", "doubts", folder.root, "--predictions", file)
    assert (status, err) == (0, "")
    assert "6 labels in doubt, 3 that say yes and 3 that say no." in text
    assert text.endswith(f"List: {folder.root / 'doubts.csv'}\n")
    assert sorted(read_worklist(folder.root / "doubts.csv"))[:2] == ["00000000_000", "00000001_000"]
    other = tmp_path / "other.csv"
    status, text, _ = xlite("data", "doubts", folder.root, "--predictions", file, "--out", other, "--json")
    facts = json.loads(text)
    assert status == 0 and facts["file"] == str(other) and facts["findings"]["Effusion"]["doubtful_no"] == 3
    assert other.read_bytes() == (folder.root / "doubts.csv").read_bytes()


def test_it_takes_a_model_or_predictions(xlite: Command, tmp_path: Path) -> None:
    for more in ((), ("--model", "demo", "--predictions", "said.csv")):
        status, _, error = xlite("data", "doubts", tmp_path, *more)
        assert status == 2 and "give --model or --predictions" in error
