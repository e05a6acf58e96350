"""What the gate finds and what it lets pass: the tables of docs/results/guards.md.

    python benchmarks/guards.py --films DATA --others FOLDER --gate FILE.onnx
    python benchmarks/guards.py --others FOLDER  # the gate that ships, on these pictures alone

Films are those of the split's test part, which chose nothing. Each picture of FOLDER, and each that comes
with a library, is judged by the network that did not see it: FILE-fold1.onnx and so on, beside FILE. After
that FILE itself judges them, which may have learned from them.
"""

import argparse
import json
import statistics
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from timeit import Timer

import cv2
import numpy as np
from scipy.stats import binomtest

from xlite.data.folder import NihFolder
from xlite.data.splits import make_split
from xlite.guards.gate import Gate
from xlite.guards.measure import SIDE
from xlite.guards.verdict import REASONS, Guards
from xlite.images import read_image
from xlite.training.gate.augment import Changes, turn
from xlite.training.gate.drawn import DRAWN
from xlite.training.gate.export import NOTES
from xlite.training.gate.pictures import (
    Picture,
    library_pictures,
    phantoms,
    read_others,
    read_thumbnails,
)

_DRAWN_EACH, _PHANTOMS, _SEED = 150, 100, 10_001  # a seed that no training uses
_TURNED = {90: "rotated_90", 180: "rotated_180", 270: "rotated_270"}
_WRONG: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "upside down": lambda film: turn(film, Changes(2)),
    "turned by 90° clockwise": lambda film: turn(film, Changes(1)),
    "turned by 270° clockwise": lambda film: turn(film, Changes(3)),
    "inverted": lambda film: 255 - film,
    "mirrored": lambda film: film[:, ::-1].copy(),
}
_CODES = {
    "upside down": "rotated_180",
    "turned by 90° clockwise": "rotated_90",
    "turned by 270° clockwise": "rotated_270",
    "inverted": "inverted",
    "mirrored": "mirrored",
}
Is = Callable[[Guards], bool]


def line(what: str, found: Sequence[bool]) -> str:
    """A row of a table: how many of how many, the share and its 95 % interval by Wilson."""
    hits, of = sum(found), len(found)
    if not of:
        return f"| {what} | 0 | – | – |"
    low, high = binomtest(hits, of).proportion_ci(method="wilson")
    return f"| {what} | {hits} of {of} | {hits / of:.1%} | {low:.1%} to {high:.1%} |"


def gives(*reasons: str) -> Is:
    """Whether guards give one of these reasons."""
    return lambda guards: bool(set(reasons) & set(guards.reasons))


def verdict(name: str) -> Is:
    """Whether guards come to this verdict."""
    return lambda guards: guards.verdict == name


def spoken(guards: Guards) -> bool:
    """Whether a picture does not simply pass."""
    return guards.verdict != "pass"


def judged(gate: Gate, images: Iterable[np.ndarray]) -> list[Guards]:
    """The guards of each image."""
    return [gate.judge(image) for image in images]


def passes(what: str, guards: Sequence[Guards]) -> list[str]:
    """Three rows on films that should pass."""
    wrong = (
        ("refused", ("refuse",)),
        ("turned or inverted in vain", ("offer",)),
        ("cautioned", ("caution",)),
    )
    return [line(f"{what}: {name}", [verdict(*which)(one) for one in guards]) for name, which in wrong]


def cut(small: np.ndarray, share: float, bottom: bool) -> np.ndarray:
    """A film without a share of its height, at the top or the bottom."""
    lost = round(share * len(small))
    return small[: len(small) - lost] if bottom else small[lost:]


def film_rows(gate: Gate, small: np.ndarray, age: np.ndarray, ap: np.ndarray) -> list[str]:
    """Rows on the test films as they are, by view and age."""
    films = judged(gate, small)

    def row(what: str, those: np.ndarray, is_so: Is) -> str:
        return line(what, [is_so(films[number]) for number in np.flatnonzero(those)])

    adult = ~(age < 18)
    rows = passes("adults", [films[number] for number in np.flatnonzero(adult)])
    rows += [
        row(f"adults, {name}: any word", adult & (ap == view), spoken)
        for name, view in (("PA", 0), ("AP", 1))
    ]
    rows += [row(f"adults: `{reason}`", adult, gives(reason)) for reason in REASONS]
    for name, low, high in (("under 10", 0, 10), ("10 to 17", 10, 18)):
        rows.append(row(f"children {name}: `child`", (age >= low) & (age < high), gives("child")))
    return [*rows, row("children: refused", age < 18, verdict("refuse"))]


