"""How much of its device training uses, as far as the system or the driver tells."""

import os
from dataclasses import dataclass
from pathlib import Path

import torch
from pynvml import NVMLError

_STATM = Path("/proc/self/statm")


@dataclass(frozen=True)
class DeviceStats:
    """Memory in GB and load 0-1 of a device; None if nothing tells."""

    memory_gb: float | None = None
    memory_total_gb: float | None = None
    load: float | None = None


def device_stats(device: torch.device) -> DeviceStats:
    """What a GPU, or on a CPU this process, uses now."""
    if device.type == "cuda":
        free, total = torch.cuda.mem_get_info(device)
        return DeviceStats((total - free) / 1e9, total / 1e9, _gpu_load(device))
    if device.type != "cpu" or not _STATM.exists():
        return DeviceStats()
    page = os.sysconf("SC_PAGE_SIZE")
    return DeviceStats(
        memory_gb=int(_STATM.read_text().split()[1]) * page / 1e9,
        memory_total_gb=os.sysconf("SC_PHYS_PAGES") * page / 1e9,
        load=min(1.0, os.getloadavg()[0] / (os.cpu_count() or 1)),
    )


def _gpu_load(device: torch.device) -> float | None:
    """The share of the last second in which the GPU worked; None if the driver does not tell."""
    try:
        return torch.cuda.utilization(device) / 100
    except (NVMLError, RuntimeError):  # in a container, or on a part of a GPU
        return None
