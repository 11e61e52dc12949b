"""The processor is really measured. No GPU is here: what NVML would answer is stood in for at its door."""

import os
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import psutil
import pynvml
import pytest
from helpers import eventually

from difftui.engine import nvml, readings
from difftui.engine.device import Device, usable_cores
from difftui.engine.nvml import Usage, gpus
from difftui.engine.readings import Card, Processor, machine_memory
from difftui.engine.telemetry import DeviceStats, Telemetry

GIB = 2**30


# The processor


def test_the_processor_is_measured() -> None:
    processor = Processor()
    first = processor.read()
    assert first.kind == "cpu"
    assert first.name.startswith(f"CPU, {usable_cores()} core")
    assert first.utilisation is None  # over no time at all
    began, worked = time.perf_counter(), time.process_time()
    while time.perf_counter() < began + 0.3:  # one core is busy: us, as far as we are let
        pass
    worked, passed = time.process_time() - worked, time.perf_counter() - began
    second = processor.read()
    assert second.utilisation is not None
    assert 0.8 * worked / passed / len(os.sched_getaffinity(0)) <= second.utilisation <= 1
    assert second.memory_used is not None
    assert second.memory_total is not None
    assert 0 < second.memory_used < second.memory_total <= psutil.virtual_memory().total
    assert (second.power, second.temperature, second.others) == (None, None, ())


def test_own_memory_and_threads_are_those_of_this_process() -> None:
    processor = Processor()
    before, held = processor.read(), bytearray(64 * 2**20)
    held[:: os.sysconf("SC_PAGE_SIZE")] = b"x" * len(held[:: os.sysconf("SC_PAGE_SIZE")])  # touched, so real
    after = processor.read()
    assert before.own_memory is not None
    assert after.own_memory is not None
    assert after.own_memory - before.own_memory == pytest.approx(len(held), rel=0.2)
    status = Path("/proc/self/status")  # a thread of an earlier test may end between the two looks
    eventually(lambda: f"Threads:\t{processor.read().threads}\n" in status.read_text())
    resident = int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    assert after.own_memory == pytest.approx(resident, rel=0.1)


