"""What NVIDIA's management library tells about GPUs, through ``nvidia-ml-py``. It opens no CUDA context.

Every fact may be missing: a driver without the function, a MIG instance, a container, a GPU that fell off the
bus. What is missing is None; only "no GPU at all" is an empty answer.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import psutil
import pynvml

__all__ = ["Gpu", "Usage", "gpus", "nvml_session", "read_gpu"]

_FIRST_PID_NAMESPACE = 0xEFFFFFFC  # PROC_PID_INIT_INO of Linux: the machine's own, not a container's


@dataclass(frozen=True, slots=True)
class Usage:
    """GPU memory of one user's processes.

    Attributes:
        user: the login name.
        memory: bytes; None where the driver does not tell.
        processes: how many.
    """

    user: str
    memory: int | None
    processes: int


@dataclass(frozen=True, slots=True)
class Gpu:
    """One GPU, or one MIG instance of it, as it is now. Memory in bytes.

    Attributes:
        uuid: "GPU-..." or "MIG-...".
        name: "NVIDIA H200".
        memory_used, memory_free, memory_total: of the device.
        utilisation: share of the last sampling period in which a kernel ran, 0 to 1.
        power, power_limit: watts.
        temperature: degrees Celsius.
        own_memory: what this process uses.
        others: what other users' processes, and other processes of this user, use; most memory first.
        unattributed: memory in use that is nobody's as far as can be seen from here. In a container
            processes cannot be told apart, and this includes our own.
    """

    uuid: str
    name: str
    memory_used: int | None = None
    memory_free: int | None = None
    memory_total: int | None = None
    utilisation: float | None = None
    power: float | None = None
    power_limit: float | None = None
    temperature: int | None = None
    own_memory: int | None = None
    others: tuple[Usage, ...] = ()
    unattributed: int | None = None


@contextmanager
def nvml_session() -> Iterator[bool]:
    """Load the library for this block; gives False where there is no NVIDIA driver."""
    try:
        pynvml.nvmlInit()
    except (pynvml.NVMLError, OSError, AttributeError):  # the latter two: half an installation
        yield False
        return
    try:
        yield True
    finally:
        with suppress(pynvml.NVMLError):
            pynvml.nvmlShutdown()


def gpus() -> tuple[Gpu, ...]:
    """Every GPU of the machine that we may see; one that is split is told as its MIG instances.

    ``CUDA_VISIBLE_DEVICES`` means nothing to this library.
    """
    with nvml_session() as there:
        return tuple(_read(handle) for handle in _handles()) if there else ()


def read_gpu(uuid: str) -> Gpu | None:
    """One GPU by its UUID; None when it does not answer. Needs :func:`nvml_session`."""
    handle = _ask(pynvml.nvmlDeviceGetHandleByUUID, uuid)
    return _read(handle) if handle is not None else None


def _handles() -> Iterator[Any]:
    for index in range(_ask(pynvml.nvmlDeviceGetCount) or 0):
        handle = _ask(pynvml.nvmlDeviceGetHandleByIndex, index)
        if handle is None:  # no permission, or lost
            continue
        current, _pending = _ask(pynvml.nvmlDeviceGetMigMode, handle) or (0, 0)
        if not current:
            yield handle
            continue
        for instance in range(_ask(pynvml.nvmlDeviceGetMaxMigDeviceCount, handle) or 0):
            mig = _ask(pynvml.nvmlDeviceGetMigDeviceHandleByIndex, handle, instance)
            if mig is not None:  # numbers of instances have holes
                yield mig


def _read(handle: Any) -> Gpu:
    # The newer call keeps what the driver reserves for itself apart from what programs use.
    memory = _ask(pynvml.nvmlDeviceGetMemoryInfo, handle, pynvml.nvmlMemory_v2)
    memory = memory or _ask(pynvml.nvmlDeviceGetMemoryInfo, handle)
    rates = _ask(pynvml.nvmlDeviceGetUtilizationRates, handle)
    power = _ask(pynvml.nvmlDeviceGetPowerUsage, handle)
    limit = _ask(pynvml.nvmlDeviceGetEnforcedPowerLimit, handle)
    used = int(memory.used) if memory else None
    own, others, told = _shares(_processes(handle))
    return Gpu(
        uuid=_text(_ask(pynvml.nvmlDeviceGetUUID, handle)),
        name=_text(_ask(pynvml.nvmlDeviceGetName, handle)) or "NVIDIA GPU",
        memory_used=used,
        memory_free=int(memory.free) if memory else None,
        memory_total=int(memory.total) if memory else None,
        utilisation=rates.gpu / 100 if rates else None,
        power=power / 1000 if power is not None else None,
        power_limit=limit / 1000 if limit is not None else None,
        temperature=_ask(pynvml.nvmlDeviceGetTemperature, handle, pynvml.NVML_TEMPERATURE_GPU),
        own_memory=own,
        others=others,
        unattributed=max(used - told, 0) if used is not None else None,
    )


def _processes(handle: Any) -> dict[int, int | None]:
    """Bytes by process id. Empty where the ids are not ours to understand."""
    if not _same_processes():
        return {}
    found: dict[int, int | None] = {}
    for ask in (pynvml.nvmlDeviceGetComputeRunningProcesses, pynvml.nvmlDeviceGetGraphicsRunningProcesses):
        for process in _ask(ask, handle) or ():
            found[int(process.pid)] = process.usedGpuMemory
    return found


def _shares(processes: dict[int, int | None]) -> tuple[int | None, tuple[Usage, ...], int]:
    """Our own bytes, those of others by user, and the sum of all that has an owner."""
    own = processes.get(os.getpid())
    by_user: dict[str, list[int | None]] = {}
    for pid, memory in processes.items():
        with suppress(psutil.Error, KeyError):  # ended meanwhile, or not ours to look at
            if pid != os.getpid():
                by_user.setdefault(psutil.Process(pid).username(), []).append(memory)
    usages = [
        Usage(user, None if None in held else sum(filter(None, held)), len(held))
        for user, held in by_user.items()
    ]
    usages.sort(key=lambda usage: -(usage.memory or 0))
    return own, tuple(usages), (own or 0) + sum(usage.memory or 0 for usage in usages)


def _same_processes() -> bool:
    """Whether the driver's process ids are those that we see.

    The driver counts in the machine's own namespace; in a container the same number is another process, and
    its owner's name would be a lie.
    """
    if sys.platform != "linux":
        return True
    try:
        return os.stat("/proc/self/ns/pid").st_ino == _FIRST_PID_NAMESPACE  # noqa: PTH116
    except OSError:
        return False


def _ask(function: Callable[..., Any], *arguments: Any) -> Any:
    """The answer, or None where the driver has none."""
    try:
        return function(*arguments)
    except pynvml.NVMLError:
        return None


def _text(answer: Any) -> str:
    return answer.decode(errors="replace") if isinstance(answer, bytes) else str(answer or "")
