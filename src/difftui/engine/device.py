"""Where to compute, and on how many cores. Importing this imports no torch; calling it does."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from difftui.errors import DifftuiError

__all__ = ["Device", "configure_threads", "pick_device", "usable_cores"]

MOST_THREADS = 16  # our networks are small: more threads only wait for each other
NVIDIA_SMI = ("nvidia-smi", "--query-gpu=uuid,memory.free", "--format=csv,noheader,nounits")


@dataclass(frozen=True, slots=True)
class Device:
    """A place to compute.

    Attributes:
        torch_device_name: what ``torch.device`` takes: "cpu", "cuda:1", "mps".
        label: what people call it: "NVIDIA H200", "CPU, 2 cores".
        why: why it was chosen, in a few words.
    """

    torch_device_name: str
    label: str
    why: str


def pick_device(request: str = "auto") -> Device:
    """The device to compute on.

    Args:
        request: "auto" takes the CUDA device with the most free memory, else Apple's GPU, else the CPU;
            "cpu", "cuda" (as auto, but CUDA only), "cuda:N" and "mps" are taken at their word.

    Raises:
        DifftuiError: no such device here; the message lists those that are.
    """
    if request == "auto":
        if _cuda_count():
            return _best_cuda()
        if _mps_available():
            return Device("mps", "Apple GPU", "the GPU of this machine")
        return _cpu("PyTorch finds no GPU here")
    if request == "cpu":
        return _cpu("asked for")
    if request == "mps" and _mps_available():
        return Device("mps", "Apple GPU", "asked for")
    if request == "cuda" and _cuda_count():
        return _best_cuda()
    numbered = re.fullmatch(r"cuda:(\d{1,4})", request)
    if numbered and int(numbered[1]) < _cuda_count():
        return _cuda(int(numbered[1]), "asked for")
    if request in ("mps", "cuda") or numbered:
        raise DifftuiError(f"there is no device {request!r} here. Use one of: {', '.join(_present())}.")
    raise DifftuiError(f"{request!r} is not a device. Use one of: {', '.join(_present())}.")


def configure_threads() -> int:
    """Let PyTorch use the cores that this process may use, and say how many threads that is.

    PyTorch's own choice counts the machine's cores: in a container that was given two of sixty-four it
    starts dozens of threads that fight for two. ``OMP_NUM_THREADS``, where set, is obeyed.
    """
    import torch

    if not os.environ.get("OMP_NUM_THREADS"):
        torch.set_num_threads(min(usable_cores(), MOST_THREADS))
    return torch.get_num_threads()


def usable_cores() -> int:
    """Cores that this process may keep busy: its affinity mask and its container's quota, at least 1."""
    try:
        cores = len(os.sched_getaffinity(0))
    except AttributeError:  # not on macOS
        cores = os.cpu_count() or 1
    return max(1, min(cores, _quota(Path("/sys/fs/cgroup/cpu.max"), cores)))


def _quota(cpu_max: Path, cores: int) -> int:
    """Whole cores that a cgroup's cpu.max ("200000 100000": microseconds a period) allows, or ``cores``."""
    try:
        share, period = cpu_max.read_text(encoding="ascii").split()
        return round(int(share) / int(period))
    except (OSError, ValueError, ZeroDivisionError):  # no such file, or "max": no limit
        return cores


def _cpu(why: str) -> Device:
    cores = usable_cores()
    return Device("cpu", f"CPU, {cores} core{'s' if cores > 1 else ''}", why)


def _cuda(index: int, why: str) -> Device:
    import torch

    return Device(f"cuda:{index}", torch.cuda.get_device_name(index), why)


def _best_cuda() -> Device:
    """The CUDA device with the most free memory.

    Asking CUDA itself would open a context of some hundred megabytes on every device of a shared server, for
    as long as we run; the driver's own tool does not.
    """
    import torch

    count = _cuda_count()
    if count == 1:
        return _cuda(0, "the one CUDA device here")
    free = _free_memory()
    known = {
        index: free[uuid]
        for index in range(count)
        if (uuid := str(torch.cuda.get_device_properties(index).uuid)) in free
    }
    if len(known) < count:
        return _cuda(0, f"the first of {count} CUDA devices; how full they are could not be read")
    best = max(known, key=lambda index: known[index])
    return _cuda(best, f"the most free memory of {count} CUDA devices ({known[best] / 1024:.0f} GiB)")


def _free_memory() -> Mapping[str, int]:
    """Free MiB of each NVIDIA GPU by its UUID; empty where the driver's tool does not answer."""
    try:
        answer = subprocess.run(NVIDIA_SMI, capture_output=True, text=True, timeout=10, check=True).stdout
        rows = [line.split(",") for line in answer.splitlines() if line.strip()]
        return {uuid.strip().removeprefix("GPU-"): int(mib) for uuid, mib in rows}
    except (OSError, ValueError, subprocess.SubprocessError):
        return {}


def _cuda_count() -> int:
    import torch

    return torch.cuda.device_count() if torch.cuda.is_available() else 0


def _mps_available() -> bool:
    import torch

    return torch.backends.mps.is_available()


def _present() -> list[str]:
    mps = ["mps"] if _mps_available() else []
    return ["auto", "cpu", *(f"cuda:{index}" for index in range(_cuda_count())), *mps]
