"""TrainConfig: every path, hyperparameter and model choice of a training run, once. Imports no torch."""

import re
from pathlib import Path
from typing import Annotated, Literal, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator

from xlite.errors import RunError, Setting
from xlite.places import check_run_name
from xlite.split_names import DEFAULT_SPLIT, LEAK_FREE

# How messages call kinds of values and their limits, by pydantic's names; the command line's too.
KINDS: dict[object, str] = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "text",
    Path: "a path",
}
LIMITS = {"ge": "at least", "gt": "over", "le": "at most", "lt": "under"}

SEED = 42
"""The seed of the design document's split; the default of X-Lite's own splits and runs."""

Value = str | int | float | bool
"""What a setting may be in a file or in the plan of a study."""

Attention = Literal["none", "mhsa", "performer"]
Loss = Literal["bce", "weighted_bce", "focal", "weighted_focal"]
Augment = Literal["none", "light", "design"]
AUGMENT_ONCE: dict[str, Augment] = {"True": "design", "true": "design", "False": "none", "false": "none"}
"""What `augment` is called in files and commands from when it was a switch."""

WEIGHTED: tuple[Loss, ...] = ("weighted_bce", "weighted_focal")
FOCAL: tuple[Loss, ...] = ("focal", "weighted_focal")


MOST_FOLDS = 100


def is_fold(text: str) -> bool:
    """Whether a text is a fold of several, as `2/5`."""
    found = re.fullmatch(r"([1-9]\d{0,2})/([1-9]\d{0,2})", text, re.ASCII)
    return found is not None and int(found[1]) <= int(found[2]) and 2 <= int(found[2]) <= MOST_FOLDS


