"""The engine under the loop: Lightning Fabric on the device and in the arithmetic that a run asks for."""

import os

import torch
from lightning_fabric import Fabric
from lightning_fabric.plugins.precision import MixedPrecision

from xlite.config import TrainConfig
from xlite.errors import RunError


def open_fabric(config: TrainConfig) -> Fabric:
    """The engine on the device and in the arithmetic asked for; RunError where this machine lacks them."""
    device = config.device
    if device == "auto":
        device = (
            "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
        )
    kind, _, index = device.partition(":")
    available = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if kind not in available or (index and not index.isdigit()):
        raise RunError(f"device {config.device!r} is unknown: expected auto, cpu, cuda, cuda:1 or mps")
    if not available[kind]:
        raise RunError(
            f"device {config.device!r} was asked for, and torch finds none here: use --device cpu or auto"
        )
    if kind == "cuda" and index and int(index) >= torch.cuda.device_count():
        raise RunError(
            f"device {config.device!r} was asked for, and this machine has {torch.cuda.device_count()}"
        )
    precision = config.precision
    if precision == "auto":
        precision = "bf16" if kind == "cuda" and torch.cuda.is_bf16_supported() else "32"
    devices = [int(index)] if index and kind != "cpu" else 1
    if precision == "16":
        # Given as a plugin, the gradient scaler's state can be saved: Fabric alone forgets it.
        return Fabric(accelerator=kind, devices=devices, plugins=[MixedPrecision("16-mixed", kind)])
    return Fabric(
        accelerator=kind, devices=devices, precision="bf16-mixed" if precision == "bf16" else "32-true"
    )


def loader_workers(config: TrainConfig, device: torch.device) -> int:
    """Loader processes: on a CPU the step itself uses the cores, on a GPU the loader may have them."""
    if config.workers >= 0:
        return config.workers
    return 0 if device.type == "cpu" else min(os.cpu_count() or 1, 8)
