"""Messages in the words of a page: settings by the field titles of the form. No streamlit, no torch."""

from collections.abc import Iterable

from xlite.config import TrainConfig
from xlite.errors import Setting, XliteError, retold, sentence

_COLORS = {"running": "green", "queued": "blue", "finished": "blue", "stopped": "orange"}


def field_title(name: str) -> str:
    """What the form calls a setting of a run, such as `Batch size`."""
    return TrainConfig.model_fields[name].title or name


def in_field_titles(text: str, settings: Iterable[str]) -> str:
    """A message for a page, with the fields of the settings that it names: `--skip-missing` becomes
    “Skip missing films”.
    """
    return XliteError(*retold(text, settings)).message(_quoted)


def headline(name: str, state: str, message: str, settings: Iterable[str] = ()) -> str:
    """The name, state and last message of a run or a study, in Streamlit's Markdown."""
    return f"**{name}** :{_COLORS.get(state, 'red')}-badge[{state}] {in_field_titles(message, settings)}"


def page_sentence(error: BaseException) -> str:
    """An error as a page shows it: one sentence with a capital letter and the field titles of the form."""
    text = error.message(_quoted) if isinstance(error, XliteError) else sentence(error)
    first = text.partition(" ")[0].rstrip(",:")
    plain = first.isalpha() and first.islower()  # a name such as `film.png` stays as it is
    return text[0].upper() + text[1:] if plain else text


def _quoted(setting: Setting) -> str:
    return f"“{field_title(setting)}”"
