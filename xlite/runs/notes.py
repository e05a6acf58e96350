"""The notes of a row of results.csv: a text for people that can be read back."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from xlite.evaluation.contamination.source_facts import TeacherSeen
from xlite.text import counted

_NAMES = {
    "split_id": "split",
    "label_version": "labels",
    "seed": "seed",
    "train_share": "train share",
    "fold": "without fold",
    "teacher": "teacher",
}
"""How the parts of a row's notes begin, by their fields."""

_SAW, _MAY_HAVE_SEEN = " saw ", " may have seen test films"
_SEEING = {"seen": "teacher", "start_seen": "starting model"}
"""Who knows test films, by the field that counts them."""

T = TypeVar("T")
D = TypeVar("D")


@dataclass(frozen=True)
class Notes:
    """What the notes of a row say, parted by semicolons: `split patient-42-1a2b3c4d; labels 2020; seed 42`.

    seen: what each teacher knows of the test films; start_seen: what each model that it started from does.
    """

    split_id: str
    label_version: str = ""
    seed: int | None = None
    train_share: float = 1.0
    teacher: str = ""
    seen: tuple[TeacherSeen, ...] = ()
    start_seen: tuple[TeacherSeen, ...] = ()
    fold: str = ""

    def __str__(self) -> str:
        values = {
            "split_id": self.split_id,
            "label_version": self.label_version,
            "seed": "" if self.seed is None else str(self.seed),
            "train_share": f"{self.train_share:g}" if self.train_share < 1 else "",
            "fold": self.fold,
            "teacher": self.teacher,
        }
        parts = [f"{_NAMES[field]} {value}" for field, value in values.items() if value]
        for field, who in _SEEING.items():
            parts += filter(None, [_seen_as_text(who, seen) for seen in getattr(self, field)])
        return "; ".join(dict.fromkeys(parts))

    @classmethod
    def read(cls, text: str) -> "Notes":
        """The notes of a row. What else a person may have written there is passed over.

        The text does not say of how many films a teacher knows the patient: it is at least those it has seen.
        """
        said: dict[str, str] = {}
        seen: dict[str, list[TeacherSeen]] = {field: [] for field in _SEEING}
        for part in text.split("; "):
            who = next((field for field, name in _SEEING.items() if _tells_of(name, part)), None)
            if who is not None:
                seen[who] += filter(None, [_read_seen(part.removeprefix(_SEEING[who]))])
                continue
            for field, name in _NAMES.items():
                if part.startswith(f"{name} "):
                    said.setdefault(field, part.removeprefix(f"{name} "))
        return cls(
            said.get("split_id", ""),
            said.get("label_version", ""),
            _parsed(int, said.get("seed", ""), None),
            _parsed(float, said.get("train_share", ""), 1.0),
            said.get("teacher", ""),
            tuple(seen["seen"]),
            tuple(seen["start_seen"]),
            said.get("fold", ""),
        )


def _tells_of(who: str, part: str) -> bool:
    """Whether a part of the notes says what somebody has seen."""
    return part == f"{who}{_MAY_HAVE_SEEN}" or part.startswith(f"{who}{_SAW}")


def _seen_as_text(who: str, seen: TeacherSeen) -> str:
    """`teacher saw 93 of 150 test films (98 counting validation)`; nothing if it knows nobody."""
    if not seen.known:
        return f"{who}{_MAY_HAVE_SEEN}"
    if not seen.patients:
        return ""
    more = f" ({seen.with_val:,} counting validation)" if seen.with_val > seen.trained else ""
    return f"{who}{_SAW}{seen.trained:,} of {counted(seen.films, 'test film')}{more}"


def _read_seen(text: str) -> TeacherSeen | None:
    """What `_seen_as_text` writes behind who it is; None if a person has changed it beyond recognition."""
    if text == _MAY_HAVE_SEEN:
        return TeacherSeen(films=0, trained=0, with_val=0, patients=0, known=False)
    words = text.removeprefix(_SAW).replace(",", "").replace("(", "").split()
    numbers = [_parsed(int, word, None) for word in words]
    match numbers:
        case [int(trained), None, int(films), None, None, int(with_val), None, None]:
            pass
        case [int(trained), None, int(films), None, None]:
            with_val = trained
        case _:
            return None
    return TeacherSeen(films=films, trained=trained, with_val=with_val, patients=with_val)


def _parsed(kind: Callable[[str], T], text: str, otherwise: D) -> T | D:
    try:
        return kind(text)
    except ValueError:
        return otherwise
