"""Where a model can run on this machine, and how much memory is free there now.

torch takes seconds to import, so it is asked only where the system shows a driver of a GPU. Knows no model.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import psutil

_DRIVERS = ("/dev/nvidiactl", "/dev/kfd", "/dev/dxg")
"""NVIDIA, AMD, and Windows' GPUs as its Linux sees them."""


@dataclass(frozen=True, slots=True)
class Device:
    """A device as `ModelSpec.device` names it; sizes in bytes."""

    name: str
    label: str
    free_bytes: int
    total_bytes: int


def available() -> tuple[Device, ...]:
    """The processor last, every GPU before it, and all GPUs together ("auto") where there are several."""
    found = _gpus() if sys.platform == "win32" or any(Path(d).exists() for d in _DRIVERS) else []
    if len(found) > 1:
        free, total = (sum(getattr(d, size) for d in found) for size in ("free_bytes", "total_bytes"))
        found.insert(0, Device("auto", f"all {len(found)} GPUs", free, total))
    memory = psutil.virtual_memory()
    return (*found, Device("cpu", "CPU", memory.available, memory.total))


def _gpus() -> list[Device]:
    import torch

    found = []
    for index in range(torch.cuda.device_count() if torch.cuda.is_available() else 0):
        free, total = torch.cuda.mem_get_info(index)
        name = "cuda" if index == 0 else f"cuda:{index}"
        found.append(Device(name, torch.cuda.get_device_name(index), free, total))
    return found
