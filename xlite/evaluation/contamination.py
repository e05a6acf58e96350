"""What a student's teachers know of the films that it is judged on. No torch.

A source is a dict in a model file's notes, one for each set of films that a teacher learned from:
{"split": id} for a run of X-Lite's own, {"list": file name} where its training list is known,
{"predictions": file name} where nothing is but its answers, and {"said": sentence} where all that is known is
a sentence. Where those films were there to count when the
student was trained, it also has `counted_on`, the student's split, and `seen`, a Seen for each of that
split's val and test parts.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from xlite.data.folder import NihFolder
from xlite.data.leakage import of_known_patients
from xlite.data.splits import CHEXNET_LISTS, Split, read_split
from xlite.data.tables import read_list
from xlite.errors import DataError
from xlite.evaluation.caveats import TeacherSeen
from xlite.evaluation.doubts import Doubt
from xlite.text import counted

_SPLIT_ID = re.compile(r"(?P<name>.+)-\d+-[0-9a-f]{8}(-leaky)?")
_JUDGED_ON = ("val", "test")

Source = Mapping[str, Any]


@dataclass(frozen=True)
class Seen:
    """Of so many `films`, how many a teacher was trained on, how many with those that it was chosen by, and
    of how many it knows the patient.
    """

    films: int
    trained: int
    with_val: int
    patients: int


def find_split(folder: NihFolder, split_id: str) -> Split | None:
    """The folder's split of that id; None where it has none."""
    match = _SPLIT_ID.fullmatch(split_id)
    if not match or not (folder.root / "splits" / match["name"]).is_dir():
        return None
    try:
        split = read_split(folder, match["name"], allow_leakage=True)
    except DataError:  # a split that was changed by hand is not the one that is asked for
        return None
    return split if split.id == split_id else None


def count(source: Source, folder: NihFolder, split: Split, given: Path | None = None) -> Source:
    """The source with what it knows of the split's films, where its own films are known here."""
    known = _films(source, folder, given)
    if known is None:
        return source
    seen = {part: asdict(_seen(known, split.stems(part), folder)[0]) for part in _JUDGED_ON}
    listed = {"digest": known[2]} if known[2] else {}
    return {**source, **listed, "counted_on": split.id, "seen": seen}


def is_here(source: Source, folder: NihFolder) -> bool:
    """Whether its films can be counted in this folder."""
    return _films(source, folder, None) is not None


def doubts(
    sources: Iterable[Source],
    folder: NihFolder,
    stems: Sequence[str],
    split_id: str,
    part: str,
    given: Path | None = None,
) -> list[Doubt]:
    """What is to be said of the teachers where the student is judged on these films, a part of a split, each
    with the number of films whose patient the teacher knows.

    `given` is the file of the list that is called so. Raises DataError where that cannot be read.
    """
    said = (_doubt(source, folder, stems, split_id, part, given) for source in sources)
    return list(dict.fromkeys(doubt for doubt in said if doubt.text))


def seen_in_test(sources: Iterable[Source], split_id: str) -> list[TeacherSeen]:
    """What the teachers know of the test part of the split that the student was trained on."""
    found = []
    for source in sources:
        if source.get("counted_on") != split_id:
            found.append(TeacherSeen(films=0, trained=0, with_val=0, patients=0, known=False))
        elif source["seen"]["test"]["patients"]:
            found.append(TeacherSeen(**source["seen"]["test"]))
    return list(dict.fromkeys(found))


def _doubt(
    source: Source, folder: NihFolder, stems: Sequence[str], split_id: str, part: str, given: Path | None
) -> Doubt:
    known, which = _films(source, folder, given), []
    if known is not None:
        seen, which = _seen(known, stems, folder)
    elif source.get("counted_on") == split_id and part in source["seen"]:
        seen = Seen(**source["seen"][part])
    elif "said" in source:
        return Doubt(source["said"])
    elif "predictions" in source:
        return Doubt(
            f"what the model behind the predictions {source['predictions']} was trained on is not known: "
            "--teacher-list FILE tells"
        )
    elif "split" in source:
        return Doubt(
            f"a teacher learned from split {source['split']}, which this folder does not have, so whether it "
            "knows these films is not known"
        )
    else:
        return Doubt(
            f"a teacher was trained on the films of {source['list']}, which is not here, so whether it knows "
            "these films is not known: --teacher-list FILE tells"
        )
    if not seen.patients:
        return Doubt("")
    trained_on = _share_of(seen, f"the {counted(seen.films, f'{part} film')} of split {split_id}")
    text = f"a teacher was trained on {trained_on}, and knows the patients of {seen.patients:,} of them"
    return Doubt(text, seen.patients, frozenset(which))


def _share_of(seen: Seen, films: str) -> str:
    more = f" ({seen.with_val:,} counting validation)" if seen.with_val > seen.trained else ""
    return f"{seen.trained:,} of {films}{more}"


def _films(source: Source, folder: NihFolder, given: Path | None) -> tuple[list[str], list[str], str] | None:
    """The stems that a teacher was trained on and chosen by, and its list's digest; None where not here."""
    if "split" in source:
        split = find_split(folder, source["split"])
        return split and (split.stems("train"), split.stems("val"), "")
    if "list" not in source:
        return None
    named = given is not None and given.name == source["list"]
    path = given if named else folder.root / source["list"]
    if not named and not path.is_file():
        return None
    trained = read_list(path)
    digest = hashlib.sha256("\n".join(trained).encode()).hexdigest()[:16]
    if not named and source.get("digest", digest) != digest:
        return None
    of_val = path.with_name(CHEXNET_LISTS[1])
    return trained, read_list(of_val) if path.name == CHEXNET_LISTS[0] and of_val.is_file() else [], digest


def _seen(
    known: tuple[list[str], list[str], str], stems: Sequence[str], folder: NihFolder
) -> tuple[Seen, list[str]]:
    """What a teacher knows of the films, and which of them are of patients that it knows."""
    trained, of_val, _ = known
    which = of_known_patients(trained + of_val, stems, folder.table)
    seen = Seen(
        films=len(set(stems)),
        trained=len(set(stems) & set(trained)),
        with_val=len(set(stems) & {*trained, *of_val}),
        patients=len(which),
    )
    return seen, which
