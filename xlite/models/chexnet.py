"""The public CheXNet weights of arnoweng, zoogzog and jrzech, read without running what is in their files."""

import re
import shlex
from pathlib import Path
from pickle import UnpicklingError

from safetensors import SafetensorError
from safetensors.torch import save
from torch import Tensor

from xlite.errors import CheckpointError
from xlite.files import write_atomic
from xlite.images import Preprocess
from xlite.models.checkpoint import read_tensors
from xlite.models.densenet import DenseNet
from xlite.models.unpickle import run_apart
from xlite.models.weights import read_state_dict, to_timm_names

# All three read films at 224 px with ImageNet's mean and deviation; their outputs are in NIH order.
PREPROCESS = Preprocess(224)
LIST = "ChestX-ray14/labels/train_list.txt of github.com/arnoweng/CheXNet"
SEEN = (
    "public CheXNet weights, whose training films include 17,920 of the 25,596 of NIH's official test part "
    "(20,383 counting validation)"
)

_FOREIGN_CLASS = re.compile(r"GLOBAL ([\w.]+)")


def is_torch_file(path: Path) -> bool:
    """Whether a file begins as those of torch.save do: a zip, or before torch 1.6 a pickle."""
    with path.open("rb") as file:
        start = file.read(2)
    return start == b"PK" or start[:1] == b"\x80"


def load_chexnet(path: Path) -> DenseNet:
    """The network of a public CheXNet checkpoint, or of what `convert_chexnet` made of one, in eval.

    Raises CheckpointError if a tensor is missing, left over, of another shape or not finite, and if the file
    is something else or cannot be read without running code in it.
    """
    network = DenseNet()
    network.load(_own_names(_read(path), path), path)
    return network.eval()


def convert_chexnet(path: Path, out: Path, trust: bool) -> None:
    """Writes the tensors of a public CheXNet checkpoint as a .safetensors file, all of them checked.

    With `trust` a file that cannot be read otherwise is unpickled in a process of its own, which runs any
    code that is in it. Raises CheckpointError as `load_chexnet` does; `out` is then left as it was.
    """
    if out.suffix != ".safetensors":
        raise CheckpointError(f"{out} must end in .safetensors: that is what is written")
    if not path.is_file():
        raise CheckpointError(f"there is no checkpoint {path}")
    network = DenseNet()
    network.load(_own_names(_read(path, trust), path), path)
    write_atomic(out, save(network.net.state_dict()))


def _read(path: Path, trust: bool = False) -> dict[str, Tensor]:
    """The tensors of a file as it names them; code in it is run only with `trust`, and only if nothing else
    reads it.
    """
    try:
        return read_state_dict(path) if is_torch_file(path) else read_tensors(path)[1]
    except CheckpointError as error:
        if isinstance(error.__cause__, SafetensorError) and not is_torch_file(path):
            raise CheckpointError(
                f"{path} holds no weights that can be read: expected a public CheXNet checkpoint, such as "
                "model.pth.tar, or the .safetensors that this command made of one"
            ) from error
        foreign = _FOREIGN_CLASS.search(str(error.__cause__))
        if not isinstance(error.__cause__, UnpicklingError) or not foreign:
            raise
        if trust:
            return run_apart("xlite.models.unpickle", str(path))[1]
        raise CheckpointError(
            f"{path} cannot be read without running code in it (it calls for {foreign[1]}): if you trust "
            f"its source, `xlite convert {shlex.quote(str(path))} --out FILE.safetensors --trust` makes "
            "plain weights of it"
        ) from error


def _own_names(weights: dict[str, Tensor], path: Path) -> dict[str, Tensor]:
    """The tensors under timm's names; CheckpointError if they are not a DenseNet's, or two get one name."""
    plain = {re.sub(r"^(?:module\.|densenet121\.)+", "", name): tensor for name, tensor in weights.items()}
    timm_named = to_timm_names(plain)
    own = {name.replace("classifier.0.", "classifier."): tensor for name, tensor in timm_named.items()}
    if not any(name.startswith("features.denseblock") for name in own):
        raise CheckpointError(
            f"{path} holds no public CheXNet weights: expected a DenseNet-121's tensors, such as "
            f"features.conv0.weight, and it has {', '.join(list(weights)[:3]) or 'none'}"
        )
    if len(own) < len(weights):
        raise CheckpointError(f"{path} holds {len(weights) - len(own)} tensors twice, under several names")
    return own
