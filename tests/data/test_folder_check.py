"""What `xlite data check` finds in a folder."""

import json
import shutil

import cv2
import numpy as np
import pytest
from unknown_labels import hide_labels

from xlite.data.folder import NihFolder
from xlite.data.folder_check import CheckReport, check_folder


def test_check_finds_nothing_wrong_with_a_sound_folder(tiny_folder):
    calls = []
    report = check_folder(NihFolder.open(tiny_folder), lambda done, total: calls.append((done, total)))
    assert report == CheckReport([], [], [], []) and report.ok
    assert calls == [(done, 24) for done in range(1, 25)]


def test_check_finds_each_kind_of_fault(tiny_folder):
    images = tiny_folder / "images"
    (images / "00000001_000.png").unlink()
    cut = images / "00000002_000.png"
    cut.write_bytes(cut.read_bytes()[:500])
    shutil.copy(images / "00000003_000.png", images / "00000003_001.png")  # the same bytes under another name
    shutil.copy(
        images / "00000004_001.png", images / "00000004_000.jpg"
    )  # the same stem twice, and bytes too
    shutil.copy(images / "00000005_000.png", images / "stranger.png")
    report = check_folder(NihFolder.open(tiny_folder))
    assert report.missing == ["00000001_000"]
    assert [name for name, _ in report.unreadable] == ["images/00000002_000.png"]
    assert "damaged" in report.unreadable[0][1]
    assert report.duplicates == [
        ["images/00000003_000.png", "images/00000003_001.png"],
        ["images/00000004_000.jpg", "images/00000004_000.png"],
        ["images/00000004_000.jpg", "images/00000004_001.png"],
        ["images/00000005_000.png", "images/stranger.png"],
    ]
    assert report.off_table == ["images/stranger.png"]
    assert not report.ok


def test_a_film_that_shows_nothing_is_listed(tiny_folder):
    cv2.imwrite(str(tiny_folder / "images" / "00000001_000.png"), np.full((64, 64), 128, np.uint8))
    ((name, why),) = check_folder(NihFolder.open(tiny_folder)).unreadable
    assert name == "images/00000001_000.png"
    assert why.startswith("the film shows nothing: all of it is about as bright (grey level 128 of 255)")


@pytest.mark.slow
def test_labels_that_are_unknown_are_told_and_no_fault(tiny_folder, xlite):
    stems = NihFolder.open(tiny_folder).table["stem"].tolist()
    folder = hide_labels(tiny_folder, {stem: ("Hernia", "Mass")[: 1 + (stem < "00000003")] for stem in stems})
    report = check_folder(folder)
    assert report.ok and (report.not_labelled, report.unknown_labels) == (["Hernia"], {"Mass": 4})
    status, out, err = xlite("data", "check", tiny_folder)
    assert (status, err) == (0, "")
    assert out.splitlines()[-2:] == ["Not labelled here: Hernia", "The label Mass of 4 films is unknown"]
    _, out, _ = xlite("data", "check", tiny_folder, "--json")
    assert json.loads(out) == {
        **{"ok": True, "missing": [], "unreadable": [], "duplicates": [], "off_table": []},
        **{"passed_over": {}, "not_labelled": ["Hernia"], "unknown_labels": {"Mass": 4}},
    }
