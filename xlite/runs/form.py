"""The form of a run as a page shows it: which settings come first, in which groups the others, what their
choices are called, and what an address cannot mean. No streamlit.
"""

from collections.abc import Mapping, Sequence

from xlite.config import TrainConfig, choices_of
from xlite.errors import RunError, Setting
from xlite.presets import PRESETS
from xlite.split_names import LEAK_FREE

SHORT = ("backbone", "teacher", "epochs", "name")
"""What everybody chooses, beside the data folder, which the sidebar names."""

_GROUPS = {
    "Data": [
        "split",
        "balance",
        "train_share",
        "fold",
        "doubts",
        "drop",
        "soften",
        "allow_leakage",
        "skip_missing",
    ],
    "Model": ["weights", "stages", "attention", "hidden", "dropout", "image_size"],
    "Distillation": ["alpha", "temperature", "teacher_list", "feature_weight"],
    "Loss": ["loss", "focal_gamma", "focal_alpha", "auxiliary", "sampler", "augment", "flip", "mixup"],
    "Schedule": [
        *("batch_size", "lr", "backbone_lr", "layer_decay", "weight_decay", "decay_norms", "warmup_epochs"),
        *("patience", "grad_clip", "ema"),
    ],
    "Machine": [
        *("device", "precision", "seed", "workers", "devices", "nodes", "accumulate", "auto_batch"),
        *("grad_checkpointing", "compile", "tensorboard"),
    ],
}
_NOTES = {"Distillation": "Without a teacher the student trains alone; alpha and temperature do nothing."}
_CHOICES = {
    "none": "None",
    "mhsa": "Multi-head self-attention",
    "performer": "Performer (linear attention)",
    "bce": "Plain BCE",
    "weighted_bce": "Weighted BCE",
    "focal": "Focal",
    "weighted_focal": "Weighted focal",
    "shuffle": "Shuffled",
    "balanced": "Balanced",
    "film": "Each film as often",
    "folder": "Each folder as often",
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
        *("efficientnet_b0", "tf_efficientnet_lite0", "mobilenetv3_small_100", "mobilenetv3_large_100"),
        *("resnet18", "convnext_tiny", "densenet121"),
    ],
    "weights": ["imagenet", "none"],
    "device": ["auto", "cpu", "cuda"],
}
"""What the form offers for settings that may be any text."""

NO_TEACHER = "No teacher"
OF_PRESETS = tuple(name for name in TrainConfig.model_fields if any(name in one for one in PRESETS.values()))
"""The settings that choosing a preset sets."""


def groups() -> dict[str, list[str]]:
    """The settings behind the short form; a new one that no group names yet is among those of the machine."""
    grouped = {name for names in _GROUPS.values() for name in names}
    known = {"data", *SHORT, *grouped}
    left = [name for name in TrainConfig.model_fields if name not in known]
    return {**_GROUPS, "Machine": _GROUPS["Machine"] + left}


def note_of(group: str) -> str:
    """One line on a group, if there is something to say."""
    return _NOTES.get(group, "")


def choice(value: str) -> str:
    """What the form calls one of the few values that a setting may have."""
    return _CHOICES[value]


def teacher_choice(value: str) -> str:
    """What the form calls a teacher; none is an empty text."""
    return value or NO_TEACHER


def not_meant(query: Mapping[str, str]) -> list[RunError]:
    """Why settings in an address are none that a form can take, such as `epochs=many`.

    The form itself would show its default in their place, without a word.
    """
    found = []
    for name, field in TrainConfig.model_fields.items():
        text = query.get(name)
        if not text:
            continue
        if expected := _mismatch(name, field.annotation, text):
            found.append(RunError("the address asks for ", Setting(name), f" {text!r:.80}: {expected}"))
    return found


def _mismatch(name: str, kind: object, text: str) -> str:
    """What a setting was expected to be in an address; empty if the text is that."""
    if choices := choices_of(name):
        titles = [choice(one) for one in choices]
        return "" if text in titles else f"expected one of {', '.join(titles)}"
    if kind is bool:
        return "" if text.lower() in ("true", "false", "1", "0") else "expected true or false"
    if kind in (int, float):
        try:
            float(text)
        except ValueError:
            return "expected a number"
    return ""


def is_asked_for(query: Mapping[str, str], *others: str) -> bool:
    """Whether an address says anything of the form, or of `others` beside it, and so means to show it."""
    return any(name in query for name in (*TrainConfig.model_fields, "preset", *others) if name != "data")


def help_sentence(name: str) -> str:
    """A setting's one line, as a sentence."""
    return f"{TrainConfig.model_fields[name].description}."
