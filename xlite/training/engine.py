"""The engine under the loop: Lightning Fabric on the device and in the arithmetic that a run asks for."""

import os

import torch
from lightning_fabric import Fabric
from lightning_fabric.plugins.environments import LightningEnvironment
from lightning_fabric.plugins.precision import MixedPrecision

from xlite.config import TrainConfig
from xlite.errors import RunError
from xlite.training.line import Device


def usable_devices(asked: str) -> list[Device]:
    """The devices of this machine that would do for `auto`, `cpu`, `cuda`, `cuda:1` or `mps`, best first.

    RunError where there is none.
    """
    device = asked
    if device == "auto":
        device = (
            "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
        )
    kind, _, index = device.partition(":")
    available = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if kind not in available or (index and not index.isdigit()):
        raise RunError(f"device {asked!r} is unknown: expected auto, cpu, cuda, cuda:1 or mps")
    if not available[kind]:
        raise RunError(f"device {asked!r} was asked for, and torch finds none here: use --device cpu or auto")
    if kind == "cuda" and index and int(index) >= torch.cuda.device_count():
        raise RunError(f"device {asked!r} was asked for, and this machine has {torch.cuda.device_count()}")
    if kind != "cuda":
        return [Device(kind, kind)]
    # An index counts what CUDA_VISIBLE_DEVICES leaves to this process; the UUID is the same for all of them.
    indices = [int(index)] if index else range(torch.cuda.device_count())
    return [Device(f"cuda:{i}", f"cuda-{torch.cuda.get_device_properties(i).uuid}") for i in indices]


def open_fabric(device: str, precision: str) -> Fabric:
    """The engine on a usable device, in the arithmetic asked for (`auto`: bf16 on a GPU that has it)."""
    kind, _, index = device.partition(":")
    if precision == "auto":
        precision = "bf16" if kind == "cuda" and torch.cuda.is_bf16_supported() else "32"
    devices = [int(index)] if index else 1
    # One process, also in a job of SLURM: left to itself, Fabric complains wherever srun is installed.
    alone = LightningEnvironment()
    if precision == "16":
        # Given as a plugin, the gradient scaler's state can be saved: Fabric alone forgets it.
        return Fabric(accelerator=kind, devices=devices, plugins=[alone, MixedPrecision("16-mixed", kind)])
    return Fabric(
        accelerator=kind,
        devices=devices,
        plugins=[alone],
        precision="bf16-mixed" if precision == "bf16" else "32-true",
    )


def loader_workers(config: TrainConfig, device: torch.device) -> int:
    """Loader processes: on a CPU the step itself uses the cores, on a GPU the loader may have them."""
    if config.workers >= 0:
        return config.workers
    return 0 if device.type == "cpu" else min(os.cpu_count() or 1, 8)
