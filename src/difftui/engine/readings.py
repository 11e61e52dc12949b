"""One reading of the GPU or of the processor. Imports the libraries that read them, and no torch."""

from __future__ import annotations

import os
from contextlib import ExitStack, suppress
from pathlib import Path

import psutil

from difftui.engine.device import Device, processor_name
from difftui.engine.nvml import Gpu, nvml_session, read_gpu
from difftui.engine.telemetry import DeviceStats

__all__ = ["Card", "Processor", "machine_memory"]

RETRY_READINGS = 10  # a GPU that stopped answering is asked again, with the library loaded anew, this seldom
CGROUP = Path("/sys/fs/cgroup")


class Card:
    """Reads a GPU. While it does not answer, the library is loaded anew now and then."""

    def __init__(self) -> None:
        self.loaded = ExitStack()
        self._rest = 0

    def read(self, device: Device) -> DeviceStats:
        assert device.uuid is not None
        gpu = None
        if self._rest:
            self._rest -= 1
        else:
            gpu = read_gpu(device.uuid)
            if gpu is None:
                self.loaded.close()
                gpu = read_gpu(device.uuid) if self.loaded.enter_context(nvml_session()) else None
            if gpu is None:
                self._rest = RETRY_READINGS
        return _of_gpu(gpu) if gpu is not None else DeviceStats("gpu", device.label)


def _of_gpu(gpu: Gpu) -> DeviceStats:
    return DeviceStats(
        kind="gpu",
        name=gpu.name,
        utilisation=gpu.utilisation,
        memory_used=gpu.memory_used,
        memory_total=gpu.memory_total,
        own_memory=gpu.own_memory,
        power=gpu.power,
        power_limit=gpu.power_limit,
        temperature=gpu.temperature,
        others=gpu.others,
        unattributed=gpu.unattributed,
    )


class Processor:
    """Reads the processor; the load is that since the last reading."""

    def __init__(self) -> None:
        self._process = psutil.Process()
        self._name = processor_name()
        psutil.cpu_percent(percpu=True)  # the start of the first interval
        self._first = True

    def read(self) -> DeviceStats:
        used, total = machine_memory()
        with self._process.oneshot():
            own, threads = self._process.memory_info().rss, self._process.num_threads()
        return DeviceStats("cpu", self._name, self._load(), used, total, own, threads=threads)

    def _load(self) -> float | None:
        loads = psutil.cpu_percent(percpu=True)
        if self._first:  # over no time at all
            self._first = False
            return None
        with suppress(AttributeError, IndexError):  # macOS; a core that was taken away just now
            loads = [loads[core] for core in os.sched_getaffinity(0)]
        return min(1.0, sum(loads) / len(loads) / 100) if loads else None


def machine_memory(cgroup: Path = CGROUP) -> tuple[int, int]:
    """Bytes used, and bytes in all: the container's where it may have less than the machine has.

    What the container's files occupy in the page cache is not counted, for it is given up when needed.
    """
    machine = psutil.virtual_memory()
    try:
        limit = int((cgroup / "memory.max").read_text(encoding="ascii"))
        used = int((cgroup / "memory.current").read_text(encoding="ascii"))
        facts = dict(
            line.split() for line in (cgroup / "memory.stat").read_text(encoding="ascii").splitlines()
        )
        used -= int(facts.get("inactive_file", 0))
    except (OSError, ValueError):  # no container, or "max": no limit
        limit, used = machine.total, 0
    if limit >= machine.total:
        return machine.total - machine.available, machine.total
    return max(used, 0), limit
