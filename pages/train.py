import shlex
from collections.abc import Sequence
from typing import Any, Literal, get_args, get_origin

import streamlit as st
from page_parts import show_command, show_curves, show_log
from pydantic.fields import FieldInfo

from xlite.cli.extras import lacking
from xlite.config import TrainConfig, make_config
from xlite.data.strategies import LEAK_FREE
from xlite.errors import XliteError
from xlite.messages import field_title, headline, literal, page_sentence
from xlite.runs import slurm
from xlite.runs.command import absolute_paths, start_command, train_command
from xlite.runs.run import Run
from xlite.runs.status import LIVE, RunStatus, facts

GROUPS = {
    "Data": ["data", "name", "split", "train_share", "fold", "allow_leakage", "skip_missing"],
    "Model": ["backbone", "weights", "stages", "attention", "hidden", "dropout", "image_size"],
    "Distillation": ["teacher", "alpha", "temperature", "teacher_list", "feature_weight"],
    "Loss": ["loss", "focal_gamma", "focal_alpha", "auxiliary", "sampler", "augment", "flip", "mixup"],
    "Schedule": [
        "epochs",
        "batch_size",
        "lr",
        "backbone_lr",
        "layer_decay",
        "weight_decay",
        "decay_norms",
        "warmup_epochs",
        "patience",
        "grad_clip",
        "ema",
    ],
    "Machine": [
        "device",
        "precision",
        "seed",
        "workers",
        "devices",
        "nodes",
        "accumulate",
        "auto_batch",
        "grad_checkpointing",
        "compile",
        "tensorboard",
    ],
}
NOTES = {
    "Distillation": "Without a teacher the student trains alone; alpha and temperature do nothing.",
    "Loss": "  \n".join(
        f"**{field_title(name)}.** {TrainConfig.model_fields[name].description}."
        for name in ("loss", "sampler")
    ),
}
CHOICES = {
    "none": "None",
    "mhsa": "Multi-head self-attention",
    "performer": "Performer (linear attention)",
    "bce": "Plain BCE",
    "weighted_bce": "Weighted BCE",
    "focal": "Focal",
    "weighted_focal": "Weighted focal",
    "shuffle": "Shuffled",
    "balanced": "Balanced",
    "light": "Light",
    "design": "As in the design document",
    "auto": "Automatic",
    "32": "32 bit",
    "bf16": "bfloat16",
    "16": "16 bit",
}
SUGGESTIONS: dict[str, Sequence[str]] = {
    "split": LEAK_FREE,
    "backbone": [
        "efficientnet_b0",
        "mobilenetv3_small_100",
        "resnet18",
        "mobilenetv3_large_100",
        "convnext_tiny",
        "densenet121",
    ],
    "weights": ["imagenet", "none"],
    "device": ["auto", "cpu", "cuda"],
}
A_ROW = 3


def field_widget(name: str, field: FieldInfo, value: Any) -> Any:
    """The widget of one setting; returns what the person chose."""
    text, tip, key = field_title(name), field.description, f"train-{name}"
    if get_origin(field.annotation) is Literal:
        choices = list(get_args(field.annotation))
        place = choices.index(value)
        return st.selectbox(text, choices, place, CHOICES.__getitem__, help=tip, key=key)
    if name in SUGGESTIONS:
        options = SUGGESTIONS[name]
        place = options.index(value)
        return st.selectbox(text, options, place, help=tip, key=key, accept_new_options=True)
    if isinstance(value, bool):
        return st.toggle(text, value, help=tip, key=key)
    if isinstance(value, int):
        return st.number_input(text, value=value, step=1, help=tip, key=key)
    if isinstance(value, float):
        step = value / 10 or 0.1
        return st.number_input(text, value=value, step=step, format="%g", help=tip, key=key)
    return st.text_input(text, str(value), help=tip, key=key)


def ungrouped() -> list[str]:
    """Settings that no group names yet: a new one is in the form from its first day."""
    grouped = {name for names in GROUPS.values() for name in names}
    return [name for name in TrainConfig.model_fields if name not in grouped]


def follow_sidebar() -> None:
    """Has the form take over the data folder whenever the sidebar names another one."""
    data = st.session_state.get("data", "")
    if st.session_state.get("train-followed") != data:
        st.session_state["train-followed"] = st.session_state["train-data"] = data


def choose_settings() -> dict[str, Any]:
    """The form: every field of TrainConfig, its description as a tooltip."""
    chosen: dict[str, Any] = {}
    follow_sidebar()
    groups = {**GROUPS, "Machine": GROUPS["Machine"] + ungrouped()}
    for tab, (group, names) in zip(st.tabs(list(groups)), groups.items(), strict=True):
        with tab:
            for place, name in enumerate(names):
                if place % A_ROW == 0:
                    columns = st.columns(A_ROW, vertical_alignment="bottom")
                field = TrainConfig.model_fields[name]
                value = "" if name == "data" else field.default
                with columns[place % A_ROW]:
                    chosen[name] = field_widget(name, field, value)
            if group in NOTES:
                st.caption(NOTES[group])
    return chosen


