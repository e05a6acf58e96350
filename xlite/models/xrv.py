"""torchxrayvision's DenseNets. Their files are pickles, so the library loads them in a process of its own.

`python -m xlite.models.xrv NAME OUT` is that process. Importing the library mutes every warning; there it
mutes nobody else's.
"""

import importlib.util
import json
import sys
from pathlib import Path

from torch import Tensor

from xlite.errors import CheckpointError
from xlite.images import Preprocess
from xlite.models.available import XRV_PREFIX
from xlite.models.densenet import DenseNet
from xlite.models.unpickle import run_apart, write_tensors

LIBRARY = "torchxrayvision"
# The library wants grey values from -1024 to 1024: (grey - 0.5) · 2048 of a grey from 0 to 1.
PREPROCESS = Preprocess(224, (0.5,) * 3, (1 / 2048,) * 3)
# RSNA took its films from ChestX-ray14; the others are of other hospitals.
_HAVE_SEEN_NIH = ("all", "nih", "rsna")


def load_xrv(name: str) -> tuple[DenseNet, dict[str, Tensor]]:
    """The library's DenseNet of that name (densenet121-res224-nih, or nih), with its tensors.

    The library downloads its file once, into ~/.torchxrayvision. Raises CheckpointError if the library or the
    file cannot be had, or a tensor is not what it should be.
    """
    if importlib.util.find_spec(LIBRARY) is None:
        raise CheckpointError(
            f'{XRV_PREFIX}{name} needs {LIBRARY}, which is not installed: pip install "xlite-cxr[xrv]"'
        )
    metadata, weights = run_apart("xlite.models.xrv", name)
    network = DenseNet(json.loads(metadata["targets"]), channels=1)
    network.load(weights, f"{XRV_PREFIX}{name}")
    return network.eval(), weights


def seen(name: str) -> str:
    """What is known of the ChestX-ray14 films these weights learned from; empty if they saw none."""
    if name.rpartition("-")[2] not in _HAVE_SEEN_NIH:
        return ""
    return f"{LIBRARY}'s weights {name}, which learned from ChestX-ray14 films; which ones was not kept"


def main() -> None:
    """Loads NAME as the library does; writes its tensors and the names of its outputs to OUT."""
    import torchxrayvision as xrv

    name, out = sys.argv[1:]
    known = {key: about for key, about in xrv.models.model_urls.items() if not key.startswith("resnet")}
    if name not in known:
        sys.exit(f"{LIBRARY} has no DenseNet of that name; it has {', '.join(known)}")
    try:
        model = xrv.models.DenseNet(weights=name)
    except OSError as error:
        url = known[name]["weights_url"]
        place = Path(xrv.utils.get_cache_dir()) / url.rpartition("/")[2]
        sys.exit(f"{url} could not be had ({type(error).__name__}); put that file at {place}")
    weights = {key: tensor for key, tensor in model.state_dict().items() if key != "op_threshs"}
    write_tensors(weights, out, {"targets": json.dumps(model.targets)})


if __name__ == "__main__":
    main()
