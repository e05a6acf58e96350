import json
from pathlib import Path

import pytest
from command_line import Command
from labelled import given, write_list

from xlite.data.folder import NihFolder
from xlite.labelling.labelling import Labelling


@pytest.fixture
def ward(xlite: Command, tiny_folder: Path, tmp_path: Path) -> Labelling:
    path = write_list(tiny_folder, tmp_path / "list.csv", 4)
    words = ("label", "start", "ward", "--data", tiny_folder, "--worklist", path, "--double", "1")
    assert xlite(*words) == (
        0,
        "Labelling ward: 4 films, 4 of them read twice\nOpen it on the Label page of `xlite app`\n",
        "",
    )
    ward = Labelling.named("ward")
    ward.answer("Ann", ward.films[0], given(12, Mass="yes"))
    ward.answer("Bob", ward.films[0], given(8))
    return ward


def test_status_says_progress_readers_and_agreement(xlite: Command, ward: Labelling):
    status, out, _ = xlite("label", "status", "ward")
    lines = [" ".join(line.split()) for line in out.splitlines()]
    assert status == 0 and lines[:6] == [
        "0 of 4 films are done.",
        "4 films are to be read twice; readers disagree on 1, of which 0 were settled.",
        "Reader Films Settled Median s a film Changed minds After an opinion",
        "Ann 1 0 12 0 0",
        "Bob 1 0 8 0 0",
        "Ann and Bob, 1 film in common:",
    ]
    assert lines[6:] == [
        "Finding Both yes or no Agree Disagree Kappa",
        "Mass 1 0 1 0.00",
        "Kappa is undefined for 13 findings: both gave all films the same answer.",
    ]


@pytest.mark.slow
def test_status_and_list_as_json(xlite: Command, ward: Labelling):
    one = json.loads(xlite("label", "status", "ward", "--json")[1])
    assert json.loads(xlite("label", "list", "--json")[1]) == [one]
    assert (one["films"], one["done"], one["disputes"]) == (4, 0, 1)
    assert one["pairs"][0]["readers"] == ["Ann", "Bob"]
    assert one["pairs"][0]["findings"]["Mass"] == {"films": 1, "agree": 0, "disagree": 1, "kappa": 0.0}
    assert xlite("label", "list")[1].split() == ["Labelling", "Films", "Done", "ward", "4", "0"]


@pytest.mark.slow
def test_export_makes_a_data_folder(xlite: Command, ward: Labelling, tmp_path: Path):
    out = tmp_path / "out"
    assert xlite("label", "export", "ward", out) == (
        0,
        f"24 films in {out}, 1 of them labelled here: 13 known labels, 0 boxes\n",
        "",
    )
    assert len(NihFolder.open(out).table) == 24
    assert xlite("label", "export", "ward", out)[0] == 2
    made = json.loads(xlite("label", "export", "ward", tmp_path / "few", "--only", "--json")[1])
    assert (made["films"], made["labelled"]) == (1, 1)


def test_what_is_not_there(xlite: Command):
    assert xlite("label", "status", "none") == (
        2,
        "",
        "Error: there is no labelling 'none'; there are none yet; `xlite label start` makes one\n",
    )
    assert xlite("label", "list")[1] == "No labelling yet; `xlite label start` makes one.\n"