def test_a_container_has_the_memory_it_was_given(tmp_path: Path) -> None:
    (tmp_path / "memory.max").write_text("1073741824\n")
    (tmp_path / "memory.current").write_text("536870912\n")
    (tmp_path / "memory.stat").write_text("anon 1\ninactive_file 268435456\nslab 2\n")
    assert machine_memory(tmp_path) == (GIB // 4, GIB)
    (tmp_path / "memory.max").write_text("max\n")
    assert machine_memory(tmp_path)[1] == psutil.virtual_memory().total
    assert machine_memory(tmp_path / "nowhere")[1] == psutil.virtual_memory().total


def test_the_thread_publishes_and_ends() -> None:
    telemetry = Telemetry()
    assert (telemetry.snapshot, telemetry.version) == (None, 0)
    telemetry.start()
    eventually(lambda: telemetry.version >= 2)
    assert telemetry.snapshot is not None
    assert telemetry.snapshot.utilisation is not None
    telemetry.stop()
    telemetry._thread.join(60)
    assert not telemetry._thread.is_alive()


def test_no_more_than_one_reading_a_second() -> None:
    assert Telemetry(0.001)._seconds == 1


def test_telemetry_imports_neither_torch_nor_its_libraries_early() -> None:
    code = """
import sys
import difftui.engine.telemetry
assert not {"torch", "psutil", "pynvml"} & set(sys.modules)
import difftui.engine.readings
assert "torch" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.skipif(Path("/dev/nvidiactl").exists(), reason="there is an NVIDIA GPU")
def test_without_a_driver_there_are_no_gpus() -> None:
    """The real library, on a machine that has none of its devices."""
    assert gpus() == ()
    assert Card().read(Device("cuda:0", "GPU", "", "GPU-1")) == DeviceStats("gpu", "GPU")


# A GPU, as NVML would answer


class StandIn:
    """Two GPUs behind NVML's functions, the second split in MIG instances with a hole in their numbers."""

    def __init__(self) -> None:
        self.loaded = 0
        self.fails: dict[str, int] = {}
        self.processes: list[tuple[int, int | None]] = [
            (os.getpid(), 3 * GIB),
            (1, 2 * GIB),
            (2**22 + 5, GIB),
        ]  # the last has ended

    def __getattr__(self, name: str) -> object:
        def answer(*arguments: object) -> object:
            if name in self.fails:
                raise pynvml.NVMLError(self.fails[name])
            if not self.loaded:
                raise pynvml.NVMLError(pynvml.NVML_ERROR_UNINITIALIZED)
            return getattr(self, f"_{name}")(*arguments)

        return answer

    def nvmlInit(self) -> None:
        if "nvmlInit" in self.fails:
            raise pynvml.NVMLError(self.fails["nvmlInit"])
        self.loaded += 1

    def nvmlShutdown(self) -> None:
        self.loaded -= 1

    def _nvmlDeviceGetCount(self) -> int:
        return 2

    def _nvmlDeviceGetHandleByIndex(self, index: int) -> str:
        return "ab"[index]

    def _nvmlDeviceGetHandleByUUID(self, uuid: str) -> str:
        return uuid.removeprefix("GPU-")

    def _nvmlDeviceGetMigMode(self, handle: str) -> list[int]:
        if handle == "a":
            raise pynvml.NVMLError(pynvml.NVML_ERROR_NOT_SUPPORTED)
        return [1, 1]

    def _nvmlDeviceGetMaxMigDeviceCount(self, handle: str) -> int:
        return 3

    def _nvmlDeviceGetMigDeviceHandleByIndex(self, handle: str, index: int) -> str:
        if index == 1:
            raise pynvml.NVMLError(pynvml.NVML_ERROR_NOT_FOUND)
        return f"{handle}{index}"

    def _nvmlDeviceGetUUID(self, handle: str) -> str:
        return f"GPU-{handle}" if len(handle) == 1 else f"MIG-{handle}"

    def _nvmlDeviceGetName(self, handle: str) -> bytes:
        return b"NVIDIA H200"

    def _nvmlDeviceGetMemoryInfo(self, handle: str, version: int = 0) -> SimpleNamespace:
        return SimpleNamespace(used=30 * GIB, free=50 * GIB, total=80 * GIB)

    def _nvmlDeviceGetUtilizationRates(self, handle: str) -> SimpleNamespace:
        if len(handle) > 1:
            raise pynvml.NVMLError(pynvml.NVML_ERROR_NOT_SUPPORTED)
        return SimpleNamespace(gpu=97, memory=12)

    def _nvmlDeviceGetPowerUsage(self, handle: str) -> int:
        return 412_345

    def _nvmlDeviceGetEnforcedPowerLimit(self, handle: str) -> int:
        return 700_000

    def _nvmlDeviceGetTemperature(self, handle: str, sensor: int) -> int:
        assert sensor == pynvml.NVML_TEMPERATURE_GPU
        return 58

    def _nvmlDeviceGetComputeRunningProcesses(self, handle: str) -> list[SimpleNamespace]:
        return [SimpleNamespace(pid=pid, usedGpuMemory=memory) for pid, memory in self.processes]

    def _nvmlDeviceGetGraphicsRunningProcesses(self, handle: str) -> list[SimpleNamespace]:
        return self._nvmlDeviceGetComputeRunningProcesses(handle)[:1]  # one that does both is told twice


@pytest.fixture
def driver(monkeypatch: pytest.MonkeyPatch) -> StandIn:
    driver = StandIn()
    for name in [name for name in dir(StandIn) if name.lstrip("_").startswith("nvml")]:
        real = name.lstrip("_")
        assert hasattr(pynvml, real), "the library has no such function"
        monkeypatch.setattr(pynvml, real, getattr(driver, real))
    monkeypatch.setattr(nvml, "_same_processes", lambda: True)
    return driver


def test_what_nvml_answers(driver: StandIn) -> None:
    whole, *instances = gpus()
    assert driver.loaded == 0
    assert (whole.uuid, whole.name) == ("GPU-a", "NVIDIA H200")
    assert (whole.memory_used, whole.memory_free, whole.memory_total) == (30 * GIB, 50 * GIB, 80 * GIB)
    assert (whole.utilisation, whole.power, whole.power_limit, whole.temperature) == (0.97, 412.345, 700, 58)
    assert [instance.uuid for instance in instances] == ["MIG-b0", "MIG-b2"]
    assert instances[0].utilisation is None


def test_whose_memory_it_is(driver: StandIn) -> None:
    gpu = gpus()[0]
    assert gpu.own_memory == 3 * GIB
    assert gpu.others == (Usage(psutil.Process(1).username(), 2 * GIB, 1),)
    assert gpu.unattributed == 25 * GIB


def test_memory_that_the_driver_does_not_tell(driver: StandIn) -> None:
    driver.processes = [(1, None)]
    gpu = gpus()[0]
    assert gpu.own_memory is None
    assert gpu.others == (Usage(psutil.Process(1).username(), None, 1),)
    assert gpu.unattributed == 30 * GIB


def test_in_a_container_nobody_is_named(driver: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nvml, "_same_processes", lambda: False)
    gpu = gpus()[0]
    assert (gpu.own_memory, gpu.others, gpu.unattributed) == (None, (), 30 * GIB)


def test_our_process_ids_are_told_from_a_containers() -> None:
    namespace = Path("/proc/self/ns/pid").readlink()
    assert nvml._same_processes() == (str(namespace) == "pid:[4026531836]")


def test_permissions_are_missing(driver: StandIn) -> None:
    for name in ("MemoryInfo", "UtilizationRates", "PowerUsage", "EnforcedPowerLimit", "Temperature", "Name"):
        driver.fails[f"nvmlDeviceGet{name}"] = pynvml.NVML_ERROR_NO_PERMISSION
    gpu = gpus()[0]
    assert gpu.name == "NVIDIA GPU"
    assert gpu.memory_used is gpu.memory_free is gpu.utilisation is gpu.power is gpu.temperature is None
    assert gpu.unattributed is None


def test_a_lost_gpu_is_asked_again_with_the_library_loaded_anew(driver: StandIn) -> None:
    card, device = Card(), Device("cuda:0", "a label", "asked for", "GPU-a")
    assert card.read(device).temperature == 58
    driver.fails["nvmlDeviceGetHandleByUUID"] = pynvml.NVML_ERROR_GPU_IS_LOST
    assert card.read(device) == DeviceStats("gpu", "a label")
    del driver.fails["nvmlDeviceGetHandleByUUID"]
    for _ in range(readings.RETRY_READINGS):
        assert card.read(device) == DeviceStats("gpu", "a label")
    assert card.read(device).temperature == 58
    card.loaded.close()
    assert driver.loaded == 0


def test_the_thread_describes_the_gpu_it_is_told_of(driver: StandIn) -> None:
    telemetry = Telemetry()
    telemetry.watch(Device("cuda:0", "GPU 0", "asked for", "GPU-a"))
    telemetry.start()
    eventually(lambda: telemetry.version)
    telemetry.stop()
    assert telemetry.snapshot is not None
    assert (telemetry.snapshot.kind, telemetry.snapshot.utilisation) == ("gpu", 0.97)
    telemetry._thread.join(60)
    assert driver.loaded == 0
