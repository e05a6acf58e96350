"""What commands say in the words of a page: options by the labels of the form. No streamlit, no torch."""

import re

from xlite.config import TrainConfig
from xlite.errors import sentence

_OPTION = re.compile(r"--(?:no-)?([a-z]+(?:-[a-z]+)*)")
_FIRST_WORD = re.compile(r"[a-z]+(?=[ ,:])")
_COLORS = {"running": "green", "queued": "blue", "finished": "blue", "stopped": "orange"}


def label(name: str) -> str:
    """The label of a setting of a run, such as `Batch size`."""
    return TrainConfig.model_fields[name].title or name


def in_labels(text: str) -> str:
    """A sentence of the command line for a page: `--skip-missing` becomes “Skip missing films”."""

    def labelled(option: re.Match[str]) -> str:
        name = option[1].replace("-", "_")
        return f"“{label(name)}”" if name in TrainConfig.model_fields else option[0]

    return _OPTION.sub(labelled, text)


def headline(name: str, state: str, message: str) -> str:
    """The name, state and last word of a run or a study, in Streamlit's Markdown."""
    return f"**{name}** :{_COLORS.get(state, 'red')}-badge[{state}] {in_labels(message)}"


def page_sentence(error: BaseException) -> str:
    """An error as a page shows it: in one sentence, with a capital letter and the labels of the form."""
    text = in_labels(sentence(error))
    first = _FIRST_WORD.match(text)  # a name such as `film.png` stays as it is
    return text[0].upper() + text[1:] if first else text
