"""Phantom folders: layout, labels in NIH's proportions, findings drawn inside their boxes."""

import errno
import functools
import hashlib
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from xlite.data.folder import NihFolder
from xlite.data.folder_check import check_folder
from xlite.data.phantom import write_phantom
from xlite.data.phantom.draw import PAINTERS, draw_film
from xlite.data.phantom.exposure import TECHNIQUES, draw_exposure
from xlite.data.phantom.labels import DETECTORS, Film, draw_labels, official_lists
from xlite.data.phantom.write import BOX_NAMES, IN_PROCESS_UP_TO
from xlite.data.tables import find_table, read_boxes, read_list
from xlite.errors import DataError
from xlite.findings import FINDINGS

IMAGES, PATIENTS = 60, 25
# Share of NIH's films with each finding, %.
NIH_SHARES = (10.31, 2.48, 11.88, 17.74, 5.16, 5.65, 1.28, 4.73, 4.16, 2.05, 2.24, 1.50, 3.02, 0.20)
EXAMPLES = {
    "effusion": (904, "PA", ("Effusion",)),
    "pneumothorax": (911, "PA", ("Pneumothorax",)),
    "cardiomegaly": (905, "PA", ("Cardiomegaly",)),
    "mass": (924, "PA", ("Mass",)),
    "edema_effusion": (907, "AP", ("Edema", "Effusion")),
    "hernia": (908, "PA", ("Hernia",)),
    "normal_pa": (901, "PA", ()),
    "normal_ap": (902, "AP", ()),
}
"""The films of app/examples as they were drawn, 512 px with seed 2026: patient, view, findings."""


