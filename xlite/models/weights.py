"""Starting weights: ImageNet's through timm, a file, or none."""

import re
import urllib.error
import urllib.request
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import huggingface_hub
import timm
from huggingface_hub import constants
from huggingface_hub.errors import HTTPError  # type: ignore[attr-defined]  # from another package each year
from safetensors import SafetensorError
from torch import Tensor

from xlite.errors import CheckpointError, Setting
from xlite.images import IMAGENET_MEAN, IMAGENET_STD, Channels, Preprocess
from xlite.models.checkpoint import load_model, read_tensors
from xlite.models.info import FORMAT, ModelInfo
from xlite.models.known_weights import known_imagenet
from xlite.models.student import Student, create_backbone
from xlite.models.tensor_check import check_tensors
from xlite.models.torch_files import UNREADABLE, load_plain
from xlite.text import printable

IMAGENETS = (IMAGENET_MEAN, IMAGENET_STD)
HUB_TIMEOUT_S = 5.0
HUB_FILE = "model.safetensors"


@dataclass(frozen=True)
class StartWeights:
    """What a student starts from: a sentence, in two parts around the name of the file if there is one.

    info: the header of that file if it is an X-Lite model; else nobody knows which films are behind it,
    unless it is `public`: ImageNet weights, known by their tensors.
    normalisation: the mean and std with which the weights were trained, as in Preprocess.
    """

    before: str
    file: Path | None = None
    after: str = ""
    info: ModelInfo | None = None
    public: bool = False
    normalisation: tuple[Channels, Channels] = IMAGENETS

    def preprocess(self, size: int) -> Preprocess:
        """The preprocessing that suits them, for films of `size` px."""
        return Preprocess(size, *self.normalisation)

    @property
    def sentence(self) -> str:
        """The whole sentence, for the log."""
        return f"{self.before}{self.file or ''}{self.after}"

    @property
    def noted(self) -> str:
        """The sentence without the file's folder, for the notes of a model file."""
        return f"{self.before}{self.file.name if self.file else ''}{self.after}"


def load_start_weights(student: Student, source: str | Path) -> StartWeights:
    """Loads `imagenet`, `none` or a file into the student; returns what happened.

    If ImageNet weights cannot be had, the sentence says why and the student keeps its random weights. Raises
    CheckpointError for a file that does not fit.
    """
    if source == "none":
        return StartWeights(f"{student.backbone_name} starts from random weights")
    if source == "imagenet":
        return _load_imagenet(student)
    path = Path(source)
    if not path.is_file():
        raise CheckpointError(f"there are no starting weights {source}; expected imagenet, none or a file")
    if path.suffix == ".safetensors" and read_tensors(path)[0].get("format") == FORMAT:
        return _load_student(student, path)
    return _load_backbone(student, read_state_dict(path), path)


def read_state_dict(path: Path) -> dict[str, Tensor]:
    """The tensors of a .safetensors file or a torch state dict, unwrapped; never runs code from the file.

    Raises CheckpointError if it holds anything else.
    """
    if path.suffix == ".safetensors":
        return read_tensors(path)[1]
    try:
        content = load_plain(path)
    except UNREADABLE as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise CheckpointError(f"{path} is not a plain file of weights ({reason})") from error
    for wrapper in ("state_dict", "model"):
        if isinstance(content, Mapping) and isinstance(content.get(wrapper), Mapping):
            content = content[wrapper]
    if not isinstance(content, Mapping) or not all(isinstance(tensor, Tensor) for tensor in content.values()):
        raise CheckpointError(f"{path} holds no state dict: expected a mapping from names to tensors")
    plain = {str(name).removeprefix("module."): tensor for name, tensor in content.items()}
    if len(plain) < len(content):
        raise CheckpointError(f"{path} holds tensors twice, with and without 'module.' before their names")
    return plain


