"""Other people's pickles, run in a process of their own that writes plain tensors.

A pickle may hold any code, and reading it runs that code. `python -m xlite.models.unpickle FILE OUT` does so
if somebody asked for it; what it changes in Python ends with it, and its caller checks each tensor.
"""

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from xlite.errors import CheckpointError
from xlite.models.checkpoint import read_tensors
from xlite.text import last_line


def run_apart(module: str, what: str) -> tuple[dict[str, str], dict[str, Tensor]]:
    """Metadata and tensors of the file that `python -m MODULE WHAT OUT` writes.

    Raises CheckpointError with the program's last line if it fails.
    """
    with TemporaryDirectory() as scratch:
        out = Path(scratch) / "tensors.safetensors"
        # -P: a file of the current folder must not pass for a library
        words = [sys.executable, "-P", "-m", module, what, str(out)]
        done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True)
        if done.returncode or not out.is_file():
            why = last_line(done.stderr.decode(errors="replace"), f"exit status {done.returncode}")
            raise CheckpointError(f"{what} could not be read: {why}")
        return read_tensors(out)


def write_tensors(weights: Mapping[str, Tensor], out: str, metadata: dict[str, str] | None = None) -> None:
    """Writes tensors for `run_apart`, each with memory of its own, as safetensors demands."""
    own = {name: t.detach().clone(memory_format=torch.contiguous_format) for name, t in weights.items()}
    save_file(own, out, metadata)


def main() -> None:
    """Runs the pickle FILE and writes the tensors of the model, or of the state dict, in it to OUT."""
    source, out = sys.argv[1:]
    content = torch.load(source, map_location="cpu", weights_only=False)
    for wrapper in ("state_dict", "model"):
        if isinstance(content, Mapping) and wrapper in content:
            content = content[wrapper]
    weights = content.state_dict() if isinstance(content, nn.Module) else content
    if not isinstance(weights, Mapping) or not all(isinstance(t, Tensor) for t in weights.values()):
        sys.exit("it holds neither a model nor a state dict")
    write_tensors(weights, out)


if __name__ == "__main__":
    main()