def digest(folder: Path) -> dict[str, str]:
    """Hash of every file by its place in the folder."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def film(patient: int, view: str, *findings: str) -> Film:
    return Film(patient, 0, 55, "MF"[patient % 2], view, findings, (2992, 2991), 0.143)


@pytest.fixture(scope="module")
def phantom(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """60 films of 25 patients, 48 px."""
    out = tmp_path_factory.mktemp("phantom") / "data"
    write_phantom(out, IMAGES, PATIENTS, 48, seed=3, processes=1)
    return out


@pytest.mark.slow
def test_the_folder_has_what_was_asked_for(phantom: Path) -> None:
    folder = NihFolder.open(phantom)
    assert (len(folder.table), folder.table.patient.nunique()) == (IMAGES, PATIENTS)
    assert sorted(folder.paths) == sorted(folder.table.stem)
    assert (folder.missing(), folder.label_version) == ([], "2020")
    assert {cv2.imread(str(path), cv2.IMREAD_UNCHANGED).shape for path in folder.paths.values()} == {(48, 48)}
    assert "synthetic" in (phantom / "README.txt").read_text()
    assert NihFolder.open(phantom).is_phantom
    assert check_folder(folder).ok


def test_every_finding_occurs_in_a_small_folder(phantom: Path) -> None:
    assert (NihFolder.open(phantom).table[list(FINDINGS)].sum() >= 1).all()


def test_tables_have_nihs_quirks(phantom: Path) -> None:
    table = find_table(phantom)
    assert table.name == "Data_Entry_2017_v2020.csv"
    header = table.read_text().splitlines()[0]
    assert header.endswith("View Position,OriginalImage[Width,Height],OriginalImagePixelSpacing[x,y]")
    lines = (phantom / "BBox_List_2017.csv").read_text().splitlines()
    assert lines[0] == "Image Index,Finding Label,Bbox [x,y,w,h],,,"
    assert {line.split(",")[1] for line in lines[1:]} <= set(BOX_NAMES.values())
    assert all(line.split(",")[0].endswith(".png") for line in lines[1:])


def test_follow_ups_count_up_and_patients_only_age(phantom: Path) -> None:
    for _, films in NihFolder.open(phantom).table.groupby("patient"):
        assert films.follow_up.tolist() == list(range(len(films)))
        assert films.age.is_monotonic_increasing and films.sex.nunique() == 1


def test_no_patient_is_in_both_official_lists(phantom: Path) -> None:
    train_val, test = (read_list(phantom / name) for name in ("train_val_list.txt", "test_list.txt"))
    assert sorted(train_val + test) == sorted(NihFolder.open(phantom).table.stem)
    assert not {stem[:8] for stem in train_val} & {stem[:8] for stem in test}


def test_boxes_belong_to_their_films_and_lie_in_the_frame(phantom: Path) -> None:
    boxes, table = read_boxes(phantom / "BBox_List_2017.csv"), NihFolder.open(phantom).table.set_index("stem")
    assert len(boxes) > 3
    assert all(table.loc[box.stem, box.finding] == 1 for box in boxes.itertuples())
    assert (boxes[["x", "y"]] >= 0).all(axis=None) and (boxes[["w", "h"]] > 0).all(axis=None)
    assert (boxes.x + boxes.w <= 1024).all() and (boxes.y + boxes.h <= 1024).all()


@pytest.mark.slow
def test_same_seed_same_bytes_whatever_the_processes(tmp_path: Path) -> None:
    for processes in (1, 2):
        write_phantom(tmp_path / str(processes), IN_PROCESS_UP_TO + 1, 5, 32, seed=3, processes=processes)
    assert digest(tmp_path / "1") == digest(tmp_path / "2")


@pytest.mark.slow
def test_another_seed_draws_another_folder(tmp_path: Path) -> None:
    for seed in (1, 2):
        write_phantom(tmp_path / str(seed), 3, 2, 48, seed)
    first, second = digest(tmp_path / "1"), digest(tmp_path / "2")
    films = [name for name in first.keys() & second.keys() if name.startswith("images")]
    assert films and all(first[name] != second[name] for name in films)


@pytest.mark.slow
def test_a_low_dose_takes_the_same_films_of_the_same_patients(tmp_path: Path) -> None:
    for technique in TECHNIQUES:
        write_phantom(tmp_path / technique, 3, 2, 48, 1, technique=technique)
    usual, low = digest(tmp_path / "usual"), digest(tmp_path / "low-dose")
    images = {name for name in usual if name.startswith("images")}
    assert {name for name in usual if usual[name] != low[name]} == images | {"README.txt"}
    notes = [(tmp_path / name / "README.txt").read_text() for name in TECHNIQUES]
    assert notes[1] == notes[0] + "Technique: low-dose.\n"
    with pytest.raises(DataError, match="the technique 'none' is unknown; choose one of usual, low-dose"):
        write_phantom(tmp_path / "other", 3, 2, 48, 1, technique="none")


def test_a_quarter_of_the_dose_doubles_the_noise_and_no_grid_lets_scatter_through() -> None:
    usual = draw_exposure("PA", 0.0, np.random.default_rng(0))
    low = usual.taken_by(TECHNIQUES["low-dose"])
    assert usual.taken_by(TECHNIQUES["usual"]) == usual
    assert low == replace(usual, noise=2 * usual.noise, scatter=usual.scatter + 0.25)
    drawn = [draw_film(film(1, "PA"), 256, 5, technique).image.astype(float) for technique in TECHNIQUES]
    flank = [(one - cv2.GaussianBlur(one, (0, 0), 2))[220:250, 215:245] for one in drawn]  # flat, not white
    grain = [float(np.median(np.abs(one))) for one in flank]
    assert 1.7 < grain[1] / grain[0] < 2.5


def test_progress_ends_with_all_films(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    write_phantom(tmp_path / "data", 4, 2, 32, 1, progress=lambda done, total: seen.append((done, total)))
    assert len(seen) == 2 and seen[-1] == (4, 4)


@pytest.mark.slow
@pytest.mark.parametrize("finding", FINDINGS)
@pytest.mark.parametrize(("patient", "view"), [(1, "PA"), (2, "AP")])
def test_a_finding_changes_the_film_where_its_box_is(finding: str, patient: int, view: str) -> None:
    size = 128
    drawn = draw_film(film(patient, view, finding), size, seed=5)
    without = draw_film(film(patient, view), size, seed=5)
    change = np.abs(drawn.image.astype(float) - without.image)
    x, y, w, h = (value * size / 1024 for value in drawn.boxes[finding])
    assert 0 <= x < x + w <= size and 0 <= y < y + h <= size
    inside = np.zeros((size, size), bool)
    inside[round(y) : round(y + h), round(x) : round(x + w)] = True
    assert set(drawn.boxes) == {finding} and not without.boxes
    # Emphysema changes the whole chest
    assert change[inside].mean() > (1 if finding == "Emphysema" else 2) * change[~inside].mean() + 0.3
    assert change[inside].max() > 6


def test_findings_do_not_move_the_rest_of_the_patient() -> None:
    nodule, healthy = (draw_film(film(4, "PA", *found), 128, seed=5).image for found in (("Nodule",), ()))
    assert np.mean(np.abs(nodule.astype(float) - healthy) > 3) < 0.1


def test_follow_ups_look_like_the_same_patient() -> None:
    first, later, other = (
        draw_film(shot, 64, seed=5).image.ravel()
        for shot in (film(6, "PA"), replace(film(6, "PA"), follow_up=1), film(8, "PA"))
    )
    assert not np.array_equal(first, later)
    assert np.corrcoef(first, later)[0, 1] > np.corrcoef(first, other)[0, 1]


def test_every_finding_has_a_painter() -> None:
    assert set(PAINTERS) == set(FINDINGS)


@pytest.mark.slow
def test_labels_keep_nihs_proportions() -> None:
    films = draw_labels(30_000, 8_000, seed=0)
    found = np.array([[name in shot.findings for name in FINDINGS] for shot in films])
    shares = 100 * found.mean(axis=0)
    assert np.all(np.abs(np.log(shares / NIH_SHARES)) < 0.25)
    assert np.mean(~found.any(axis=1)) == pytest.approx(0.5384, abs=0.02)
    assert np.mean(found.sum(axis=1) > 1) == pytest.approx(0.1855, abs=0.015)
    portable = np.array([shot.view == "AP" for shot in films])
    edema = found[:, FINDINGS.index("Edema")]
    assert portable.mean() == pytest.approx(0.40, abs=0.02)
    assert edema[portable].mean() > 6 * edema[~portable].mean()
    per_patient = np.array(list(Counter(shot.patient for shot in films).values()))
    assert (per_patient == 1).mean() > 0.4 and per_patient.max() > 20
    train_val, test = official_lists(films, seed=0)
    assert len(test) / len(films) == pytest.approx(0.23, abs=0.02)


@pytest.mark.parametrize(
    ("images", "patients", "size", "seed", "words"),
    [
        (3, 4, 64, 0, "at least as many images as patients"),
        (0, 0, 64, 0, "at least one patient"),
        (4, 2, 31, 0, "from 32 to 2048 px"),
        (4, 2, 2049, 0, "from 32 to 2048 px"),
        (4, 2, 64, -1, "seed -1"),
    ],
)
def test_what_cannot_be_drawn_is_refused(
    tmp_path: Path, images: int, patients: int, size: int, seed: int, words: str
) -> None:
    with pytest.raises(DataError, match=words):
        write_phantom(tmp_path / "data", images, patients, size, seed)
    assert not (tmp_path / "data").exists()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("full_at", "made_before"), [("film", ""), ("film", "parent/data"), ("README.txt", "parent")]
)
def test_a_full_disk_leaves_of_a_phantom_what_was_there_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, full_at: str, made_before: str
) -> None:
    """The disk is full at the third film, or when all but the last file is written."""
    out = tmp_path / "disk" / "parent" / "data"
    (tmp_path / "disk" / made_before).mkdir(parents=True)
    before = sorted((tmp_path / "disk").rglob("*"))
    write_bytes, write_text, written = Path.write_bytes, Path.write_text, []

    def write(path: Path, *args: object, real: Callable[..., int], **options: object) -> int:
        written.append(path)
        if path.name == full_at or (full_at == "film" and len(written) == 3):
            real(path, args[0][:9], **options)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real(path, *args, **options)

    monkeypatch.setattr(Path, "write_bytes", functools.partialmethod(write, real=write_bytes))
    monkeypatch.setattr(Path, "write_text", functools.partialmethod(write, real=write_text))
    with pytest.raises(DataError, match=f"the disk is full, so {out} could not be written"):
        write_phantom(out, 4, 2, 32, 0)
    assert len(written) > 2
    assert sorted((tmp_path / "disk").rglob("*")) == before
    monkeypatch.undo()
    write_phantom(out, 4, 2, 32, 0)


@pytest.mark.slow
def test_a_disk_that_really_is_full_leaves_no_phantom(tmp_path: Path) -> None:
    """With several processes, each of which meets the end of a small disk."""
    disk = tmp_path / "disk"
    disk.mkdir()
    words = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(disk)]
    if sys.platform != "linux" or subprocess.run(words, capture_output=True).returncode != 0:
        pytest.skip("no file system can be mounted here")
    try:
        with pytest.raises(DataError, match="the disk is full"):
            write_phantom(disk / "data", 40, 20, 128, 0, processes=2)
        assert list(disk.iterdir()) == []
    finally:
        subprocess.run(["umount", "--lazy", str(disk)], check=True)


def test_a_folder_in_use_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(DataError, match="not an empty folder"):
        write_phantom(tmp_path, 2, 1, 32, 0)
    with pytest.raises(DataError, match="not an empty folder"):
        write_phantom(tmp_path / "notes.txt", 2, 1, 32, 0)
    assert [path.name for path in tmp_path.iterdir()] in (
        ["notes.txt"],
        ["home", "notes.txt"],
        ["notes.txt", "home"],
    )


@pytest.mark.parametrize("name", ["normal_pa", "pneumothorax"])
def test_bundled_examples_are_what_the_code_draws(name: str) -> None:
    path = Path(__file__).parents[2] / "app" / "examples" / f"{name}.png"
    shipped = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    patient, view, findings = EXAMPLES[name]
    wide, high, spacing, _ = DETECTORS[view][0]
    film = Film(patient, 0, 61, "MF"[patient % 2], view, findings, (wide, high), spacing)
    drawn = draw_film(film, 512, seed=2026).image
    assert np.abs(shipped.astype(float) - drawn).mean() < 1


def test_the_list_of_examples_names_every_film() -> None:
    folder = Path(__file__).parents[2] / "app" / "examples"
    rows = [line.split(",") for line in (folder / "examples.csv").read_text().splitlines()]
    assert rows[0] == ["file", "findings", "view"]
    assert rows[1:] == [
        [f"{name}.png", "|".join(findings) or "No Finding", view]
        for name, (_, view, findings) in EXAMPLES.items()
    ]
    assert {row[0] for row in rows[1:]} == {path.name for path in folder.glob("*.png")}
    assert sum(path.stat().st_size for path in folder.iterdir()) < 1_500_000


@pytest.mark.slow
def test_greys_are_near_those_of_real_films(shared_data: Path) -> None:
    real = NihFolder.open(shared_data / "nih")
    stems = real.table.stem[:: max(1, len(real.table) // 60)]
    films = [cv2.imread(str(real.paths[stem]), cv2.IMREAD_GRAYSCALE) for stem in stems]
    drawn = [draw_film(shot, 128, 0).image for shot in draw_labels(30, 30, seed=0)]
    greys = [
        np.mean([[image.mean(), image.std(), *np.percentile(image, [5, 50, 95])] for image in part], axis=0)
        for part in (films, drawn)
    ]
    assert np.abs(greys[0] - greys[1]).max() < 35