class TrainConfig(BaseModel):
    """All choices of one run: the form, the command line and the run's folder share this object."""

    # Built when first used: `xlite --help` needs the names of its fields alone.
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, defer_build=True)

    data: Annotated[
        Path,
        Field(
            title="Data folder",
            description="Data folder in the NIH layout, real or phantom; several with commas are trained on "
            "together",
        ),
    ]
    name: Annotated[
        str, Field(title="Name", description="Name of the run; empty picks one from the date")
    ] = ""
    split: Annotated[
        str,
        Field(
            title="Split",
            description=f"Split of the data folder: {', '.join(LEAK_FREE)}, or one of your own",
        ),
    ] = DEFAULT_SPLIT
    balance: Annotated[
        Literal["film", "folder"],
        Field(
            title="Balance of data folders",
            description="Of several data folders, draw each film as often, or as many films of each folder; "
            "one folder alone is not changed",
        ),
    ] = "film"
    allow_leakage: Annotated[
        bool,
        Field(
            title="Allow shared patients",
            description="Train on a split that shares patients (its metrics then mean little)",
        ),
    ] = False
    skip_missing: Annotated[
        bool,
        Field(
            title="Skip missing films",
            description="Go on without the films that the table lists and the folder lacks",
        ),
    ] = False
    train_share: Annotated[
        float,
        Field(
            title="Share of the train part",
            gt=0,
            le=1,
            description="Share of the train part to train on: whole patients, the same for every run with "
            "this share; val and test stay whole",
        ),
    ] = 1.0
    fold: Annotated[
        str,
        Field(
            title="Fold left out",
            description="Fold of the train part that is left out, as 2/5: whole patients, for whose films "
            "the run answers in left_out.csv",
        ),
    ] = ""

    doubts: Annotated[
        str,
        Field(
            title="List of labels in doubt",
            description="List of labels that are probably wrong, by `xlite data doubts --split SPLIT`; empty "
            "for none",
        ),
    ] = ""
    drop: Annotated[
        float,
        Field(
            title="Labels to drop",
            ge=0,
            description="Labels in doubt to take for unknown, the worst first: how many, or below 1 a "
            "share; its worth is not known yet",
        ),
    ] = 0.0
    soften: Annotated[
        float,
        Field(
            title="Labels to soften",
            ge=0,
            le=1,
            description="Share of the out-of-fold probability in each listed label that is not dropped; 0 is "
            "off; not measured",
        ),
    ] = 0.0

    backbone: Annotated[str, Field(title="Backbone", description="Any timm backbone, by name")] = (
        "efficientnet_b0"
    )
    weights: Annotated[
        str,
        Field(
            title="Starting weights",
            description="Starting weights: imagenet (through timm), none, or a file (torchvision's or "
            "timm's keys, or an X-Lite model)",
        ),
    ] = "imagenet"
    attention: Annotated[
        Attention, Field(title="Attention", description="Attention over the last features")
    ] = "none"
    stages: Annotated[
        int,
        Field(
            title="Stages",
            ge=0,
            le=64,
            description="First stages of the backbone alone, 0 for all; 4 of EfficientNet-Lite0's 5: a fifth "
            "of its weights, -.003 of AUC, a tie",
        ),
    ] = 0
    hidden: Annotated[
        int,
        Field(
            title="Hidden units",
            ge=0,
            le=8192,
            description="Width of the head's hidden layer; 0 leaves one linear layer after the dropout; not "
            "measured alone",
        ),
    ] = 256
    dropout: Annotated[
        float, Field(title="Dropout", ge=0, lt=1, description="Dropout before the 14 logits")
    ] = 0.3
    image_size: Annotated[
        int, Field(title="Image size (px)", ge=32, le=1024, description="Side of the square input in px")
    ] = 224

    loss: Annotated[
        Loss,
        Field(
            title="Loss",
            description="Plain BCE by default: on all the data, a public attempt lost 0.022 of mean AUC by "
            "weights and a sampler, 0.025 by focal",
        ),
    ] = "bce"
    focal_gamma: Annotated[
        float, Field(title="Focal gamma", ge=0, le=10, description="Focusing exponent of the focal loss")
    ] = 2.0
    focal_alpha: Annotated[
        float,
        Field(
            title="Focal alpha",
            ge=0,
            le=1,
            description="Weight of positives in the focal loss; 1 - alpha of negatives",
        ),
    ] = 0.25
    auxiliary: Annotated[
        float,
        Field(
            title="Auxiliary heads",
            ge=0,
            le=1000,
            description="Weight of heads for view, sex and age on the pooled features, while training; 0 is "
            "off; not measured",
        ),
    ] = 0.0
    sampler: Annotated[
        Literal["shuffle", "balanced"],
        Field(
            title="Sampling",
            description="How a batch is drawn. Balanced draws rare findings more often: it distorts "
            "probabilities and cost AUC on the full data",
        ),
    ] = "shuffle"
    augment: Annotated[
        Augment,
        Field(
            title="Augmentation",
            description="Random changes of films: light moves and brightens each a little; design is the "
            "design document's; not measured alone",
        ),
    ] = "design"
    flip: Annotated[
        bool,
        Field(
            title="Horizontal flips",
            description="Horizontal flips; common, but they move the heart to the right side; no difference "
            "seen in one run each",
        ),
    ] = True

    mixup: Annotated[
        float,
        Field(
            title="Mixup",
            ge=0,
            le=10,
            description="Blends films, labels and teachers' answers of a batch: alpha of the Beta "
            "distribution; 0 is off; not measured alone",
        ),
    ] = 0.0

    teacher: Annotated[
        str,
        Field(
            title="Teacher",
            description="Run, model file, CheXNet checkpoint, xrv:NAME or predictions CSV, with commas; "
            "+.039 AUC on phantoms, ties on real films",
        ),
    ] = ""
    teacher_list: Annotated[
        str,
        Field(
            title="List of the teacher's films",
            description="Films that the teacher was trained on, counted in every report; one list for each "
            "teacher, with commas",
        ),
    ] = ""
    alpha: Annotated[
        float,
        Field(
            title="Alpha",
            ge=0,
            le=1,
            description="Share of the soft loss for the findings that a teacher knows",
        ),
    ] = 0.7
    temperature: Annotated[
        float, Field(title="Temperature", gt=0, le=100, description="Temperature of the soft loss")
    ] = 4.0
    feature_weight: Annotated[
        float,
        Field(
            title="Feature distillation",
            ge=0,
            le=1000,
            description="Weight of what draws the last features towards the teacher's, which is one "
            "network; 0 is off; not measured",
        ),
    ] = 0.0

    epochs: Annotated[int, Field(title="Epochs", ge=1, le=10000, description="Epochs at most")] = 50
    batch_size: Annotated[
        int,
        Field(title="Batch size", ge=2, le=65536, description="Films a step; batch norm needs two at least"),
    ] = 64
    accumulate: Annotated[
        int,
        Field(
            title="Gradient accumulation",
            ge=1,
            le=4096,
            description="Micro-batches whose gradients are added up before a step: less memory, but batch "
            "norms see micro-batches",
        ),
    ] = 1
    auto_batch: Annotated[
        bool,
        Field(
            title="Fit batches to the memory",
            description="Accumulate gradients over as few micro-batches as the device's memory asks for",
        ),
    ] = False
    grad_checkpointing: Annotated[
        bool,
        Field(
            title="Gradient checkpointing",
            description="Compute activations twice instead of keeping them: less memory, slower",
        ),
    ] = False
    lr: Annotated[
        float, Field(title="Learning rate", gt=0, le=10, description="Peak learning rate of AdamW")
    ] = 1e-3
    backbone_lr: Annotated[
        float,
        Field(
            title="Backbone's share of the rate",
            ge=0,
            le=10,
            description="The backbone's rate as a share of lr; one run each had validation AUC .696 by 0.3 "
            "in 10 epochs, .746 by 1 in 8",
        ),
    ] = 1.0
    layer_decay: Annotated[
        float,
        Field(
            title="Layer-wise rates",
            gt=0,
            le=1,
            description="Share of a layer's rate that the layer below it gets, from the backbone's last one "
            "down; 1 is off; not measured",
        ),
    ] = 1.0
    weight_decay: Annotated[
        float, Field(title="Weight decay", ge=0, le=10, description="Weight decay of AdamW")
    ] = 1e-4
    decay_norms: Annotated[
        bool,
        Field(
            title="Decay of norms and biases",
            description="Weight decay on norms and biases too, not only on what is multiplied",
        ),
    ] = True
    warmup_epochs: Annotated[
        float,
        Field(
            title="Warm-up epochs", ge=0, description="Epochs of linear warm-up before the cosine schedule"
        ),
    ] = 1.0
    patience: Annotated[
        int,
        Field(
            title="Patience (epochs)",
            ge=1,
            description="Stop after so many epochs without a better validation AUC",
        ),
    ] = 10
    grad_clip: Annotated[
        float, Field(title="Gradient clipping", ge=0, description="Largest gradient norm; 0 clips nothing")
    ] = 1.0
    ema: Annotated[
        float,
        Field(
            title="Moving average (EMA)",
            ge=0,
            lt=1,
            description="Decay of the weights' moving average that is kept; 0 is off; not measured alone",
        ),
    ] = 0.0
    seed: Annotated[
        int, Field(title="Seed", ge=0, lt=2**31, description="Seed of weights, order and augmentation")
    ] = SEED
    device: Annotated[str, Field(title="Device", description="auto, cpu, cuda, cuda:1, mps")] = "auto"
    devices: Annotated[
        int,
        Field(
            title="Processes per machine",
            ge=1,
            le=1024,
            description="Processes on each machine, one a GPU; they share each batch",
        ),
    ] = 1
    nodes: Annotated[
        int, Field(title="Machines", ge=1, le=4096, description="Machines that train together")
    ] = 1
    precision: Annotated[
        Literal["auto", "32", "bf16", "16"],
        Field(title="Precision", description="Arithmetic; auto is bf16 on a GPU that has it, else 32 bit"),
    ] = "auto"
    compile: Annotated[
        bool,
        Field(
            title="Compile the step",
            description="Compile the step (torch.compile): a third more films a second, on a CPU too, after "
            "a minute; needs a C++ compiler",
        ),
    ] = False
    workers: Annotated[
        int,
        Field(
            title="Data-loader workers",
            ge=0,
            le=256,
            description="Data-loader workers beside the trainer; 0 is usually fastest, as a CPU's cores are "
            "needed and a GPU augments by itself",
        ),
    ] = 0
    tensorboard: Annotated[
        bool,
        Field(
            title="TensorBoard files",
            description="Write the curves as TensorBoard's event files too (needs xlite-cxr[tensorboard])",
        ),
    ] = False

    @field_validator("workers", mode="before")
    @classmethod
    def _none_if_automatic(cls, value: object) -> object:
        """-1 was the default once: as many as would help, which is none."""
        return 0 if value in (-1, "-1") else value

    @field_validator("augment", mode="before")
    @classmethod
    def _augment_was_a_switch(cls, value: object) -> object:
        """True was the design document's augmentation once, and false none."""
        return AUGMENT_ONCE.get(str(value), value)

    @field_validator("name")
    @classmethod
    def _name_is_a_folder(cls, value: str) -> str:
        return check_run_name(value) if value else value

    @field_validator("fold")
    @classmethod
    def _is_a_fold(cls, value: str) -> str:
        if value and not is_fold(value):
            raise RunError(
                Setting("fold"),
                f" is {value!r:.80}; expected one of 2 to {MOST_FOLDS} folds, as 2/5, or nothing",
            )
        return value

    @field_validator("*")
    @classmethod
    def _is_text(cls, value: object, info: ValidationInfo) -> object:
        """The run's folder keeps each setting as text: a path that is none could not be written down."""
        try:
            str(value).encode()
        except UnicodeEncodeError as error:
            raise RunError(
                Setting(info.field_name or ""),
                f" is {value}, which is not text in UTF-8: give it another name",
            ) from error
        return value


