"""What a run would take and what matters before it is started, as the Train page shows it."""

from collections.abc import Callable, Sequence
from pathlib import Path

import streamlit as st

from xlite.config import TrainConfig
from xlite.data.folder import Changes, changes_for_training
from xlite.errors import RunError, XliteError
from xlite.evaluation.contamination.caveats import TeacherKnows
from xlite.messages import as_code, literal, page_sentence
from xlite.runs.command import absolute_paths
from xlite.text import counted
from xlite.training import probing
from xlite.training.concern_sentences import concern_words
from xlite.training.concerns import (
    AnyConcern,
    FilmCounts,
    TeacherSaw,
    has_gpu,
    look_at_films,
    of_forecast,
    of_settings,
)
from xlite.training.forecast import Forecast, basis, forecast_facts

_PROBE, _FORECAST, _REFUSED, _SAW = "probing", "forecast", "probe-refused", "teacher-saw"
"""Of a visit: the probe that runs, the last forecast and its settings, why there is none, and what the
teacher of which settings has seen.
"""


@st.cache_data(max_entries=8, show_spinner="Looking at the films")
def _films(root: str, split: str, allow_leakage: bool, skip_missing: bool, changed: Changes) -> FilmCounts:
    """What is there to train on; `changed` renews the cache."""
    return look_at_films(Path(root), split, allow_leakage, skip_missing)


@st.cache_resource(show_spinner=False)
def _has_gpu() -> bool:
    return has_gpu()


def films_of(config: TrainConfig) -> FilmCounts:
    """What the run would train and be judged on. DataError if there is no table to read."""
    data = absolute_paths(config).data
    changed = changes_for_training(data)
    return _films(str(data), config.split, config.allow_leakage, config.skip_missing, changed)


def show_films(data: str, films: FilmCounts | None) -> None:
    """The sidebar's folder in one line, and what of it would be used."""
    told = f"**Data folder** {as_code(data)}, as the sidebar has it"
    if films and films.train:
        told += f": {counted(films.train, 'film')} to train on, {films.val:,} to validate, "
        told += f"{films.test:,} to test"
    st.caption(told)


def concerns_of(
    config: TrainConfig, films: FilmCounts, whole: Callable[[Forecast], Forecast] = lambda run: run
) -> list[AnyConcern]:
    """What matters of these settings, as far as is known yet; whole: a run's forecast to that of all runs."""
    found = of_settings(config, films, _has_gpu())
    settings, seen = st.session_state.get(_SAW, (None, None))
    if seen is not None and settings == _measured_by(config):
        found.append(TeacherSaw(seen))
    if (forecast := forecast_of(config)) is not None:
        measured = of_forecast(config, whole(forecast))
        found = [one for one in found if type(one) not in map(type, measured)] + measured
    return found


def keep_seen(config: TrainConfig, seen: TeacherKnows) -> None:
    """Has what the teacher of these settings knows of the test films among what matters."""
    st.session_state[_SAW] = (_measured_by(config), seen)


def knows_teacher(concerns: Sequence[AnyConcern]) -> bool:
    """Whether what matters says what the teacher has seen."""
    return any(isinstance(one, TeacherSaw) for one in concerns)


def show_concerns(concerns: Sequence[AnyConcern]) -> None:
    """A sentence each; those that make a run fail for certain in red."""
    for one in concerns:
        told = page_sentence(RunError(*concern_words(one)))
        if one.refuses:
            st.error(told)
        else:
            st.warning(told, icon=":material/warning:")


def forecast_of(config: TrainConfig) -> Forecast | None:
    """What was measured of exactly these settings in this visit, if it was."""
    settings, forecast = st.session_state.get(_FORECAST, (None, None))
    return forecast if settings == _measured_by(config) else None


def _measured_by(config: TrainConfig) -> TrainConfig:
    """The settings but for the name, which changes nothing."""
    return absolute_paths(config).model_copy(update={"name": ""})


def show_forecast(
    config: TrainConfig,
    disabled: bool,
    facts: Callable[[Forecast], dict[str, str]] = forecast_facts,
    note: str = "",
) -> None:
    """The button that measures, what it measures, and what came of it.

    facts: what is shown of the forecast; note: what else is to be said of it.
    """
    probe: probing.Probing | None = st.session_state.get(_PROBE)
    if probe is not None:
        _watch_probe()
        return
    forecast = forecast_of(config)
    label = "Estimate time, memory and disk" if forecast is None else "Estimate again"
    help = "Trains a few real steps beside this page, in less than 20 s, and makes no run."
    st.button(
        label, icon=":material/timer:", disabled=disabled, help=help, on_click=_start_probe, args=[config]
    )
    if forecast is None:
        return
    with st.container(horizontal=True, gap="large"):
        for title, text in facts(forecast).items():
            st.markdown(f":gray[{title}]  \n**{literal(text)}**", width="content")
    st.caption(f"{literal(basis(forecast))} Student: {literal(forecast.student)}. {literal(note)}".strip())


def _start_probe(config: TrainConfig) -> None:
    """Has a process of its own measure."""
    st.session_state[_PROBE] = probing.Probing(_measured_by(config))


def end_probe() -> None:
    """Ends what is being measured, if anything is: a run that starts has the machine to itself."""
    if (probe := st.session_state.pop(_PROBE, None)) is not None:
        probe.cancel()


@st.fragment(run_every=1)
def _watch_probe() -> None:
    """How long the probe has run, and Cancel; takes over what it found."""
    probe: probing.Probing | None = st.session_state.get(_PROBE)
    if probe is None:
        st.rerun(scope="app")
        return
    told, cancel = st.columns([4, 1], vertical_alignment="center")
    told.caption(f"Trying a few steps on this machine, {probe.elapsed_s:.0f} s so far, under 20 s as a rule")
    if cancel.button("Cancel", icon=":material/close:"):
        end_probe()
        st.rerun(scope="app")
    try:
        forecast = probe.result()
    except (XliteError, OSError) as error:
        st.session_state[_REFUSED] = page_sentence(error)
        _take(probe, None)
    else:
        if forecast is not None:
            _take(probe, forecast)


def _take(probe: probing.Probing, forecast: Forecast | None) -> None:
    """Ends the watch, and keeps what was found."""
    if forecast is not None:
        st.session_state[_FORECAST] = (probe.config, forecast)
    st.session_state.pop(_PROBE, None)
    st.rerun(scope="app")


def show_refusal() -> None:
    """Why the last probe found nothing, once."""
    if told := st.session_state.pop(_REFUSED, None):
        st.error(told)
