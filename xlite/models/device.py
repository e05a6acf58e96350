"""The device that models run on if nobody chose one."""

import torch


def best_device() -> str:
    """The name of this machine's fastest device: "cuda", "mps" or "cpu"."""
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def first_gpu() -> tuple[str, float]:
    """The name of the first CUDA device and its memory in GiB, if `best_device` is "cuda"."""
    return torch.cuda.get_device_name(0), torch.cuda.get_device_properties(0).total_memory / 2**30