def make_config(values: dict[str, object]) -> TrainConfig:
    """A TrainConfig from a plain dict (form, command line, JSON).

    Raises RunError with one sentence that names the setting, its value and what was expected.
    """
    try:
        return TrainConfig.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0])
        if first["type"] == "extra_forbidden":
            raise RunError(
                f"{name!r} is not a setting of a run; the settings are {', '.join(TrainConfig.model_fields)}"
            ) from error
        value = "missing" if first["type"] == "missing" else f"{first['input']!r:.200}"
        raise RunError(Setting(name), f" is {value}; expected {_expected(name)}") from error


def choices_of(name: str) -> tuple[str, ...]:
    """What a setting may be if it is one of a few words, else nothing."""
    kind = TrainConfig.model_fields[name].annotation
    return get_args(kind) if get_origin(kind) is Literal else ()


def limits_of(name: str) -> dict[str, float]:
    """The limits of a setting that is a number, by the names in LIMITS."""
    rules = TrainConfig.model_fields[name].metadata
    return {sign: getattr(rule, sign) for rule in rules for sign in LIMITS if hasattr(rule, sign)}


def _expected(name: str) -> str:
    """What a setting may be: its kind and its limits, or its choices."""
    field = TrainConfig.model_fields[name]
    if choices := choices_of(name):
        return f"one of {', '.join(choices)}"
    limits = [f"{LIMITS[sign]} {limit}" for sign, limit in limits_of(name).items()]
    return ", ".join(filter(None, [KINDS[field.annotation], " and ".join(limits)]))
