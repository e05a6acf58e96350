"""Presets: settings of a run that go together, under a name. Imports no torch."""

from xlite.config import TrainConfig, Value
from xlite.errors import Option, RunError

PRESET = Option("--preset", "Begin with")

PRESETS: dict[str, dict[str, Value]] = {
    "design": {
        "backbone": "efficientnet_b0", "hidden": 256, "dropout": 0.3, "image_size": 224, "loss": "bce",
        "auxiliary": 0.0, "sampler": "shuffle", "augment": "design", "flip": True, "mixup": 0.0, "alpha": 0.7,
        "temperature": 4.0, "epochs": 50, "batch_size": 64, "lr": 1e-3, "backbone_lr": 1.0,
        "layer_decay": 1.0, "weight_decay": 1e-4, "decay_norms": True, "warmup_epochs": 1.0, "patience": 10,
        "grad_clip": 1.0, "ema": 0.0,
    },
    "quick": {
        "backbone": "mobilenetv3_small_100", "hidden": 0, "image_size": 96, "augment": "light", "flip": False,
        "epochs": 5, "batch_size": 16,
    },
    "good": {
        "backbone": "tf_efficientnet_lite0", "hidden": 0, "dropout": 0.5, "image_size": 224, "loss": "bce",
        "sampler": "shuffle", "augment": "design", "flip": False, "mixup": 0.4, "alpha": 0.7,
        "temperature": 1.0, "epochs": 14, "batch_size": 32, "lr": 1e-3, "backbone_lr": 1.0, "patience": 14,
        "ema": 0.99,
    },
}  # fmt: skip
"""Settings that go together, by the name of the recipe.

design: the design document's, whatever the defaults are. quick: the smallest backbone on offer, small films
and few epochs, so that two minutes show how it goes; what comes of it is not a good model. good: how the
shipped `demo` was trained (docs/RESULTS.md): the full rate for the pre-trained layers, a moving average
of .99, no hidden layer, no flips, and mixup with strong augmentation and dropout, which keep it from
overfitting.
"""

PRESET_TITLES = {
    "quick": "Try it in two minutes",
    "good": "A good student on this machine",
    "design": "The design document's settings",
}
"""What pages call the presets, in the order in which they offer them."""

PRESET_NOTES = {
    "quick": "The smallest backbone, films of 96 px, 5 epochs: shows how training goes. It makes no good "
    "model.",
    "good": "As the shipped model was trained: EfficientNet-Lite0 at 224 px, 14 epochs, mixup, no flips. "
    "Better with a teacher.",
    "design": "EfficientNet-B0 at 224 px, 50 epochs. Meant for a GPU.",
}
"""One line on each preset."""


def of_preset(name: str) -> dict[str, Value]:
    """The settings of a preset; none if the name is empty. RunError if there is no such preset."""
    if name and name not in PRESETS:
        raise RunError(PRESET, f" is {name!r}; expected one of {', '.join(PRESETS)}")
    return PRESETS[name] if name else {}


def settings_of(preset: str) -> dict[str, Value]:
    """Each setting but the data folder as a preset has it, or without one by default."""
    defaults = {name: field.default for name, field in TrainConfig.model_fields.items() if name != "data"}
    return defaults | of_preset(preset)