def _load_imagenet(student: Student) -> StartWeights:
    name = student.backbone_name
    repository = student.backbone.pretrained_cfg.get("hf_hub_id")
    if not repository:
        return StartWeights(f"timm has no ImageNet weights for {name}: training from scratch")
    try:
        path = _fetch(repository)
    except (OSError, HTTPError) as error:
        why = f"({_plain_reason(error)}): training from scratch"
        return StartWeights(f"ImageNet weights for {name} could not be had {why}")
    overlay = {"file": str(path)}  # timm knows how each architecture's file is read
    try:
        donor = timm.create_model(
            name, pretrained=True, num_classes=0, global_pool="", pretrained_cfg_overlay=overlay
        )
    except (SafetensorError, RuntimeError, LookupError, OSError) as error:
        raise CheckpointError(
            f"the ImageNet weights in {path} are damaged: delete that file, and they are downloaded again"
        ) from error
    check_tensors(donor.state_dict(), _whole(student), path)
    _take(student, donor.state_dict())
    before = f"{name} starts from ImageNet weights ({repository})"
    return StartWeights(before, normalisation=_of_timm(student))


def _of_timm(student: Student) -> tuple[Channels, Channels]:
    """The mean and std with which timm's weights of the student's backbone were trained."""
    config = student.backbone.pretrained_cfg
    return tuple(config["mean"]), tuple(config["std"])


def _fetch(repository: str) -> Path:
    """The hub's weights file, from its cache or downloaded; raises OSError or HTTPError within seconds."""
    cached = huggingface_hub.try_to_load_from_cache(repository, HUB_FILE)
    if isinstance(cached, str):
        return Path(cached)
    # the hub's own client tries an unreachable host for half a minute; any answer means that it is there
    with suppress(urllib.error.HTTPError):
        urllib.request.urlopen(constants.ENDPOINT, timeout=HUB_TIMEOUT_S).close()
    return Path(huggingface_hub.hf_hub_download(repository, HUB_FILE, etag_timeout=HUB_TIMEOUT_S))


def _plain_reason(error: BaseException) -> str:
    """The cause of an error of the network, in one line."""
    inner = error.__cause__ or getattr(error, "reason", None) or error
    return getattr(inner, "strerror", None) or str(inner).partition("\n")[0] or type(inner).__name__


def _load_student(student: Student, path: Path) -> StartWeights:
    """Copies the parts of another X-Lite model that fit; the backbone must."""
    other, info = load_model(path)
    if info.backbone != student.backbone_name:
        raise CheckpointError(
            f"{path} is a {info.backbone}, but this student is a {student.backbone_name}: set ",
            Setting("backbone"),
            f" to {info.backbone}",
        )
    if info.stages and not 0 < student.stages <= info.stages:
        raise CheckpointError(
            f"{path} has {info.stages} stages of {info.backbone}, but this student "
            f"{f'has {student.stages}' if student.stages else 'has all'}: set ",
            Setting("stages"),
            f" to {info.stages}",
        )
    _take(student, other.backbone.state_dict())
    taken = ["backbone"]
    for part in ("attention", "classifier"):
        weights = getattr(other, part).state_dict()
        wanted = getattr(student, part).state_dict()
        if {k: t.shape for k, t in weights.items()} == {k: t.shape for k, t in wanted.items()}:
            getattr(student, part).load_state_dict(weights)
            taken += [part] if weights else []
    parts = ", ".join(taken)
    before = f"{student.backbone_name} starts from the {parts} of the X-Lite model "
    normalisation = info.preprocess.mean, info.preprocess.std
    after = f", run {printable(info.notes.run)}" if info.notes.run else ""
    return StartWeights(before, path, after, info, normalisation=normalisation)


