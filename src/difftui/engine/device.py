"""Where to compute, and on how many cores. Importing this imports no torch; calling it does."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from difftui.errors import DifftuiError
from difftui.words import gib

if TYPE_CHECKING:
    from difftui.engine.nvml import Gpu

__all__ = [
    "Device",
    "configure_threads",
    "pick_device",
    "pick_device_among",
    "processor_name",
    "usable_cores",
]

MOST_THREADS = 16  # our networks are small: more threads only wait for each other
WORTH_TELLING = 2**30  # bytes of a GPU that others use


@dataclass(frozen=True, slots=True)
class Device:
    """A place to compute.

    Attributes:
        torch_device_name: what ``torch.device`` takes: "cpu", "cuda:1", "mps".
        label: what people call it: "NVIDIA H200", "CPU, 2 cores".
        why: why it was chosen, in a few words; on a GPU also what others use there.
        uuid: of an NVIDIA GPU or MIG instance, as the driver names it; None elsewhere, or if it is not known.
    """

    torch_device_name: str
    label: str
    why: str
    uuid: str | None = None


def pick_device(request: str = "auto") -> Device:
    """The device to compute on.

    Args:
        request: "auto" takes the CUDA device with the most free memory, else Apple's GPU, else the CPU;
            "cpu", "cuda" (as auto, but CUDA only), "cuda:N" and "mps" are taken at their word. Only devices
            that ``CUDA_VISIBLE_DEVICES`` shows count, and N is their number among those.

    Raises:
        DifftuiError: no such device here; the message lists those that are.
    """
    if request == "auto":
        if _cuda_count():
            return _best_cuda()
        if _mps_available():
            return Device("mps", "Apple GPU", "the GPU of this machine")
        return _cpu(_why_no_gpu())
    if request == "cpu":
        return _cpu("asked for")
    if request == "mps" and _mps_available():
        return Device("mps", "Apple GPU", "asked for")
    if request == "cuda" and _cuda_count():
        return _best_cuda()
    numbered = re.fullmatch(r"cuda:(\d{1,4})", request)
    if numbered and int(numbered[1]) < _cuda_count():
        index = int(numbered[1])
        return _cuda(index, "asked for", _visible_gpus()[index])
    if request in ("mps", "cuda") or numbered:
        raise DifftuiError(f"there is no device {request!r} here. Use one of: {', '.join(_present())}.")
    raise DifftuiError(f"{request!r} is not a device. Use one of: {', '.join(_present())}.")


def pick_device_among(number: int, request: str = "auto") -> Device:
    """The device of one of several processes on this machine: each has a GPU to itself, or all share the CPU.

    Args:
        number: which of them, from 0.
        request: "auto", "cuda" or "cpu".

    Raises:
        DifftuiError: there are fewer GPUs than processes, or one device is asked for by its number.
    """
    if request == "cpu" or (request == "auto" and not _cuda_count()):
        return pick_device("cpu")
    if request not in ("auto", "cuda"):
        raise DifftuiError(f"several processes cannot share {request!r}. Use --device auto, cuda or cpu.")
    if number >= _cuda_count():
        raise DifftuiError(
            f"process {number + 1} finds only {_cuda_count()} CUDA devices. Start fewer, or use --device cpu."
        )
    return pick_device(f"cuda:{number}")


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


def processor_name() -> str:
    """ "CPU, 2 cores": those that we may use."""
    cores = usable_cores()
    return f"CPU, {cores} core{'s' if cores > 1 else ''}"


def _cpu(why: str) -> Device:
    return Device("cpu", processor_name(), why)


def _why_no_gpu() -> str:
    from difftui.engine.nvml import gpus

    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is None or not gpus():
        return "PyTorch finds no GPU here"
    return f"CUDA_VISIBLE_DEVICES={visible!r} shows no GPU of this machine"


def _best_cuda() -> Device:
    """The CUDA device with the most free memory; the first of those that have as much."""
    visible = _visible_gpus()
    if len(visible) == 1:
        return _cuda(0, "the one CUDA device here", visible[0])
    free = [gpu.memory_free for gpu in visible if gpu is not None and gpu.memory_free is not None]
    if len(free) < len(visible):
        count = len(visible)
        return _cuda(0, f"the first of {count} CUDA devices; how full they are could not be read", visible[0])
    best = max(range(len(free)), key=lambda index: free[index])
    why = f"the most free memory of {len(free)} CUDA devices ({gib(free[best])})"
    return _cuda(best, why, visible[best])


def _cuda(index: int, why: str, gpu: Gpu | None) -> Device:
    import torch

    if gpu is not None:
        why += _used_by_others(gpu)
    name = torch.cuda.get_device_properties(index).name
    return Device(f"cuda:{index}", name, why, gpu.uuid if gpu is not None else None)


def _used_by_others(gpu: Gpu) -> str:
    """What others hold of it, by name where names are known."""
    if gpu.memory_used is None or gpu.memory_used - (gpu.own_memory or 0) < WORTH_TELLING:
        return ""
    named = [f"{usage.user} {gib(usage.memory)}" for usage in gpu.others if usage.memory]
    return f"; others use {gib(gpu.memory_used - (gpu.own_memory or 0))}" + (
        f" ({', '.join(named[:3])}{', ...' if len(named) > 3 else ''})" if named else ""
    )


def _visible_gpus() -> Sequence[Gpu | None]:
    """What the driver tells about each CUDA device, in the order in which PyTorch counts them.

    CUDA itself has read ``CUDA_VISIBLE_DEVICES`` and ``CUDA_DEVICE_ORDER`` in all their forms, so the two
    lists are matched by UUID. A device's properties can be read without opening a context on it; its free
    memory could not: that would cost some hundred megabytes on every device of a shared server, for as long
    as we run.
    """
    import torch

    from difftui.engine.nvml import gpus

    known = {gpu.uuid.partition("-")[2]: gpu for gpu in gpus()}
    properties = [torch.cuda.get_device_properties(index) for index in range(_cuda_count())]
    return [known.get(str(getattr(one, "uuid", ""))) for one in properties]


def _cuda_count() -> int:
    import torch

    return torch.cuda.device_count() if torch.cuda.is_available() else 0


def _mps_available() -> bool:
    import torch

    return torch.backends.mps.is_available()


def _present() -> list[str]:
    mps = ["mps"] if _mps_available() else []
    return ["auto", "cpu", *(f"cuda:{index}" for index in range(_cuda_count())), *mps]
