"""Which films and pictures a model calls unlike its training films: the last table of docs/results/guards.md.

    python benchmarks/likeness.py MODEL --films DATA --others FOLDER --split unseen

Films are those of the split's test part, whose patients the model does not know. Beside what the model says
stands the gate that ships.
"""

import argparse
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from guards import judged, spoken
from scipy.stats import binomtest

from xlite.classify import Classifier
from xlite.data.folder import NihFolder
from xlite.data.split_files import load_split
from xlite.guards.gate import Gate
from xlite.images import read_image
from xlite.training.gate.pictures import library_pictures, phantoms, read_others

_SPOILT, _PHANTOMS, _SEED = 200, 100, 10_001
_FIELDS, _GREYS, _QUALITY, _CHILD = 20, 4, 4, 18


def texted(film: np.ndarray) -> np.ndarray:
    """Written over with lines of text."""
    out, scale = film.copy(), film.shape[1] / 400
    for y in range(int(20 * scale), len(film), int(26 * scale)):
        cv2.putText(out, "The quick brown fox jumps over it", (4, y), 0, 0.6 * scale, 255, 1, cv2.LINE_AA)
    return out


def mosaic(film: np.ndarray) -> np.ndarray:
    """In fields of one grey each."""
    small = cv2.resize(film, (_FIELDS, _FIELDS), interpolation=cv2.INTER_AREA)
    return cv2.resize(small, film.shape[::-1], interpolation=cv2.INTER_NEAREST)


def posterised(film: np.ndarray) -> np.ndarray:
    """In a few greys."""
    step = 256 // _GREYS
    return (film // step * step + step // 2).astype(np.uint8)


def compressed(film: np.ndarray) -> np.ndarray:
    """As a JPEG of hardly any quality."""
    content = cv2.imencode(".jpg", film, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])[1]
    decoded = cv2.imdecode(content, cv2.IMREAD_GRAYSCALE)
    assert decoded is not None
    return decoded


def equalised(film: np.ndarray) -> np.ndarray:
    """With strong local contrast."""
    return cv2.createCLAHE(8.0, (8, 8)).apply(film)


def boxed(film: np.ndarray) -> np.ndarray:
    """With a box over 16 % of it, black or white by the film's mean."""
    out, (height, width) = film.copy(), film.shape
    grey = 0 if film.mean() > 127 else 255
    out[int(0.3 * height) : int(0.7 * height), int(0.3 * width) : int(0.7 * width)] = grey
    return out


def doubled(film: np.ndarray) -> np.ndarray:
    """Twice side by side."""
    return np.hstack([film, film])


def paced(film: np.ndarray) -> np.ndarray:
    """With a drawn pacemaker."""
    out, (height, width) = film.copy(), film.shape
    centre = int(0.68 * width), int(0.25 * height)
    cv2.ellipse(out, centre, (width // 18, width // 24), 0, 0, 360, 250, -1, cv2.LINE_AA)
    cv2.line(out, centre, (int(0.52 * width), int(0.6 * height)), 240, max(width // 150, 1), cv2.LINE_AA)
    return out


SPOILT: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "written over with text": texted,
    f"as a mosaic of {_FIELDS} x {_FIELDS} fields": mosaic,
    "in four greys": posterised,
    f"JPEG of quality {_QUALITY}": compressed,
    "strong local contrast (CLAHE)": equalised,
    "upside down": lambda film: film[::-1, ::-1].copy(),
    "inverted": lambda film: 255 - film,
    "a black or white box over 16 %": boxed,
    "two in one": doubled,
    "a drawn pacemaker": paced,
}


def share(hits: int, of: int) -> str:
    """A share with its 95 % interval by Wilson."""
    if not of:
        return "none"
    low, high = binomtest(hits, of).proportion_ci(method="wilson")
    return f"{hits} of {of} ({hits / of:.1%}, {low:.1%} to {high:.1%})"


def row(what: str, images: list[np.ndarray], classifier: Classifier, gate: Gate) -> str:
    """A row of the table on pictures of one kind."""
    spoke = [spoken(one) for one in judged(gate, images)]
    outputs = [classifier.output(classifier.input(image), None) for image in images]
    unlike = [classifier.unlike(output.film(0)) is not None for output in outputs]
    beside = [far for far, said in zip(unlike, spoke, strict=True) if not said]
    passing = f"{sum(beside)} of {len(beside)}" if beside else "none passes"
    return (
        f"| {what} | {len(images)} | {np.mean(spoke):.1%} | {share(sum(unlike), len(unlike))} | {passing} |"
    )


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model")
    parser.add_argument("--films", type=Path, required=True)
    parser.add_argument("--others", type=Path, required=True)
    parser.add_argument("--split", default="unseen")
    args = parser.parse_args()
    cv2.setNumThreads(1)
    classifier, gate, folder = Classifier.load(args.model), Gate.load(), NihFolder.open(args.films)
    split = load_split(folder, args.split)
    stems = split.stems("test")
    films = [read_image(folder.paths[stem]) for stem in stems]
    child = folder.table.iloc[folder.rows(stems)]["age"].to_numpy(np.float64) < _CHILD
    adults = [film for film, young in zip(films, child, strict=True) if not young]
    kinds = {
        "NIH films, adults": adults,
        "NIH films, children": [film for film, young in zip(films, child, strict=True) if young],
        "phantoms": list(phantoms(_PHANTOMS, _SEED)),
    }
    for picture in (*read_others(args.others), *library_pictures()):
        kinds.setdefault(picture.what, []).append(picture.small)
    for what, spoil in SPOILT.items():
        kinds[f"NIH films, {what}"] = [spoil(film) for film in adults[:_SPOILT]]
    print(f"{classifier.name}: split {split.id}, {len(stems)} test films, seed of the phantoms {_SEED}\n")
    print("| films and pictures | n | gate: any word | unlike | of those that the gate passes |")
    print("|---|---|---|---|---|")
    for what, images in kinds.items():
        print(row(what, images, classifier, gate), flush=True)


if __name__ == "__main__":
    main()