def _load_backbone(student: Student, weights: Mapping[str, Tensor], path: Path) -> StartWeights:
    """Loads every tensor but the classifier's; raises CheckpointError unless they are all the backbone's."""
    wanted = _whole(student)
    timm_named = to_timm_names(weights)
    # files from before torch 0.4.1 do not count batches, and nothing here reads the count
    counters = {k: t for k, t in wanted.items() if k.endswith(".num_batches_tracked") and k not in timm_named}
    classifiers = {"classifier", "fc", "head.fc", student.backbone.pretrained_cfg.get("classifier")}
    kept = {
        name: tensor
        for name, tensor in timm_named.items()
        if name in wanted or name.rpartition(".")[0] not in classifiers
    }
    check_tensors(kept | counters, wanted, path)
    _take(student, kept | counters)
    public = known_imagenet({name: tensor for name, tensor in kept.items() if name in wanted})
    before = f"{student.backbone_name} starts from "
    after = f" ({len(kept)} tensors{f': ImageNet weights, {public}' if public else ''})"
    normalisation = _of_timm(student) if timm_named.keys() == weights.keys() else IMAGENETS
    return StartWeights(before, path, after, None, public is not None, normalisation)


def _whole(student: Student) -> dict[str, Tensor]:
    """The tensors of the student's backbone with all of its stages: a public file has them all."""
    whole = create_backbone(student.backbone_name) if student.stages else student.backbone
    tensors: dict[str, Tensor] = whole.state_dict()
    return tensors


def _take(student: Student, tensors: Mapping[str, Tensor]) -> None:
    """Loads what the student keeps of a whole backbone's tensors."""
    student.backbone.load_state_dict({name: tensors[name] for name in student.backbone.state_dict()})


def to_timm_names(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The same tensors under timm's names, from torchvision's, the old DenseNet's or timm's own.

    torchvision's ResNet and DenseNet have timm's names up to the classifier; its MobileNetV2 does not.
    """
    if "features.1.conv.0.0.weight" in weights:
        return {_mobilenet_v2_name(name): tensor for name, tensor in weights.items()}
    return {_dense_layer_name(name): tensor for name, tensor in weights.items()}


def _dense_layer_name(name: str) -> str:
    """`denselayer1.norm.1.weight` of torchvision's first DenseNet files -> `denselayer1.norm1.weight`."""
    return re.sub(r"(denselayer\d+\.(?:norm|conv))\.([12])\.", r"\1\2.", name)


# MobileNetV2's blocks in each of timm's stages; torchvision numbers them through, as features 1 to 17
MOBILENET_V2_STAGES = [(s, b) for s, blocks in enumerate((1, 2, 3, 4, 3, 3, 1)) for b in range(blocks)]
FIRST_BLOCK = {"0.0": "conv_dw", "0.1": "bn1", "1": "conv_pw", "2": "bn2"}
OTHER_BLOCKS = {"0.0": "conv_pw", "0.1": "bn1", "1.0": "conv_dw", "1.1": "bn2", "2": "conv_pwl", "3": "bn3"}
STEM_AND_HEAD = {"0.0": "conv_stem", "0.1": "bn1", "18.0": "conv_head", "18.1": "bn2"}


def _mobilenet_v2_name(name: str) -> str:
    """torchvision's name of a MobileNetV2 tensor -> timm's; unknown names stay."""
    if block := re.fullmatch(r"features\.(\d{1,3})\.conv\.([\d.]+)\.(\w+)", name):
        number, place, tensor = int(block[1]), block[2], block[3]
        places = FIRST_BLOCK if number == 1 else OTHER_BLOCKS
        if place in places and number <= len(MOBILENET_V2_STAGES):
            stage, index = MOBILENET_V2_STAGES[number - 1]
            return f"blocks.{stage}.{index}.{places[place]}.{tensor}"
    elif (end := re.fullmatch(r"features\.(\d+\.\d)\.(\w+)", name)) and end[1] in STEM_AND_HEAD:
        return f"{STEM_AND_HEAD[end[1]]}.{end[2]}"
    return name.replace("classifier.1.", "classifier.")
