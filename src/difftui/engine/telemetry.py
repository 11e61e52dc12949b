"""How busy the device is, read once a second in a thread of its own. Imports no torch."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from difftui.engine.device import Device

if TYPE_CHECKING:
    from difftui.engine.nvml import Usage

__all__ = ["DeviceStats", "Telemetry"]

log = logging.getLogger(__name__)

SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class DeviceStats:
    """One reading. What cannot be read is None. Memory in bytes.

    Attributes:
        kind: what is described: the GPU that computes, or the processor.
        name: "NVIDIA H200", "CPU, 2 cores".
        utilisation: 0 to 1; of a GPU the share of time in which it ran anything, of the processor the load
            of the cores that we may use, all programs together.
        memory_used, memory_total: of the GPU, or of the machine (of the container, where that has less).
        own_memory: what this process holds there.
        power, power_limit: watts, of a GPU.
        temperature: degrees Celsius, of a GPU.
        others: GPU memory by user, without this process; most first.
        unattributed: GPU memory in use that is nobody's as far as can be seen from here.
        threads: of this process.
    """

    kind: Literal["gpu", "cpu"]
    name: str
    utilisation: float | None = None
    memory_used: int | None = None
    memory_total: int | None = None
    own_memory: int | None = None
    power: float | None = None
    power_limit: float | None = None
    temperature: int | None = None
    others: tuple[Usage, ...] = ()
    unattributed: int | None = None
    threads: int | None = None


class Telemetry:
    """Reads the device at most once a second and publishes the newest reading.

    It describes the processor until :meth:`watch` names a GPU.

    Attributes:
        snapshot: the newest reading; None before the first.
        version: grows with every reading.
    """

    def __init__(self, seconds: float = SECONDS) -> None:
        self.snapshot: DeviceStats | None = None
        self.version = 0
        self._seconds = max(seconds, SECONDS)
        self._device: Device | None = None
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="difftui-telemetry", daemon=True)

    def start(self) -> None:
        """Begin to read."""
        self._thread.start()

    def watch(self, device: Device) -> None:
        """Describe this device from the next reading on."""
        self._device = device

    def stop(self) -> None:
        """End the thread. It may be in the middle of a reading, which nobody waits for."""
        self._ending.set()

    def _run(self) -> None:
        from difftui.engine.readings import Card, Processor  # here, for they take a while to import

        processor, card = Processor(), Card()
        with card.loaded:
            while not self._ending.is_set():
                device = self._device
                try:
                    on_gpu = device is not None and device.uuid is not None
                    self.snapshot = card.read(device) if device and on_gpu else processor.read()
                    self.version += 1
                except Exception:  # telemetry is no reason to lose a training
                    log.exception("the device could not be read")
                self._ending.wait(self._seconds)
