"""Small folders in the layouts of other data sets, quirks included, for the tests that import them.

Each has twelve patients or films and more, of noise: enough to split. What each builder hides in them is said
where it is, and the tests count it.
"""

import csv
import gzip
import io
import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import cv2
import numpy as np
import pydicom
import pytest
from dicom_films import make, to_bytes

from xlite.data.importing.sources import read_source
from xlite.data.importing.write import write_import
from xlite.errors import DataError

SIDE = 40
_RNG = np.random.default_rng(7)


def noise(side: int = SIDE) -> np.ndarray:
    """A film of noise, each another one."""
    return _RNG.integers(0, 256, (side, side), dtype=np.uint8)


def write_picture(path: Path, image: np.ndarray | None = None) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), noise() if image is None else image)


def write_dicom(path: Path, width: int = 64, height: int = 48, **tags: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = _RNG.integers(0, 4096, (height, width), dtype=np.uint16)
    with pydicom.config.disable_value_validation():  # RSNA's ages are `61`, and pydicom wants `061Y`
        path.write_bytes(to_bytes(make(pixels, WindowCenter=2048, WindowWidth=4096, **tags)))


def write_table(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """A CSV; packed if its name ends so."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([header, *rows])
    path.parent.mkdir(parents=True, exist_ok=True)
    data = text.getvalue().encode()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)


CHEXPERT = (
    *("No Finding", "Enlarged Cardiomediastinum", "Cardiomegaly", "Lung Opacity", "Lung Lesion", "Edema"),
    *("Consolidation", "Pneumonia", "Atelectasis", "Pneumothorax", "Pleural Effusion", "Pleural Other"),
    *("Fracture", "Support Devices"),
)


def _chexpert_labels(**marks: str) -> list[str]:
    return [marks.get(label.replace(" ", "_"), "") for label in CHEXPERT]


def write_chexpert(root: Path) -> Path:
    """Each patient: a study of a frontal and a lateral film of one name but for its folder, and a second
    study.

    Odd patients have an effusion and an uncertain edema, even ones nothing (patient 2 with support devices).
    The train table lists study 2 before study 1. One age is 0.
    """
    small = root / "CheXpert-v1.0-small"
    header = ["Path", "Sex", "Age", "Frontal/Lateral", "AP/PA", *CHEXPERT]
    rows: dict[str, list[list[str]]] = {"train": [], "valid": []}
    for patient in range(1, 15):
        part = "train" if patient <= 12 else "valid"
        for study in (2, 1):
            for view, kind in ((1, "frontal"), (2, "lateral"))[: 3 - study]:
                path = f"{part}/patient{patient:05d}/study{study}/view{view}_{kind}.jpg"
                write_picture(small / path)
                if patient % 2:
                    labels = _chexpert_labels(Pleural_Effusion="1.0", Edema="-1.0", Pneumothorax="0.0")
                else:
                    labels = _chexpert_labels(No_Finding="1.0", Support_Devices="1.0" if patient == 2 else "")
                exact = "AP" if kind == "frontal" else ""
                age, sex = "0" if patient == 3 else str(40 + patient), ("Female", "Male")[patient % 2]
                rows[part].append([f"{small.name}/{path}", sex, age, kind.capitalize(), exact, *labels])
    for part, lines in rows.items():
        write_table(small / f"{part}.csv", header, lines)
    return small


def write_mimic(root: Path) -> Path:
    """Gzipped tables that join by ids: 12 patients of two studies, one of them with a lateral film.

    The first study of the first patient is AP with a procedure of PA and lateral; one film has a study
    without labels; patients 1-8 are train, 9-10 validate, 11-12 test.
    """
    labels, meta, split = [], [], []
    for patient in range(1, 13):
        subject = 10000000 + patient
        part = "train" if patient <= 8 else "validate" if patient <= 10 else "test"
        for study in (1, 2):
            number = 50000000 + 10 * patient + study
            marks = _chexpert_labels(Pneumonia="1.0") if patient % 2 else _chexpert_labels(No_Finding="1.0")
            labels.append([subject, number, *marks])
            for view in ("AP", "LATERAL")[:study]:
                film = f"{number:08x}-aaaa-bbbb-cccc-{view.lower()}"
                procedure = "CHEST (PA AND LAT)" if (patient, study) == (1, 1) else "CHEST (PORTABLE AP)"
                date = 21000000 + 100 * study
                meta.append([film, subject, number, procedure, view, "antero-posterior", date, "120000.5"])
                split.append([film, number, subject, part])
                write_picture(root / f"files/p10/p{subject}/s{number}/{film}.jpg")
    meta.append(["lost", 10000001, 59999999, "CHEST (PORTABLE AP)", "AP", "", 21000900, "1"])
    view_code = "ViewCodeSequence_CodeMeaning"
    ids = ["dicom_id", "subject_id", "study_id"]
    header = [*ids, "PerformedProcedureStepDescription", "ViewPosition", view_code, "StudyDate", "StudyTime"]
    write_table(root / "mimic-cxr-2.0.0-metadata.csv.gz", header, meta)
    write_table(root / "mimic-cxr-2.0.0-chexpert.csv.gz", ["subject_id", "study_id", *CHEXPERT], labels)
    write_table(root / "mimic-cxr-2.0.0-split.csv.gz", ["dicom_id", "study_id", "subject_id", "split"], split)
    return root


def write_padchest(root: Path) -> Path:
    """16-bit PNGs in folders by number; lists of labels as text, some with a blank before a name, one empty.

    12 patients of a PA film and an AP_horizontal one; a lateral, a costal, an excluded film, one without
    labels and one without a file besides.
    """
    rows = []

    def add(patient: int, film: str, projection: str, labels: str, there: bool = True) -> None:
        image = f"2168401113669640{patient:04d}_{film}.png"
        if there:
            write_picture(root / str(patient % 3) / image, noise().astype(np.uint16) * 257)
        person = 839860488694292331637988235681460000 + patient * 17
        sex = "FM"[patient % 2]
        line = [len(rows), image, patient % 3, 20140915, person, 1930.0, sex, projection, "Physician", labels]
        rows.append(line)

    for patient in range(1, 13):
        sick = "['cardiomegaly', ' pleural effusion', 'loc basal']" if patient % 2 else "['normal']"
        add(patient, "00-1", "PA", sick)
        add(patient, "00-2", "AP_horizontal", "['laminar atelectasis', '', 'NSG tube']")
    add(1, "00-3", "L", "['normal']")
    add(1, "00-4", "COSTAL", "['normal']")
    add(1, "00-5", "PA", "['exclude']")
    add(2, "00-6", "PA", "")
    add(2, "00-7", "PA", "['normal']", there=False)
    add(3, "00-8", "PA", "['hydropneumothorax', 'unchanged']")
    add(3, "00-9", "PA", "['unchanged']")
    add(4, "00-9", "PA", "['unchanged', 'loc basal']")
    header = ["", "ImageID", "ImageDir", "StudyDate_DICOM", "PatientID", "PatientBirth", "PatientSex_DICOM"]
    header += ["Projection", "MethodLabel", "Labels"]
    write_table(root / "PADCHEST_chest_x_ray_images_labels_160K_01.02.19.csv.gz", header, rows)
    return root


VINDR = ("Atelectasis", "Cardiomegaly", "Nodule/Mass", "Pleural effusion", "Pneumonia", "No finding")


def write_vindr(root: Path) -> Path:
    """PhysioNet's layout: `.dicom` films of 64 x 48 px, three readers of each film of train, a consensus of
    test.

    Two of three see cardiomegaly on odd films, one of three an effusion on even ones; both with boxes.
    """
    labels, boxes, test = [], [], []
    for film in range(1, 16):
        name = f"{film:032x}"
        part = "train" if film <= 12 else "test"
        write_dicom(root / part / f"{name}.dicom", PatientSex="F", PatientAge="050Y")
        if part == "test":
            test.append([name, 0, 1, 0, 0, 0, 0])
            continue
        for reader in (1, 2, 3):
            heart = int(film % 2 == 1 and reader < 3)
            effusion = int(film % 2 == 0 and reader == 1)
            labels.append([name, f"R{reader}", 0, heart, 0, effusion, 0, int(not heart and not effusion)])
            if heart:
                boxes.append([name, f"R{reader}", "Cardiomegaly", 16, 12, 48, 36])
            if effusion:
                boxes.append([name, f"R{reader}", "Pleural effusion", 0, 24, 16, 48])
            if not heart and not effusion:
                boxes.append([name, f"R{reader}", "No finding", "", "", "", ""])
    annotations = root / "annotations"
    write_table(annotations / "image_labels_train.csv", ["image_id", "rad_id", *VINDR], labels)
    write_table(annotations / "image_labels_test.csv", ["image_id", *VINDR], test)
    header = ["image_id", "rad_id", "class_name", "x_min", "y_min", "x_max", "y_max"]
    write_table(annotations / "annotations_train.csv", header, boxes)
    return root


def write_vindr_kaggle(root: Path) -> Path:
    """Kaggle's layout: one table of boxes, `No finding` as a class."""
    rows = []
    for film in range(1, 13):
        name = f"{film:032x}"
        write_dicom(root / "train" / f"{name}.dicom")
        for reader in (8, 9, 10):
            if film % 2 and reader < 10:
                rows.append([name, "Pneumothorax", 12, f"R{reader}", 16.0, 12.0, 48.0, 36.0])
            else:
                rows.append([name, "No finding", 14, f"R{reader}", "", "", "", ""])
    header = ["image_id", "class_name", "class_id", "rad_id", "x_min", "y_min", "x_max", "y_max"]
    write_table(root / "train.csv", header, rows)
    return root


def write_rsna(root: Path, mapped: int = 11) -> Path:
    """Films of NIH under other names, two boxes on the first; the mapping has the first so many of twelve."""
    rows: list[list[object]] = []
    mapping = []
    for film in range(1, 13):
        name = f"{film:08x}-9eaa-42f4-b0ab-c148ed3241cd"
        view = ("PA", "AP")[film % 2]
        write_dicom(
            root / "stage_2_train_images" / f"{name}.dcm", ViewPosition=view, PatientSex="M", PatientAge="61"
        )
        if film % 3 == 1:
            rows += [[name, 256.0, 128.0, 200.0, 300.0, 1]] * (1 + (film == 1))
        else:
            rows.append([name, "", "", "", "", 0])
        if film <= mapped:
            mapping.append({"img_id": f"{film:08d}_003.png", "subset_img_id": name, "orig_labels": ["Mass"]})
    write_table(root / "stage_2_train_labels.csv", ["patientId", "x", "y", "width", "height", "Target"], rows)
    if mapped:
        (root / "pneumonia-challenge-dataset-mappings_2018.json").write_text(json.dumps(mapping))
    return root


def write_siim(root: Path) -> Path:
    """Masks as run lengths down the columns, two for films 3 and 6; the header has a blank in it."""
    rows = []
    for film in range(1, 13):
        name = f"1.2.276.0.7230010.3.1.4.8323329.{film}.1517875201.850819"
        path = root / "dicom-images-train" / f"study{film}" / f"series{film}" / f"{name}.dcm"
        write_dicom(path, ViewPosition="PA", PatientSex="F", PatientAge="33")
        if film % 3:
            rows.append([name, " -1"])
            continue
        # 10 columns from x = 100 on, each of 50 px from y = 200 on.
        rows.append([name, " ".join([f"{100 * 1024 + 200} 50", *["974 50"] * 9])])
        if film == 3:  # a second mask: 4 columns from x = 600 on, each of 20 px from y = 10 on
            rows.append([name, " ".join([f"{600 * 1024 + 10} 20", *["1004 20"] * 3])])
        if film == 6:  # a slip of the pen: 15 px
            rows.append([name, f"{700 * 1024 + 10} 15"])
    write_table(root / "train-rle.csv", ["ImageId", " EncodedPixels"], rows)
    return root


def write_openi(root: Path) -> Path:
    """Kaggle's tables: two films of each report, called `….dcm.png`; one report is not indexed."""
    reports, films = [], []
    for uid in range(1, 15):
        terms = "Cardiomegaly/borderline;Thickening/pleura/apex" if uid % 2 else "normal"
        reports.append([uid, "No Indexing" if uid == 14 else terms, "x", "findings, with a comma"])
        for view, projection in ((4001, "Frontal"), (3001, "Lateral")):
            name = f"{uid}_IM-{uid:04d}-{view}.dcm.png"
            films.append([uid, name, projection])
            write_picture(root / "images" / "images_normalized" / name)
    write_table(root / "indiana_reports.csv", ["uid", "MeSH", "Problems", "findings"], reports)
    write_table(root / "indiana_projections.csv", ["uid", "filename", "projection"], films)
    return root


def write_openi_report(folder: Path, uid: str, terms: Sequence[str], films: Sequence[str]) -> None:
    """A report as Open-I has it."""
    major = "".join(f"<major>{term}</major>" for term in terms)
    images = "".join(f'<parentImage id="{name}"/>' for name in films)
    text = f'<?xml version="1.0"?><eCitation><uId id="{uid}"/><MeSH>{major}</MeSH>{images}</eCitation>'
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{uid.removeprefix('CXR')}.xml").write_text(text)


def write_chestx_det(root: Path) -> Path:
    """Films by number, and one by its name of NIH; boxes as corners."""
    for part, first in (("train", 1), ("test", 11)):
        entries = []
        for film in range(first, first + 10):
            name = "00000042_006.png" if film == 1 else f"{36000 + film}.png"
            write_picture(root / f"{part}_data" / name)
            sick = film % 2 == 1
            entry = {"file_name": name, "syms": ["Diffuse Nodule", "Fracture"] if sick else []}
            entry["boxes"] = [[100, 200, 300, 500], [0, 0, 10, 10]] if sick else []
            entries.append(entry)
        (root / f"ChestX_Det_{part}.json").write_text(json.dumps(entries))
    return root


def write_medmnist(root: Path) -> Path:
    """One file of arrays."""
    root.mkdir(parents=True, exist_ok=True)
    arrays = {}
    for part, films in (("train", 14), ("val", 4), ("test", 4)):
        labels = np.zeros((films, 14), np.uint8)
        labels[np.arange(0, films, 2), np.arange(0, films, 2) % 14] = 1
        arrays[f"{part}_images"] = _RNG.integers(0, 256, (films, 64, 64), dtype=np.uint8)
        arrays[f"{part}_labels"] = labels
    np.savez(root / "chestmnist_64.npz", **arrays)
    return root


def write_xrv(root: Path) -> Path:
    """torchxrayvision's labels as it prints an array, all of a film in one column."""
    rows = []
    for film in range(1, 13):
        write_picture(root / f"{film}.png")
        labels = ["0."] * 18
        labels[7] = "1." if film % 2 else "nan"
        rows.append([f"{film}.png", f"P{film}", "PA", f"[{' '.join(labels)}]"])
    write_table(root / "labels.csv", ["path", "patientid", "view", "labels"], rows)
    return root


def write_own(root: Path) -> Path:
    """A hospital's own table: columns of 0, 1 and blanks under names of its own."""
    rows = []
    for film in range(1, 25):
        name = f"scans/{film:03d}.png"
        write_picture(root / name)
        person, view = f"MRN {1000 + (film + 1) // 2}", ("PA", "AP")[film % 2]
        effusion, oedema = str(film % 2), "" if film == 4 else str(int(film % 4 == 0))
        rows.append([name, person, 30 + film, "female", view, effusion, oedema, "1" if film == 5 else "0"])
    header = ["file", "MRN", "age", "sex", "view", "pleural effusion", "pulmonary oedema", "rib fracture"]
    write_table(root / "films.csv", header, rows)
    return root


def write_own_in_words(root: Path) -> Path:
    """A hospital's own table: what a film has in words, several of them in one cell; no view."""
    rows = []
    for film in range(1, 13):
        write_picture(root / f"film{film}.png")
        words = "Pleural effusion; Enlarged heart" if film % 2 else "Normal"
        rows.append([f"film{film}.png", 100 + film, "" if film == 12 else words, "frontal"])
    write_table(root / "films.csv", ["film", "patient id", "report says", "projection"], rows)
    return root


SETS = {
    "chexpert": write_chexpert,
    "mimic": write_mimic,
    "padchest": write_padchest,
    "vindr": write_vindr,
    "rsna": write_rsna,
    "siim": write_siim,
    "openi": write_openi,
    "chestx-det": write_chestx_det,
    "xrv": write_xrv,
    "medmnist": write_medmnist,
    "csv": write_own,
}
"""What writes a folder of each kind."""


def refused(act: Callable[[], object]) -> str:
    """The sentence with which something is refused."""
    with pytest.raises(DataError) as caught:
        act()
    return str(caught.value)


def importing(kind: str, source: Path, out: Path) -> Callable[[], object]:
    """The import of a source into a folder, to be called."""

    def act() -> object:
        found, mapping = read_source(kind, source)
        return write_import(kind, source, found, mapping, out)

    return act
