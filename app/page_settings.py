"""The settings of a run as widgets, each bound to the address under its own name."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from xlite.config import TrainConfig, choices_of
from xlite.messages import field_title
from xlite.models.available import model_files
from xlite.runs import form


def setting_widget(name: str, value: Any) -> Any:
    """The widget of one setting; `value` is chosen if neither the address nor this visit says another."""
    text = field_title(name)
    # The others have their one line below them, in sight.
    tip = form.help_sentence(name) if name in form.SHORT else None
    more: dict[str, Any] = {"key": name, "bind": "query-params", "help": tip}
    if choices := choices_of(name):
        return st.selectbox(text, choices, choices.index(value), form.choice, **more)
    if name == "teacher":
        options = _with_typed(name, ["", *model_files()])
        return st.selectbox(text, options, 0, form.teacher_choice, accept_new_options=True, **more) or ""
    if name in form.SUGGESTIONS:
        options = _with_typed(name, [*form.SUGGESTIONS[name], value])
        return st.selectbox(text, options, options.index(value), accept_new_options=True, **more)
    if isinstance(value, bool):
        return st.toggle(text, value, **more)
    if isinstance(value, int):
        return st.number_input(text, value=value, step=1, **more)
    if isinstance(value, float):
        return st.number_input(text, value=value, step=value / 10 or 0.1, format="%g", **more)
    return st.text_input(text, str(value), **more)


def _with_typed(name: str, offered: Sequence[str]) -> list[str]:
    """What is offered for a setting, and what somebody has typed there, each once."""
    typed = st.session_state.get(name)
    return list(dict.fromkeys([*offered, *([typed] if typed else [])]))


def settings_in_columns(names: Sequence[str], values: dict[str, Any], columns: int = 2) -> dict[str, Any]:
    """Widgets beside each other, each with its one line."""
    chosen = {}
    for place, name in enumerate(names):
        if place % columns == 0:
            row = st.columns(columns, gap="medium")
        with row[place % columns]:
            chosen[name] = setting_widget(name, values[name])
            st.caption(form.help_sentence(name))
    return chosen


def default(name: str) -> Any:
    """What a setting is if nobody chose."""
    return TrainConfig.model_fields[name].default
