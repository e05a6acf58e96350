"""Real pictures that the gate learns from: of a data folder, of other kinds, and of installed libraries.

All are thumbnails uint8 (224, 224). Pictures that are alike share a group; a group is held out whole.
"""

import csv
import importlib.util
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pydicom

from xlite.data.folder import NihFolder
from xlite.data.phantom.draw import draw_film
from xlite.data.phantom.labels import draw_labels
from xlite.errors import DataError
from xlite.guards.measure import SIDE, thumbnail
from xlite.images import is_image_name, read_image

FRONTAL, LATERAL, OTHER = range(3)
FOLDERS = {"lateral": LATERAL, "ct_slice": OTHER, "frontal_elsewhere": FRONTAL, "frontal_icu": FRONTAL}
"""What a folder of other films may hold; whatever else lies there is no chest X-ray."""
_PHOTOS = (
    "skimage/data",
    "sklearn/datasets/images",
    "gradio/media_assets/images",
    "matplotlib/mpl-data/sample_data",
)
_DICOM = (
    *("CT_small.dcm", "693_J2KI.dcm", "J2K_pixelrep_mismatch.dcm", "MR_small.dcm", "examples_overlay.dcm"),
    *("JPEG2000.dcm", "ExplVR_BigEnd.dcm", "examples_palette.dcm"),
    *("examples_rgb_color.dcm", "examples_ybr_color.dcm", "examples_jpeg2k.dcm", "SC_rgb_jpeg_dcmtk.dcm"),
)
_SUFFIXES = {".png", ".jpg", ".jpeg"}
_SMALLEST = 64
_ALIKE = 0.9


@dataclass(frozen=True)
class Picture:
    """A picture, its group, and what it is: a kind of file for the tables, and one of the three kinds."""

    name: str
    group: str
    what: str
    kind: int
    small: np.ndarray


@dataclass(frozen=True)
class Thumbnails:
    """Films of a data folder with what the table says.

    small: uint8 (N, 224, 224); age: years, NaN if not given; ap: 1 for AP, 0 for PA, NaN if not given.
    """

    stems: list[str]
    small: np.ndarray
    age: np.ndarray
    ap: np.ndarray


def read_thumbnails(folder: NihFolder, stems: list[str]) -> Thumbnails:
    """The thumbnails of these films of a folder; those without a file are left out."""
    there = [stem for stem in stems if stem in folder.paths]
    if not there:
        raise DataError(
            f"{folder.root} has none of the {len(stems):,} films of the part; get the films first"
        )
    with ThreadPoolExecutor(2) as pool:
        small = np.stack(list(pool.map(lambda stem: thumbnail(read_image(folder.paths[stem])), there)))
    table = folder.table.iloc[folder.rows(there)]
    view = table["view"].to_numpy()
    ap = np.where(view == "AP", 1.0, np.where(view == "PA", 0.0, np.nan))
    return Thumbnails(there, small, table["age"].to_numpy(np.float64), ap)


def phantoms(count: int, seed: int) -> np.ndarray:
    """Thumbnails of drawn films, uint8 (N, 224, 224)."""
    return np.stack([draw_film(film, SIDE, seed).image for film in draw_labels(count, count, seed)])


def read_others(folder: Path) -> list[Picture]:
    """The pictures in the subfolders of a folder; `sources.csv` says which are of one case."""
    table = folder / "sources.csv"
    sources: dict[str, str] = {}
    if table.is_file():
        with table.open(newline="", encoding="utf-8") as file:
            sources = {row["file"]: row["source"] for row in csv.DictReader(file)}
    found = []
    for path in sorted(path for path in folder.glob("*/*") if is_image_name(path.name)):
        name, what = path.relative_to(folder).as_posix(), path.parent.name
        small = thumbnail(read_image(path))
        found.append(Picture(name, sources.get(name, name), what, FOLDERS.get(what, OTHER), small))
    return found


def library_pictures() -> list[Picture]:
    """Photographs, CT, MR and ultrasound that come with installed libraries, those alike in one group."""
    found = [
        *(("photograph", name, image) for name, image in _photographs()),
        *(("pydicom", name, image) for name, image in _dicom_frames()),
    ]
    pictures: list[Picture] = []
    for what, name, image in found:
        small = thumbnail(image)
        like = next((other for other in pictures if _alike(other.small, small)), None)
        pictures.append(Picture(name, like.group if like else name, what, OTHER, small))
    return pictures


def deal(groups: list[str], folds: int, seed: int) -> dict[str, int]:
    """A fold, 1 to `folds`, for each group: those with the most pictures first, each to the smallest fold."""
    names, counts = np.unique(groups, return_counts=True)
    order = np.random.default_rng(seed).permutation(len(names))
    sizes = [0] * folds
    dealt = {}
    for index in sorted(order, key=lambda index: -counts[index]):
        fold = int(np.argmin(sizes))
        sizes[fold] += int(counts[index])
        dealt[str(names[index])] = fold + 1
    return dealt


def _photographs() -> Iterator[tuple[str, np.ndarray]]:
    for place in _PHOTOS:
        package, _, inner = place.partition("/")
        spec = importlib.util.find_spec(package)
        if spec is None or spec.origin is None:
            continue
        for path in sorted((Path(spec.origin).parent / inner).iterdir()):
            image = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE) if path.suffix in _SUFFIXES else None
            if image is not None and min(image.shape) >= _SMALLEST:
                yield f"{package}/{path.name}", image


def _dicom_frames() -> Iterator[tuple[str, np.ndarray]]:
    """CT, MR and others of pydicom's test files; X-Lite's own reader would refuse them by their type."""
    for name in _DICOM:
        pixels = pydicom.dcmread(Path(pydicom.__file__).parent / "data" / "test_files" / name).pixel_array
        grey = (pixels.mean(-1) if pixels.shape[-1] == 3 else pixels).astype(np.float32)
        grey = grey[len(grey) // 2] if grey.ndim > 2 else grey
        yield f"pydicom/{name}", (255 * (grey - grey.min()) / np.ptp(grey)).astype(np.uint8)


def _alike(a: np.ndarray, b: np.ndarray) -> bool:
    """Whether two thumbnails show much the same: their greys, coarsely, correlate."""
    x, y = (
        cv2.resize(small, (24, 24), interpolation=cv2.INTER_AREA).ravel().astype(float) for small in (a, b)
    )
    return bool(x.std() and y.std() and np.corrcoef(x, y)[0, 1] > _ALIKE)
