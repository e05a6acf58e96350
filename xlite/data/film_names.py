"""How films are named: without folder and suffix in tables, one or several on a line of a list."""

import re

_SUFFIXES = r"\.(png|jpe?g|dcm|dicom|ima|tiff?|bmp|webp|jp2|npy)"
_SUFFIX = re.compile(f"{_SUFFIXES}$", re.IGNORECASE)
# Of a web page, a terminal, JSON; or several films behind one another.
_NO_NAME = re.compile(rf"[<>\x00-\x1f\x7f]|^\W+$|{_SUFFIXES}[^\w./\\ -]", re.IGNORECASE)
_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]*)?")
_QUOTES = "\"'"


def stem_of(name: str) -> str:
    r"""The name that a film is known by: of `images/00000001_000.png` and `D:\cxr\00000001_000.PNG` the same.

    Only a film's suffix is left out: `1.2.840.77.1000` is a whole name.
    """
    base = name.strip().replace("\\", "/").rpartition("/")[2]
    return _SUFFIX.sub("", base) or base


def has_suffix(name: str) -> bool:
    """Whether a name ends as films do, in any case of letters."""
    return _SUFFIX.search(name) is not None


def names_in(line: str) -> list[str]:
    """The films that a line of a list names, one or several, in quotes or not; none if it cannot be told.

    Several stand between commas, semicolons, tabs or blanks. Numbers behind a film are its labels, as in the
    lists of CheXNet.
    """
    words = _split(r"[,;\s]", line)
    if len(words) < 2:
        names = words
    elif several := next(filter(_are_films, (words, _split(r"[,;\t]", line))), None):
        names = several
    elif has_suffix(words[0]) and all(map(_NUMBER.fullmatch, words[1:])):
        names = words[:1]
    elif has_suffix(words[-1]) and not any(
        has_suffix(word) or _NUMBER.fullmatch(word) for word in words[:-1]
    ):
        names = [line.strip().strip(_QUOTES)]
    else:
        names = []
    return [] if any(map(_NO_NAME.search, names)) else names


def _split(separators: str, line: str) -> list[str]:
    parts = (part.strip().strip(_QUOTES) for part in re.split(separators, line))
    return [part for part in parts if part]


def _are_films(names: list[str]) -> bool:
    """Whether several names are surely films: all have a suffix, or all are alike but for their digits."""
    alike = len({re.sub("[0-9]+", "0", name) for name in names}) == 1
    return len(names) > 1 and (alike or all(map(has_suffix, names)))