def wrong_rows(gate: Gate, small: np.ndarray) -> list[str]:
    """Rows on films that were turned, mirrored, inverted and cut."""
    rows = []
    for degrees, reason in _TURNED.items():
        found = judged(gate, (turn(film, Changes(degrees // 90)) for film in small))
        rows.append(line(f"turned by {degrees}° clockwise", [gives(reason)(one) for one in found]))
    found = judged(gate, (255 - film for film in small))
    rows.append(line("inverted", [gives("inverted")(one) for one in found]))
    found = judged(gate, (255 - turn(film, Changes(2)) for film in small))
    both = [gives("inverted")(one) and gives("rotated_180")(one) for one in found]
    rows.append(line("inverted and upside down: both found", both))
    found = judged(gate, (film[:, ::-1].copy() for film in small))
    rows.append(line("mirrored", [gives("mirrored")(one) for one in found]))
    for share in (0.2, 0.3, 0.4):
        for name, bottom in (("top", False), ("bottom", True)):
            found = judged(gate, (cut(film, share, bottom) for film in small))
            rows.append(line(f"cut: {share:.0%} of the {name} is lost", [gives("cut")(one) for one in found]))
    return rows


def other_rows(pictures: Iterable[Picture], gate_of: Callable[[str], Gate]) -> tuple[list[str], list[str]]:
    """Rows on pictures, each judged by the gate of its name, and the names of those with another verdict."""
    rows, names = [], []
    kinds: dict[str, list[tuple[str, np.ndarray]]] = {}
    for picture in pictures:
        kinds.setdefault(picture.what, []).append((picture.name, picture.small))
    for what, alike in kinds.items():
        guards = [gate_of(name).judge(image) for name, image in alike]
        is_frontal = what.startswith("frontal")
        if is_frontal:
            rows += passes(what, guards)
            for name, change in _WRONG.items():
                found = [gate_of(one).judge(change(image)) for one, image in alike]
                rows.append(line(f"{what}: {name} found", [gives(_CODES[name])(one) for one in found]))
                rows.append(line(f"{what}: {name}, any word", [spoken(one) for one in found]))
        else:
            reason = "lateral" if what == "lateral" else "not_chest"
            rows.append(line(f"{what}: `{reason}`", [gives(reason)(one) for one in guards]))
            rows.append(line(f"{what}: any word", [spoken(one) for one in guards]))
        names += [
            f"{name}: {one.verdict} {';'.join(one.reasons)}"
            for (name, _), one in zip(alike, guards, strict=True)
            if spoken(one) == is_frontal
        ]
    return rows, names


def drawn_rows(gate: Gate) -> list[str]:
    """Rows on drawn pictures of seeds that no training used."""
    rows = []
    for name, draw in DRAWN.items():
        rng = np.random.default_rng(_SEED)
        found = judged(gate, (draw(rng) for _ in range(_DRAWN_EACH)))
        rows.append(line(f"{name}: refused", [verdict("refuse")(one) for one in found]))
        rows.append(line(f"{name}: any word", [spoken(one) for one in found]))
    rows += passes("phantom", judged(gate, phantoms(_PHANTOMS, _SEED)))
    return rows


def table(title: str, rows: list[str]) -> None:
    """Prints a table in Markdown."""
    print(
        f"\n## {title}\n\n| pictures | n | share | 95 % interval |\n|---|---|---|---|",
        *rows,
        sep="\n",
        flush=True,
    )


def film_tables(gate: Gate, data: Path, split_name: str, left_out: Sequence[str]) -> None:
    """Prints the tables on the test films of a split, as they are and made wrong, and what a film costs."""
    folder = NihFolder.open(data)
    split = make_split(folder, split_name)
    films = read_thumbnails(folder, [stem for stem in split.stems("test") if stem not in left_out])
    print(f"split {split.id}, {len(films.stems)} test films; {gate.limits}")
    table("Films as they are", film_rows(gate, films.small, films.age, films.ap))
    table("Films made wrong", wrong_rows(gate, films.small[~(films.age < 18)]))
    for stem in left_out:
        if stem in folder.paths:
            print(f"{stem}: {';'.join(gate.judge(read_image(folder.paths[stem])).reasons)}")
    large = cv2.resize(films.small[0], (1024, 1024))
    for side, image in ((SIDE, films.small[0]), (1024, large)):
        seconds = Timer(partial(gate.judge, image)).repeat(200, number=1)
        print(f"{side} px: {1000 * statistics.median(seconds):.2f} ms (median)")


def folds_of(path: Path) -> dict[str, Gate]:
    """By the name of a picture the network beside the gate's file that did not see it."""
    gates: dict[str, Gate] = {}
    for file in sorted(path.parent.glob(f"{path.stem}-fold*.onnx")):
        fold = Gate.load(file)
        notes = json.loads(fold.session.get_modelmeta().custom_metadata_map[NOTES])
        gates |= dict.fromkeys(notes["held_out"], fold)
    return gates


def main() -> None:
    """Prints the tables that were asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--films", type=Path, help="a data folder; without it no table on films of a split")
    parser.add_argument("--others", type=Path, required=True)
    parser.add_argument("--gate", type=Path, help="by default the one that ships, without other networks")
    parser.add_argument("--split", default="chexnet")
    parser.add_argument(
        "--leave-out", nargs="*", default=[], help="stems of films that are known to be wrong"
    )
    args = parser.parse_args()
    cv2.setNumThreads(1)
    gate = Gate.load(args.gate)
    if args.films:
        film_tables(gate, args.films, args.split, args.leave_out)
    pictures = [*read_others(args.others), *library_pictures()]
    folds = folds_of(args.gate) if args.gate else {}
    judges = {"each judged by a network that did not see it": folds.__getitem__} if folds else {}
    for by, gate_of in (judges | {"judged by the gate itself": lambda _: gate}).items():
        rows, names = other_rows(pictures, gate_of)
        table(f"Other pictures, {by}", rows)
        print("", *names, sep="\n- ")
    if args.films:
        table("Drawn pictures", drawn_rows(gate))


if __name__ == "__main__":
    main()
