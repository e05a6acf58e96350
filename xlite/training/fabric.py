"""Lightning Fabric under the loop, on the devices and in the precision that a run asks for."""

import atexit
import os
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
import torch.distributed as dist
from lightning_fabric import Fabric
from lightning_fabric.plugins.environments.cluster_environment import ClusterEnvironment
from lightning_fabric.plugins.environments.lightning import LightningEnvironment
from lightning_fabric.plugins.environments.slurm import SLURMEnvironment
from lightning_fabric.plugins.environments.torchelastic import TorchElasticEnvironment
from lightning_fabric.plugins.precision import MixedPrecision
from lightning_fabric.strategies.ddp import DDPStrategy
from torch.distributed import TCPStore  # type: ignore[attr-defined]  # torch does not list it

from xlite.config import TrainConfig
from xlite.errors import RunError, Setting
from xlite.models.device import best_device
from xlite.runs.device_queue import POLL_S, Device
from xlite.runs.follower import follows
from xlite.text import counted

_PRECISIONS = {"32": "32-true", "bf16": "bf16-mixed", "16": "16-mixed"}

Waiting = Callable[[str], None]
"""Called with a sentence, again and again, while a run waits; what it raises ends the wait."""


@dataclass(frozen=True)
class Processes:
    """How many processes (one a device) train on each of how many machines, and what starts them."""

    devices: int
    nodes: int
    environment: ClusterEnvironment

    @property
    def total(self) -> int:
        """Processes on all machines."""
        return self.devices * self.nodes


def usable_devices(asked: str) -> list[Device]:
    """The devices of this machine that suit `auto`, `cpu`, `cuda`, `cuda:1` or `mps`, best first.

    RunError if there is none.
    """
    device = best_device() if asked == "auto" else asked
    kind, _, index = device.partition(":")
    available = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if kind not in available or (index and not index.isdigit()):
        raise RunError(Setting("device"), f" {asked!r} is unknown: expected auto, cpu, cuda, cuda:1 or mps")
    if not available[kind]:
        raise RunError(
            Setting("device"),
            f" {asked!r} was asked for, and torch finds none here: use cpu or auto",
        )
    if kind == "cuda" and index and int(index) >= torch.cuda.device_count():
        here = counted(torch.cuda.device_count(), "GPU")
        raise RunError(Setting("device"), f" {asked!r} was asked for, and this machine has {here}")
    if kind != "cuda":
        return [Device(kind, kind)]
    # An index counts what CUDA_VISIBLE_DEVICES leaves to this process; the UUID is the same for all of them.
    indices = [int(index)] if index else range(torch.cuda.device_count())
    return [Device(f"cuda:{i}", f"cuda-{torch.cuda.get_device_properties(i).uuid}") for i in indices]


def open_fabric(config: TrainConfig, device: str, waiting: Waiting = lambda sentence: None) -> Fabric:
    """Fabric on a usable device; if several processes are to train, they run when it returns.

    While the leader waits for the others it calls `waiting`. RunError if so many processes cannot share the
    batch or the device, if SLURM started another number of them, or if some never come.
    """
    kind, _, index = device.partition(":")
    if kind == "cuda":
        torch.backends.cudnn.benchmark = True  # inputs keep their shape, so trying all kernels once pays
        torch.set_float32_matmul_precision("high")
    precision = config.precision
    if precision == "auto":
        precision = "bf16" if kind == "cuda" and torch.cuda.is_bf16_supported() else "32"
    settings: dict[str, Any] = {"accelerator": kind, "precision": _PRECISIONS[precision]}
    if precision == "16":
        # Given as a plugin, the gradient scaler's state can be saved: Fabric alone forgets it.
        settings = {"accelerator": kind, "plugins": [MixedPrecision("16-mixed", kind)]}
    processes = _processes(config)
    if processes.total == 1:
        # One process, also in a job of SLURM: left to itself, Fabric complains wherever srun is installed.
        settings["plugins"] = [processes.environment, *settings.get("plugins", [])]
        return Fabric(devices=[int(index)] if index else 1, **settings)
    _check_shares(config, kind, processes)
    # Batch norms see the whole batch in each process, so their statistics need no broadcast.
    strategy = DDPStrategy(cluster_environment=processes.environment, broadcast_buffers=False)
    fabric = Fabric(devices=processes.devices, num_nodes=processes.nodes, strategy=strategy, **settings)
    store = _meet(config.name, processes, waiting)
    try:
        fabric.launch()
    except dist.DistStoreError as error:
        raise RunError(f"not all of the {processes.total} processes came: {error}") from error
    del store
    atexit.register(dist.destroy_process_group)  # left open, its threads abort a process that ends
    return fabric