def model_size(config: TrainConfig) -> str:
    """One line on what the chosen student costs."""
    return _size(
        config.backbone, config.stages, config.attention, config.hidden, config.dropout, config.image_size
    )


@st.cache_data(max_entries=64, show_spinner=False)
def _size(backbone: str, stages: int, attention: str, hidden: int, dropout: float, image_size: int) -> str:
    from xlite.models.student import Student, describe

    size = describe(Student(backbone, attention, hidden, dropout, stages), image_size)
    return f"{size} a film of {image_size} px"


def choose_launcher() -> list[str] | None:
    """The options of sbatch if a SLURM cluster is to train the run, None for this machine."""
    if not slurm.is_available():
        return None
    chosen = st.segmented_control("Train on", ["This machine", "SLURM cluster"], default="This machine")
    if chosen != "SLURM cluster":
        return None
    text = st.text_area(
        "Options of sbatch, one a line",
        placeholder="--partition=gpu\n--gres=gpu:1\n--time=8:00:00",
        help="A pre-empted job goes back into SLURM's queue and goes on after its last finished epoch.",
    )
    return [line.strip() for line in text.splitlines() if line.strip()]


@st.fragment
def new_run() -> None:
    """The form, the command that does the same, and Start."""
    if sentence := lacking("train", "Training"):
        st.info(sentence)
        return
    chosen = choose_settings()
    if not chosen["data"]:
        st.info("Name a data folder above or in the sidebar; then the command and Start are here.")
        return
    try:
        config = make_config(chosen)
        options = choose_launcher()
        st.caption("The same from a terminal:")
        st.code(shlex.join(start_command(config, options)), language="bash", wrap_lines=True)
        start, size = st.columns([1, 4], vertical_alignment="center")
        started = start.button("Start training", type="primary", icon=":material/play_arrow:")
        with size, st.spinner("Measuring the model", show_time=False):
            st.caption(model_size(config))
        if started:
            with st.spinner("Looking for all that it names", show_time=True):
                check(config, here=options is None)
            run = Run.create(config)
            with st.spinner("Starting", show_time=True):
                run.start() if options is None else run.submit(options)
            st.query_params["run"] = run.name
            st.rerun(scope="app")
    except (XliteError, OSError) as error:
        st.error(page_sentence(error))


def check(config: TrainConfig, here: bool) -> None:
    """Raises XliteError if data, split, teacher, weights or, on this machine, the device cannot be had."""
    from xlite.training.fabric import usable_devices
    from xlite.training.job import check_job

    check_job(absolute_paths(config))
    if here:
        usable_devices(config.device)


def show_status(status: RunStatus) -> None:
    """How far the run is, in one row of facts and a bar."""
    with st.container(horizontal=True, gap="large"):
        for title, text in facts(status).items():
            st.markdown(f":gray[{title}]  \n**{literal(text)}**", width="content")
    if status.state in LIVE:
        st.progress(status.share, text=status.step_text)


def show_buttons(run: Run, state: str) -> None:
    """Stop for a live run, Resume for one that can go on."""
    if state in LIVE:
        if run.stop_requested():
            st.button("Stopping", disabled=True, icon=":material/hourglass:")
        elif st.button(
            "Stop", icon=":material/stop:", help="Gives up the epoch it is in; resume repeats that epoch."
        ):
            run.stop()
            st.rerun()
    elif run.can_resume() and st.button("Resume", icon=":material/resume:", type="primary"):
        with st.spinner("Starting"):
            run.resume()
        st.rerun()


@st.fragment(run_every=2)
def watch(name: str, listed: list[str]) -> None:
    """One run, read anew from its files every two seconds: any tab sees the same."""
    if [run.name for run in Run.list()] != listed:
        st.rerun(scope="app")
    try:
        run = Run.named(name)
        status = run.status()
        head, buttons = st.columns([5, 1], vertical_alignment="center")
        head.markdown(headline(name, status.state, status.said))
        with buttons:
            show_buttons(run, status.state)
        show_status(status)
        if not show_curves(run):
            untrained = "Nothing was trained. Start it anew under its name, or delete it on the Runs page."
            st.caption(untrained if run.failed_untrained() else "The curves begin after the first epoch.")
        show_log(run)
        show_command("Command and settings", train_command(run.config()))
    except (XliteError, OSError) as error:
        st.error(page_sentence(error))


st.title("Train")
names = [run.name for run in Run.list()]
with st.expander("New run", icon=":material/add:", expanded=not names):
    new_run()
if names:
    asked = st.query_params.get("run")
    place = names.index(asked) if asked in names else 0
    selected = st.selectbox(
        "Run", names, index=place, help="Newest first. The address of this page keeps the choice."
    )
    st.query_params["run"] = selected
    watch(selected, names)
else:
    st.caption("No run yet. A run lives on when this page, this tab or the server goes.")
