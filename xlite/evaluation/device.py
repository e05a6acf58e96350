"""The device that models are judged on if nobody chose one."""

import torch


def best_device() -> str:
    """The name of this machine's fastest device: "cuda", "mps" or "cpu"."""
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"
