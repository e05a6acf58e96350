"""Counts, numbers, intervals and what programs said as text for people."""

import math
import re
import unicodedata

_FORMULA = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""How a formula begins in a spreadsheet; the last four are the same signs in full width."""
_ESCAPE = re.compile(r"\\(?:[\\nrt]|x[0-9a-f]{2}|u[0-9a-f]{4}|U[0-9a-f]{8})")

UNKNOWN_EDITION = "unknown"
"""The edition of labels of which nobody can tell which it is."""
_MARKS = re.compile(
    r"[\\`*~$|<>\[\]]"  # code, emphasis, LaTeX, tables, HTML, links, pictures
    r"|(?<![^\W_])_|_(?![^\W_])"  # emphasis again, but not within a name
    r"|:(?=[A-Za-z])"  # directives such as :red[…]
    r"|&(?=#?\w+;)"
    r"|^(?:[#+-](?=[#+ -]|$)|=)"  # headings and lists
)
_NUMBERED = re.compile(r"^(\d+)(?=[.)](?: |$))")

NOT_LABELLED = "not labelled here"
"""What stands for a finding whose label is known of no film."""


def capital(text: str) -> str:
    """The text with a capital, unless it begins with a name such as `film.png`; capitals that it has stay."""
    first = text.partition(" ")[0].rstrip(".,:;")
    return text[0].upper() + text[1:] if first.isalpha() and first.islower() else text


def device_title(name: str) -> str:
    """What people call a device: `CPU` for `cpu`, others by their names."""
    return "CPU" if name == "cpu" else name


def counted(count: int, noun: str, plural: str = "") -> str:
    """`1 film`, `22,433 films`; a plural of another kind is given: `2 boxes`."""
    return f"{count:,} {noun if count == 1 else plural or f'{noun}s'}"


def verb(count: int, one: str, several: str) -> str:
    """The verb behind a count: `1 film has`, `2 films have`."""
    return one if count == 1 else several


def are(count: int) -> str:
    """The verb behind a count: `1 film is`, `2 films are`."""
    return verb(count, "is", "are")


def few_patients(positive: int, negative: int) -> str:
    """`3 validation patients` of those that have a finding, or of those without it if they are fewer.

    `not labelled in validation` if it is known of none whether they have it.
    """
    if not positive and not negative:
        return "not labelled in validation"
    without = " without it" if negative < positive else ""
    return counted(min(positive, negative), "validation patient") + without


def last_line(text: str, absent: str) -> str:
    """The last line of what a program said, without spaces around it; `absent` if it said nothing."""
    return (text.strip().splitlines() or [absent])[-1].strip()


def number(value: float | None, absent: str = "undefined", digits: int = 3) -> str:
    """`0.812`; `absent` if there is no value, or NaN."""
    return absent if value is None or math.isnan(value) else f"{value:z.{digits}f}"


def percent(share: float, digits: int = 1) -> str:
    """`93.4%`; `<0.1%` and `>99.9%` of a share that is neither none nor all, but would be rounded to it."""
    return f"{_within(100 * share, 100, digits)}%"


def probability(value: float, digits: int = 3) -> str:
    """`0.934`; `<0.001` and `>0.999` of what is neither 0 nor 1, but would be rounded to it."""
    return _within(value, 1, digits)


def significant(value: float) -> str:
    """Three digits that count, as `0.0123`; `>0.999` of what is below 1, but would be rounded to it."""
    text = f"{value:z.3g}"
    return ">0.999" if value < 1 and text == "1" else text


def _within(value: float, most: int, digits: int) -> str:
    """A value from 0 to `most`, which only 0 and `most` themselves are rounded to."""
    text, step = f"{value:.{digits}f}", 10**-digits
    if value < most and float(text) == most:
        return f">{most - step:.{digits}f}"
    return f"<{step:.{digits}f}" if value > 0 and float(text) == 0 else text


def interval(value: float | None, low: float | None, high: float | None) -> str:
    """`0.812 (0.790–0.834)`; `0.812` without an interval, `undefined` without a value."""
    if value is None or low is None or high is None:
        return number(value)
    return f"{number(value)} ({number(low)}–{number(high)})"


def difference(value: float, low: float | None, high: float | None, digits: int = 3) -> str:
    """`+0.012 (-0.003 to +0.027)`; `+0.012` without an interval."""
    if low is None or high is None:
        return f"{value:+z.{digits}f}"
    value_said, low_said, high_said = (f"{one:+z.{digits}f}" for one in (value, low, high))
    return f"{value_said} ({low_said} to {high_said})"


def spread(mean: float | None, deviation: float | None, digits: int = 3) -> str:
    """`0.812 ± 0.004` of several seeds, `0.812` of one."""
    more = "" if deviation is None else f" ± {number(deviation, digits=digits)}"
    return number(mean, "–", digits) + more


def has_plain_digits(text: str) -> bool:
    """Whether it has neither underscores nor digits of other scripts, both of which Python's float takes."""
    return text.isascii() and "_" not in text