def _processes(config: TrainConfig) -> Processes:
    """The processes that torchrun or srun started, or else those that the first of them is to start.

    RunError if SLURM started others than the run asks for.
    """
    local = os.environ.get("LOCAL_WORLD_SIZE")
    if local is not None:
        nodes = int(os.environ["WORLD_SIZE"]) // int(local)
        return Processes(int(local), nodes, TorchElasticEnvironment())
    asked = config.devices, config.nodes
    tasks = int(os.environ.get("SLURM_STEP_NUM_TASKS", 1))  # 1 too in a script of sbatch, outside of srun
    if tasks == 1 and (config.nodes == 1 or "SLURM_JOB_ID" not in os.environ):
        return Processes(*asked, LightningEnvironment())
    devices, nodes = (int(os.environ.get(f"SLURM_{name}", 0)) for name in ("NTASKS_PER_NODE", "NNODES"))
    if devices * nodes != tasks or asked not in ((1, 1), (devices, nodes)):
        raise RunError(
            f"SLURM started {counted(tasks, 'process', 'processes')} on {counted(nodes, 'machine')}, and the "
            f"run asks for {config.devices} on each of {config.nodes}: use srun, with "
            f"--nodes={config.nodes} --ntasks-per-node={config.devices}"
        )
    return Processes(devices, nodes, SLURMEnvironment())


def _meet(name: str, processes: Processes, waiting: Waiting) -> TCPStore | None:
    """Tells how many processes are here; if people start them, waits until there are some of each machine.

    Torch would wait deaf to a stop and to Ctrl-C. The store has the port that torch uses next: to be kept.
    """
    if processes.nodes == 1 or not isinstance(processes.environment, LightningEnvironment):
        if not follows():
            waiting(f"waits for the other processes (1 of {processes.total} here)")
        return None
    port, leads = processes.environment.main_port, not follows()
    store = TCPStore(
        processes.environment.main_address, port, is_master=leads, wait_for_workers=False, multi_tenant=True
    )
    if not leads:
        store.add("here", int(processes.environment.local_rank() == 0))
        return store
    rank = "1" if processes.nodes == 2 else f"<1 to {processes.nodes - 1}>"
    address = os.environ.get("MASTER_ADDR") or socket.gethostname()
    typed = f"NODE_RANK={rank} MASTER_ADDR={address} MASTER_PORT={port} xlite train --resume {name}"
    while (here := 1 + store.add("here", 0)) < processes.nodes:
        told = f"waits for the other processes ({here * processes.devices} of {processes.total} here)"
        waiting(f"{told}; on each other machine type: {typed}")
        time.sleep(POLL_S)
    return store


def _check_shares(config: TrainConfig, kind: str, processes: Processes) -> None:
    """RunError if the processes cannot share a batch equally, or the device at all."""
    if config.batch_size % processes.total:
        raise RunError(
            Setting("batch_size"),
            f" {config.batch_size} is the whole batch, which {processes.total} processes share: it must be a "
            f"multiple of {processes.total}",
        )
    if config.auto_batch:
        raise RunError(
            Setting("auto_batch"),
            " looks at one process: find the number of micro-batches with one, then give ",
            Setting("accumulate"),
        )
    if kind == "mps" or (kind == "cuda" and processes.devices > torch.cuda.device_count()):
        there = torch.cuda.device_count() if kind == "cuda" else 1
        raise RunError(Setting("devices"), f" {processes.devices} on {kind}: this machine has {there}")
