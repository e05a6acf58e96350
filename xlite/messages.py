"""Messages in the words of a page: settings by the field titles of the form, and text from outside, which a
page shows as it is. No streamlit, no torch.
"""

import re
from collections.abc import Iterable

from xlite.config import TrainConfig
from xlite.errors import Option, Setting, XliteError, sentence
from xlite.public import without_paths
from xlite.text import capital, escaped, in_one_line

_MADE_LINKS = re.compile(r"(?<=:)(?=//)|(?<=\bwww)(?=\.)|(?<=\w)(?=@\w)|(?<=:)(?=[\w+/-]+:)", re.IGNORECASE)
"""Where Streamlit makes a link or a symbol, whether it is escaped or not."""
_JOINER = "\u2060"
_COLORS = {"running": "green", "queued": "blue", "finished": "blue", "stopped": "orange"}


def field_title(name: str) -> str:
    """What the form calls a setting of a run, such as `Batch size`."""
    return TrainConfig.model_fields[name].title or name


def in_field_titles(words: Iterable[str]) -> str:
    """The words of a message for a page: the setting `skip_missing` becomes “Skip missing films”."""
    return XliteError(*words).message(_quoted)


def literal(text: str) -> str:
    """Text from outside, such as a film's name, in Markdown that Streamlit shows as it is, in one line.

    Nothing in it is a mark, HTML, a picture, LaTeX, a colour or a link; what is not printable is spelt out.
    """
    return _escaped(_shown(text))


def as_code(text: str) -> str:
    """Text from outside as code in Markdown, such as a path."""
    shown = _shown(text)
    fence = "`" * (1 + max(map(len, re.findall("`+", shown)), default=0))
    return f"{fence} {shown} {fence}" if len(fence) > 1 else f"`{shown}`"


def said(text: str) -> str:
    """A sentence as Markdown: literal, but for commands between backticks, which are code."""
    pieces = _shown(text).split("`")
    if len(pieces) % 2 == 0 or "" in pieces[1:-1]:  # no pairs, or code of another kind
        return literal(text)
    return "`".join(piece if place % 2 else _escaped(piece) for place, piece in enumerate(pieces))


def _shown(text: str) -> str:
    return in_one_line(without_paths(text))


def _escaped(text: str) -> str:
    return escaped(_MADE_LINKS.sub(_JOINER, text))


def headline(name: str, state: str, words: Iterable[str]) -> str:
    """The name, state and words of the last message of a run or a study, in Streamlit's Markdown.

    A message whose first word is the state does not repeat it.
    """
    first, *rest = words
    told = said(in_field_titles(rest if first == state else (first, *rest)))
    return f"**{literal(name)}** :{_COLORS.get(state, 'red')}-badge[{state}] {told}"


def page_sentence(error: BaseException) -> str:
    """An error as a page shows it, in Streamlit's Markdown: `in_words` with no marks but code."""
    return said(in_words(error))


def in_words(error: BaseException) -> str:
    """An error in one sentence with a capital letter and the field titles of the form."""
    text = error.message(_quoted) if isinstance(error, XliteError) else sentence(error)
    return capital(text)


def _quoted(word: Setting | Option) -> str:
    return f"“{word.field_title if isinstance(word, Option) else field_title(word)}”"
