"""The engine under the loop: Lightning Fabric on the device and in the arithmetic that a run asks for."""

import atexit
import os
import socket
import time
from collections.abc import Callable
from typing import Any

import torch
import torch.distributed as dist
from lightning_fabric import Fabric
from lightning_fabric.plugins.environments import (
    ClusterEnvironment,
    LightningEnvironment,
    SLURMEnvironment,
    TorchElasticEnvironment,
)
from lightning_fabric.plugins.precision import MixedPrecision
from lightning_fabric.strategies import DDPStrategy

from xlite.config import TrainConfig
from xlite.errors import RunError
from xlite.runs.device_queue import POLL_S, Device
from xlite.runs.follower import follows

_PRECISIONS = {"32": "32-true", "bf16": "bf16-mixed", "16": "16-mixed"}


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


def open_fabric(
    config: TrainConfig, device: str, waits: Callable[[str], None] = lambda sentence: None
) -> Fabric:
    """The engine on a usable device; where several processes are to train, they run when it returns.

    While the leader waits for the others it passes sentences to `waits`, whose errors end it. RunError where
    the batch or the device cannot be shared by so many, where SLURM started another number, or where some
    never come.
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
    devices, nodes, environment = _processes(config)
    if devices * nodes == 1:
        # One process, also in a job of SLURM: left to itself, Fabric complains wherever srun is installed.
        settings["plugins"] = [environment, *settings.get("plugins", [])]
        return Fabric(devices=[int(index)] if index else 1, **settings)
    _check_shares(config, kind, devices, nodes)
    # Batch norms see the whole batch in each process, so their statistics need no broadcast.
    strategy = DDPStrategy(cluster_environment=environment, broadcast_buffers=False)
    fabric = Fabric(devices=devices, num_nodes=nodes, strategy=strategy, **settings)
    store = _meet(config.name, devices, nodes, environment, waits)
    try:
        fabric.launch()
    except dist.DistStoreError as error:
        raise RunError(f"not all of the {devices * nodes} processes came: {error}") from error
    del store
    atexit.register(dist.destroy_process_group)  # left open, its threads abort a process that ends
    return fabric


def _processes(config: TrainConfig) -> tuple[int, int, ClusterEnvironment]:
    """Processes on each machine, machines, and what starts them: torchrun, srun, or else the first of them.

    RunError where SLURM started others than the run asks for.
    """
    local = os.environ.get("LOCAL_WORLD_SIZE")
    if local is not None:
        return int(local), int(os.environ["WORLD_SIZE"]) // int(local), TorchElasticEnvironment()
    asked = config.devices, config.nodes
    tasks = int(os.environ.get("SLURM_STEP_NUM_TASKS", 1))  # 1 too in a script of sbatch, outside of srun
    if tasks == 1 and (config.nodes == 1 or "SLURM_JOB_ID" not in os.environ):
        return *asked, LightningEnvironment()
    devices, nodes = (int(os.environ.get(f"SLURM_{name}", 0)) for name in ("NTASKS_PER_NODE", "NNODES"))
    if devices * nodes != tasks or asked not in ((1, 1), (devices, nodes)):
        raise RunError(
            f"SLURM started {tasks} {'process' if tasks == 1 else 'processes'} on {nodes} "
            f"{'machine' if nodes == 1 else 'machines'}, and the run asks for {config.devices} on each of "
            f"{config.nodes}: use srun, with --nodes={config.nodes} --ntasks-per-node={config.devices}"
        )
    return devices, nodes, SLURMEnvironment()


def _meet(
    name: str, devices: int, nodes: int, environment: ClusterEnvironment, waits: Callable[[str], None]
) -> dist.TCPStore | None:
    """Tells how many processes are here; where people start them, until there are some of each machine.

    Torch would wait deaf to a stop and to Ctrl-C. The store has the port that torch uses next: to be kept.
    """
    everyone = devices * nodes
    if nodes == 1 or not isinstance(environment, LightningEnvironment):
        if not follows():
            waits(f"waits for the other processes (1 of {everyone} here)")
        return None
    port = environment.main_port
    store = dist.TCPStore(
        environment.main_address, port, is_master=not follows(), wait_for_workers=False, multi_tenant=True
    )
    if follows():
        store.add("here", int(environment.local_rank() == 0))
        return store
    rank = "1" if nodes == 2 else f"<1 to {nodes - 1}>"
    address = os.environ.get("MASTER_ADDR") or socket.gethostname()
    typed = f"NODE_RANK={rank} MASTER_ADDR={address} MASTER_PORT={port} xlite train --resume {name}"
    while (here := 1 + store.add("here", 0)) < nodes:
        told = f"waits for the other processes ({here * devices} of {everyone} here)"
        waits(f"{told}; on each other machine type: {typed}")
        time.sleep(POLL_S)
    return store


def _check_shares(config: TrainConfig, kind: str, devices: int, nodes: int) -> None:
    """RunError where the processes cannot share a batch equally, or the device at all."""
    processes = devices * nodes
    if config.batch_size % processes:
        raise RunError(
            f"--batch-size {config.batch_size} is the whole batch, which {processes} processes share: it "
            f"must be a multiple of {processes}"
        )
    if config.auto_batch:
        raise RunError("--auto-batch looks at one process: find the parts with one, then give --accumulate")
    if kind == "mps" or (kind == "cuda" and devices > torch.cuda.device_count()):
        there = torch.cuda.device_count() if kind == "cuda" else 1
        raise RunError(f"--devices {devices} on {kind}: this machine has {there}")