def printable(text: str, keep: str = "") -> str:
    r"""Text that only shows: what steers a terminal, turns the direction or is not a character is spelt out.

    Control and format characters, line ends and lone surrogates become `\x1b`, `\u202e`, `\n`, `\udcff`, but
    for those in `keep`.
    """
    if text.isprintable():
        return text
    return "".join(one if one in keep or _shows(one) else _spelt(one) for one in text)


def in_one_line(text: str) -> str:
    """The text with single blanks for blanks and line ends, and only what shows."""
    return printable(" ".join(text.split()))


def in_markdown(text: str) -> str:
    """The text in one line of Markdown that shows it as it is."""
    return escaped(in_one_line(text))


def escaped(text: str) -> str:
    """One line with what Markdown would take for a mark made harmless."""
    return _NUMBERED.sub(r"\1\\", _MARKS.sub(r"\\\g<0>", text))


def as_cell(text: str) -> str:
    """Text as a cell of a CSV that spreadsheets take for text and terminals can show; `from_cell` undoes it.

    A cell that would be a formula, that holds what is not printable or that has blanks at an end begins with
    an apostrophe.
    """
    if printable(text) == text == from_cell(text) == text.strip() and not text.startswith(_FORMULA):
        return text
    shown = printable(text.replace("\\", r"\\"))
    end = len(shown.rstrip())
    return "'" + shown[:end] + "".join(rf"\U{ord(blank):08x}" for blank in shown[end:])


def quoted_cell(text: str) -> str:
    """`as_cell`, in quotes if it needs them; some spreadsheets part cells by semicolons."""
    cell = as_cell(text)
    return '"' + cell.replace('"', '""') + '"' if set(cell) & set(',;"') else cell


def from_cell(cell: str) -> str:
    """The text that `as_cell` made the cell of; any other cell stays as it is."""
    if not cell.startswith("'"):
        return cell
    text = _ESCAPE.sub(lambda found: found[0].encode().decode("unicode_escape"), cell[1:])
    plain = text == cell[1:] == text.strip() and not text.startswith(("'", *_FORMULA))
    return cell if plain else text


def _shows(one: str) -> bool:
    return unicodedata.category(one) not in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def _spelt(one: str) -> str:
    return one.encode("unicode_escape").decode()


def of_edition(edition: str) -> str:
    """What stands behind "labels": `2020`, or `of an unknown edition`."""
    return "of an unknown edition" if edition == UNKNOWN_EDITION else edition


def films_judged(plain: str, split_id: str, data: str) -> str:
    """`all films of clinic (all-68c9)`, which belong to no split; the plain words if no folder is named."""
    return f"all films of {data} ({split_id})" if data else plain


def labels_of(edition: str) -> str:
    """`2020 labels`; `labels of an unknown edition`."""
    return "labels of an unknown edition" if edition == UNKNOWN_EDITION else f"{edition} labels"
